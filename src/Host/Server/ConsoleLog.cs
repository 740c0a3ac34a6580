using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Weft.Host.Server;

/// <summary>One line per event on standard error, which the supervisor's log file is: time, level, part, sentence. Written at once, so that a crash loses nothing.</summary>
internal sealed class ConsoleLog(TimeProvider time, LogLevel minimum) : ILoggerFactory, ILoggerProvider
{
    private readonly Lock _gate = new();

    public ILogger CreateLogger(string categoryName) => new Category(this, Shorten(categoryName));

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("this log has one place to write to");

    public void Dispose()
    {
    }

    private void Write(LogLevel level, string category, string sentence, Exception? failure)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {Name(level)} {category}: {OneLine(sentence)}");
        try
        {
            lock (_gate)
            {
                Console.Error.WriteLine(line);
                if (failure is not null)
                    Console.Error.WriteLine(failure);
            }
        }
        catch (IOException)
        {
            // The log is on the disk that is full: a line that cannot be written must not become the failure of the request that it tells of.
        }
    }

    // A name from a request may carry line breaks: it must not be able to forge a line (CWE-117).
    private static string OneLine(string sentence) => sentence.ReplaceLineEndings(" ");

    private static string Shorten(string category) => category.StartsWith("Weft.", StringComparison.Ordinal) ? category["Weft.".Length..] : category;

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        _ => "error",
    };

    private sealed class Category(ConsoleLog log, string name) : ILogger
    {
        // Kestrel and the hosting layer tell every connection and start at Information; what counts of them is a warning.
        private readonly LogLevel _minimum = name.StartsWith("Microsoft", StringComparison.Ordinal) ? LogLevel.Warning : log.Minimum;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel level) => level >= _minimum && level != LogLevel.None;

        public void Log<TState>(LogLevel level, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(level))
                log.Write(level, name, formatter(state, exception), exception);
        }
    }

    private LogLevel Minimum => minimum;
}
