using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Proxies;

/// <summary>`weft proxy --config` as a user runs it: the published program, a file, curl's kind of client.</summary>
public sealed class StandaloneProxyTests : IDisposable
{
    private readonly TempDir _directory = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(30) };
    private readonly int _port = Ports.Free();
    private readonly int _admin = Ports.Free();

    private string FilePath => Path.Combine(_directory.Path, "site.yaml");

    [Fact]
    public async Task It_serves_by_its_file_follows_a_change_and_keeps_what_it_had_when_the_file_is_bad()
    {
        await WriteAsync("one");
        using var proxy = Start();
        try
        {
            await AnswersAsync("one");
            await WriteAsync("two");
            await AnswersAsync("two");
            await File.AppendAllTextAsync(FilePath, "  nonsense: [\n", TestContext.Current.CancellationToken);
            await Eventually.TrueAsync(() => proxy.Errors.Contains("is not taken; what was served goes on", StringComparison.Ordinal), state: () => proxy.Errors);
            await AnswersAsync("two");
            Assert.Contains("istio_requests_total{", await _client.GetStringAsync(new Uri($"http://127.0.0.1:{_admin}/metrics"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        finally
        {
            await proxy.EndAsync();
        }

        Assert.Equal(0, proxy.ExitCode);
        Assert.Contains("\"response_code\":200", proxy.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_file_is_refused_with_every_error_in_it()
    {
        await File.WriteAllTextAsync(FilePath, "listeners:\n- port: 99999\n  routs: []\n- port: 8080\n  routes:\n  - to: nobody\n", TestContext.Current.CancellationToken);

        var checkedFile = await Shell.RunAsync(WeftCluster.Program, ["proxy", "--config", FilePath, "--check"]);

        Assert.Equal(2, checkedFile.ExitCode);
        Assert.Contains("line 3: listeners[0].routs: there is no such field", checkedFile.Error, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _client.Dispose();
        _directory.Dispose();
    }

    private Task WriteAsync(string body) => File.WriteAllTextAsync(FilePath, $$"""
        listeners:
        - address: 127.0.0.1
          port: {{_port}}
          routes:
          - respond: {status: 200, body: "{{body}}"}
        admin: {port: {{_admin}}}
        drainTimeout: 1s

        """);

    private Task AnswersAsync(string body) => Eventually.TrueAsync(async () =>
    {
        try
        {
            return await _client.GetStringAsync(new Uri($"http://127.0.0.1:{_port}/")) == body;
        }
        catch (HttpRequestException)
        {
            return false; // not listening yet
        }
    });

    private RunningProgram Start() => new(WeftCluster.Program, ["proxy", "--config", FilePath]);
}
