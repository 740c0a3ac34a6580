using System.Diagnostics;

namespace Weft.Storage.Tests;

/// <summary>A child process that works on a store and is killed. Gone at the end of the test, whatever happens.</summary>
internal sealed class CrashProcess : IAsyncDisposable
{
    private readonly Process _process;

    private CrashProcess(Process process) => _process = process;

    public static CrashProcess Start(params string[] arguments) => StartIn([], arguments);

    /// <summary>With a command before it that ends in running its arguments, for a namespace of its own.</summary>
    public static CrashProcess StartIn(string[] before, params string[] arguments)
    {
        string[] all = [.. before, "dotnet", Path.Combine(AppContext.BaseDirectory, "Weft.Storage.Crash.dll"), .. arguments];
        var start = new ProcessStartInfo(all[0], all[1..]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardInput = true };
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // a killed process leaves its diagnostic pipes in /tmp
        return new CrashProcess(Process.Start(start)!);
    }

    public int Id => _process.Id;

    public async Task<string?> ReadLineAsync() => await _process.StandardOutput.ReadLineAsync().WaitAsync(StoreWords.Patience);

    /// <summary>Reads lines, kills the process after so many acknowledgements, and reads what it had still said. It may also have killed itself.</summary>
    public async Task<List<string>> ReadUntilKilledAsync(int acknowledgements)
    {
        var lines = new List<string>();
        while (await ReadLineAsync() is { } line)
        {
            lines.Add(line);
            if (line.StartsWith("ack", StringComparison.Ordinal) && --acknowledgements == 0)
                _process.Kill();
        }

        await _process.WaitForExitAsync().WaitAsync(StoreWords.Patience);
        return lines;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
