using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Streaming;

/// <summary>
/// The real kubectl. Whatever is on the PATH, and those that WEFT_TEST_KUBECTLS names (separated by colons): 1.20 speaks SPDY for everything, 1.31 and
/// later WebSocket, with SPDY inside for port-forward. Without any the tests are skipped.
/// </summary>
public sealed class KubectlStreamingTests : IAsyncLifetime
{
    private readonly string _home = Path.Combine(Path.GetTempPath(), "weft-kubectl-" + Path.GetRandomFileName());
    private StreamingServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await StreamingServer.StartAsync();
        Directory.CreateDirectory(_home);
        await File.WriteAllTextAsync(Path.Combine(_home, "config"), $$$"""
            apiVersion: v1
            kind: Config
            current-context: test
            clusters: [{name: test, cluster: {server: "http://127.0.0.1:{{{_server.Address.Port}}}"}}]
            contexts: [{name: test, context: {cluster: test, user: test}}]
            users: [{name: test, user: {}}]
            """);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }

    public static TheoryData<string> Kubectls
    {
        get
        {
            var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(directory => Path.Combine(directory, "kubectl")).Where(File.Exists).Take(1)
                .Concat((Environment.GetEnvironmentVariable("WEFT_TEST_KUBECTLS") ?? "").Split(':').Where(File.Exists)).ToList();
            return [.. found.Count == 0 ? [""] : found];
        }
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Exec_sends_ten_megabytes_exactly_and_returns_output(string kubectl)
    {
        var bytes = new byte[10 * 1024 * 1024 + 5];
        Seeded.Random(12).NextBytes(bytes);

        var (code, output, error) = await RunAsync(kubectl, bytes, "exec", "-i", "web", "--", "sha256");

        Assert.True(code == 0, error);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)) + "\n", Encoding.UTF8.GetString(output));
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Exec_receives_ten_megabytes_exactly(string kubectl)
    {
        var bytes = new byte[10 * 1024 * 1024 + 5];
        Seeded.Random(13).NextBytes(bytes);

        var (code, output, error) = await RunAsync(kubectl, bytes, "exec", "-i", "web", "--", "cat");

        Assert.True(code == 0, error);
        Assert.Equal(SHA256.HashData(bytes), SHA256.HashData(output));
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Exec_separates_output_from_error_output_and_passes_the_exit_code_on(string kubectl)
    {
        var (code, output, error) = await RunAsync(kubectl, [], "exec", "web", "--", "both");
        Assert.Equal((0, "to output\n"), (code, Encoding.UTF8.GetString(output)));
        Assert.Contains("to error\n", error, StringComparison.Ordinal);

        (code, _, error) = await RunAsync(kubectl, [], "exec", "web", "--", "exit", "42");
        Assert.Equal(42, code);
        Assert.Contains("command terminated with exit code 42", error, StringComparison.Ordinal);

        (code, _, error) = await RunAsync(kubectl, [], "exec", "web", "--", "nonsense");
        Assert.Equal(1, code);
        Assert.Contains("executable file not found", error, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Exec_does_not_wait_for_input_that_the_command_did_not_want(string kubectl)
    {
        var (code, output, error) = await RunAsync(kubectl, new byte[4 * 1024 * 1024], "exec", "-i", "web", "--", "head");

        Assert.True(code == 0, error);
        Assert.Equal("first\n", Encoding.UTF8.GetString(output));
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Attach_connects_to_the_main_process(string kubectl)
    {
        var (code, output, error) = await RunAsync(kubectl, "hello"u8.ToArray(), "attach", "-i", "web");

        Assert.True(code == 0, error);
        Assert.Equal("attached\nhello", Encoding.UTF8.GetString(output));
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Kubectl_that_is_killed_ends_the_command(string kubectl)
    {
        using var process = Start(kubectl, "exec", "-i", "web", "--", "hang");
        await Eventually.EndsAsync(_server.Pod.Hanging);

        process.Kill();

        await Eventually.EndsAsync(_server.Pod.Cancelled);
        await process.WaitForExitAsync();
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Port_forward_carries_many_connections_at_once(string kubectl)
    {
        await using var echo = new EchoServer();
        using var process = Start(kubectl, "port-forward", "pod/web", $":{echo.Port}");
        try
        {
            var line = await Eventually.EndsAsync(process.StandardOutput.ReadLineAsync()) ?? await process.StandardError.ReadToEndAsync();
            Assert.StartsWith("Forwarding from 127.0.0.1:", line, StringComparison.Ordinal);
            var port = int.Parse(line.Split(':')[1].Split(' ')[0]);

            for (var round = 0; round < 5; round++)
                await Eventually.EndsAsync(Task.WhenAll(Enumerable.Range(0, 40).Select(i => EchoAsync(port, i + round * 1000))));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        await Eventually.TrueAsync(() => echo.Open == 0);
    }

    private static async Task EchoAsync(int port, int seed)
    {
        var sent = new byte[50_000];
        Seeded.Random(seed).NextBytes(sent);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        var stream = client.GetStream();
        var received = new byte[sent.Length];
        var reading = stream.ReadExactlyAsync(received).AsTask();
        await stream.WriteAsync(sent);
        await reading;
        Assert.Equal(sent, received);
    }

    private async Task<(int Code, byte[] Output, string Error)> RunAsync(string kubectl, byte[] input, params string[] arguments)
    {
        using var process = Start(kubectl, arguments);
        try
        {
            using var output = new MemoryStream();
            var reading = process.StandardOutput.BaseStream.CopyToAsync(output);
            var errors = process.StandardError.ReadToEndAsync();
            try
            {
                await process.StandardInput.BaseStream.WriteAsync(input);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended without reading all of its input.
            }

            await Eventually.EndsAsync(process.WaitForExitAsync());
            await reading;
            return (process.ExitCode, output.ToArray(), await errors);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    private Process Start(string kubectl, params string[] arguments)
    {
        if (kubectl.Length == 0)
            Assert.Skip("no kubectl on the PATH");
        var start = new ProcessStartInfo(kubectl, ["--kubeconfig", Path.Combine(_home, "config"), "--cache-dir", Path.Combine(_home, "cache"), .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["HOME"] = _home;
        return Process.Start(start)!;
    }
}
