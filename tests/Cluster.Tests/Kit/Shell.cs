using System.Diagnostics;

namespace Weft.Cluster.Tests.Kit;

/// <summary>A finished command. Its output is what a user would have seen.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    internal string Succeeded()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Error}\n{Output}");
        return Output;
    }
}

internal static class Shell
{
    // A command that has not ended by then hangs.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    internal static async Task<CommandResult> RunAsync(
        string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? input = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            if (input is not null)
                await process.StandardInput.WriteAsync(input.AsMemory(), limit.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(limit.Token);
            return new(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end within {Patience.TotalMinutes:0} minutes");
        }
    }
}
