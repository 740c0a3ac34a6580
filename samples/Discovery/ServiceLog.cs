using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Weft.Samples.Discovery;

/// <summary>Monitoring and logs: `time - name - level - message`, one line each, at the end of a file.</summary>
internal static partial class ServiceLog
{
    public static int Run(string file)
    {
        using var provider = new FileLog(file, TimeProvider.System);
        using var factory = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Information).AddProvider(provider));
        var logger = factory.CreateLogger("service");
        Log.Started(logger);
        Log.Stopped(logger);
        return 0;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Service started")]
        public static partial void Started(ILogger logger);

        [LoggerMessage(LogLevel.Information, "Service stopped")]
        public static partial void Stopped(ILogger logger);
    }

    private sealed class FileLog(string path, TimeProvider time) : ILoggerProvider
    {
        private readonly StreamWriter _file = new(path, append: true) { AutoFlush = true };
        private readonly TimeProvider _time = time;
        private readonly Lock _gate = new();

        public ILogger CreateLogger(string categoryName) => new Lines(categoryName, this);

        public void Dispose() => _file.Dispose();

        private sealed class Lines(string name, FileLog log) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                var line = string.Create(CultureInfo.InvariantCulture, $"{log._time.GetUtcNow():yyyy-MM-dd HH:mm:ss,fff} - {name} - {logLevel} - {formatter(state, exception)}");
                lock (log._gate)
                    log._file.WriteLine(line);
            }
        }
    }
}
