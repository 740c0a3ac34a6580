using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
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

    [Fact]
    public async Task Spans_lines_of_text_and_an_authorizer_by_grpc_are_a_few_words_of_the_file()
    {
        var spans = new TaskCompletionSource<(string Key, byte[] Body)>();
        await using var collector = await Endpoint.StartAsync("collector");
        collector.Handle = async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            spans.TrySetResult((context.Request.Headers["x-api-key"].ToString(), body.ToArray()));
            return false;
        };
        await using var authorizer = await Endpoint.StartAsync("authorizer", HttpProtocols.Http2);
        authorizer.Handle = async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            // CheckResponse with an OkHttpResponse (3), or a status (1) of PERMISSION_DENIED, which is 7.
            byte[] answer = Encoding.ASCII.GetString(body.ToArray()).Contains("/open", StringComparison.Ordinal) ? [0x1A, 0] : [0x0A, 2, 8, 7];
            context.Response.ContentType = "application/grpc";
            context.Response.AppendTrailer("grpc-status", "0");
            await context.Response.Body.WriteAsync((byte[])[0, 0, 0, 0, (byte)answer.Length, .. answer]);
            return true;
        };
        await File.WriteAllTextAsync(_directory.File("collector.key"), "s3cret\n");
        await File.WriteAllTextAsync(FilePath, $$"""
            tracing:
              endpoint: http://{{collector.Address}}
              fraction: 100%
              serviceName: edge
              headers: [{name: x-api-key, value: {{_directory.File("collector.key")}}}]
            accessLog: {format: text, template: '%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% "%REQ(X-TENANT)%"'}
            listeners:
            - address: 127.0.0.1
              port: {{_port}}
              filters:
              - externalAuthorization: {name: policy, protocol: grpc, cluster: authorizer, timeout: 30s}
              routes:
              - respond: {status: 200, body: "one"}
            clusters:
            - {name: authorizer, endpoints: "{{authorizer.Address}}"}
            drainTimeout: 1s

            """, TestContext.Current.CancellationToken);
        using var proxy = Start();
        await Eventually.TrueAsync(() => proxy.Errors.Contains("listener ", StringComparison.Ordinal) || proxy.HasExited, state: () => proxy.Errors);

        Assert.Equal(200, (await Curl.AskAsync("-H", "x-tenant: a\"b", $"http://127.0.0.1:{_port}/open")).Status);
        Assert.Equal(403, (await Curl.AskAsync($"http://127.0.0.1:{_port}/shut")).Status);
        var (key, sent) = await Eventually.EndsAsync(spans.Task);
        Assert.Equal("s3cret", key);
        Assert.Contains("edge", Encoding.ASCII.GetString(sent), StringComparison.Ordinal);
        await proxy.EndAsync();
        Assert.Equal(0, proxy.ExitCode);
        // Each loop has lines of its own.
        Assert.Equal(["GET /open 200 - \"a\\\"b\"", "GET /shut 403 UAEX \"-\""], proxy.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("s3cret", proxy.Errors, StringComparison.Ordinal);
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
