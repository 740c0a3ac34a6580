using System.Diagnostics;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Kit;

/// <summary>The real kubectl against a test server, with a home of its own: nothing of the machine's configuration or cache is read or left.</summary>
internal sealed class Kubectl : IDisposable
{
    private readonly string _home = Path.Combine(Path.GetTempPath(), "weft-kubectl-" + Path.GetRandomFileName());
    private readonly string _program;

    /// <param name="program">Path of the program; empty when the machine has none, which skips the test.</param>
    public Kubectl(string program, Uri server)
    {
        if (program.Length == 0)
            Assert.Skip("no kubectl on the PATH");
        _program = program;
        Directory.CreateDirectory(_home);
        File.WriteAllText(Path.Combine(_home, "config"), $$$"""
            apiVersion: v1
            kind: Config
            current-context: test
            clusters: [{name: test, cluster: {server: "http://127.0.0.1:{{{server.Port}}}"}}]
            contexts: [{name: test, context: {cluster: test, user: test}}]
            users: [{name: test, user: {}}]
            """);
    }

    /// <summary>What is on the PATH, and those that WEFT_TEST_KUBECTLS names, separated by colons.</summary>
    public static TheoryData<string> Programs
    {
        get
        {
            var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(directory => Path.Combine(directory, "kubectl")).Where(File.Exists).Take(1)
                .Concat((Environment.GetEnvironmentVariable("WEFT_TEST_KUBECTLS") ?? "").Split(':').Where(File.Exists)).ToList();
            return [.. found.Count == 0 ? [""] : found];
        }
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    /// <summary>Standard output; a failure shows what kubectl said.</summary>
    public async Task<string> OutputAsync(string input, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(input, arguments);
        Assert.True(code == 0, $"kubectl {string.Join(' ', arguments)}: {error}{output}");
        return output;
    }

    public async Task<(int Code, string Output, string Error)> RunAsync(string input, params string[] arguments)
    {
        var start = new ProcessStartInfo(_program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["--kubeconfig", Path.Combine(_home, "config"), "--cache-dir", Path.Combine(_home, "cache"), .. arguments])
            start.ArgumentList.Add(argument);
        start.Environment["HOME"] = _home;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended before it read all: what it says tells why.
        }

        try
        {
            await Eventually.EndsAsync(process.WaitForExitAsync());
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        return (process.ExitCode, await output, await error);
    }
}
