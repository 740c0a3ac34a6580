using System.Diagnostics;
using System.Text;
using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Proxies;

/// <summary>The published program as a process, with what it has printed so far.</summary>
internal sealed class RunningProgram : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new(), _errors = new();

    public RunningProgram(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Append(_errors, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public string Output => Read(_output);

    public string Errors => Read(_errors);

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <param name="name">`USR2`, as kill(1) takes it.</param>
    public async Task SignalAsync(string name) => (await Shell.RunAsync("/bin/kill", [$"-{name}", $"{_process.Id}"])).Succeeded();

    /// <summary>As a service manager ends it.</summary>
    public async Task EndAsync()
    {
        await SignalAsync("TERM");
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private static void Append(StringBuilder to, string? line)
    {
        // Null: the end of what it prints.
        lock (to)
            to.Append(line is null ? "" : line + "\n");
    }

    private static string Read(StringBuilder from)
    {
        lock (from)
            return from.ToString();
    }
}
