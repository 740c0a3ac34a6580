using System.Net;
using System.Text;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Tests.Kit;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Http;

public sealed class InProcessTests
{
    private const string Widgets = "http://in-process/apis/example.com/v1/namespaces/default/widgets";

    [Fact]
    public async Task A_caller_in_the_process_goes_through_the_same_pipeline()
    {
        await using var server = await TestServer.StartAsync();
        using var client = new HttpClient(server.Host.CreateHandler(new UserInfo("system:test", [UserInfo.Masters])));

        using var created = await client.PostAsync(Widgets, new StringContent("""{"metadata":{"name":"a"}}""", Encoding.UTF8, "application/json"));
        using var refused = await client.PostAsync(Widgets, new StringContent("""{"metadata":{"name":"a"}}""", Encoding.UTF8, "application/json"));
        var read = await client.GetStringAsync($"{Widgets}/a");

        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.True(created.Headers.Contains("Audit-Id"));
        Assert.Equal("application/json", created.Content.Headers.ContentType!.MediaType);
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("\"name\":\"a\"", read, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_watch_streams_and_ends_when_its_reader_goes()
    {
        await using var server = await TestServer.StartAsync();
        using var client = new HttpClient(server.Host.CreateHandler(new UserInfo("system:test", [UserInfo.Masters])));
        var response = await client.GetAsync($"{Widgets}?watch=1&resourceVersion={server.Store.Revision}", HttpCompletionOption.ResponseHeadersRead);
        var reader = new StreamReader(await response.Content.ReadAsStreamAsync());

        (await server.PostAsync("/apis/example.com/v1/namespaces/default/widgets", """{"metadata":{"name":"a"}}""")).Expect(201);
        Assert.Contains("ADDED", await Eventually.EndsAsync(reader.ReadLineAsync()), StringComparison.Ordinal);

        reader.Dispose();
        response.Dispose();
        await Eventually.TrueAsync(async () =>
            (await server.GetAsync("/metrics")).Text.Contains("apiserver_longrunning_requests{verb=\"WATCH\",group=\"example.com\",version=\"v1\",kind=\"Widget\"} 0\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cancelled_request_is_cancelled_on_both_sides()
    {
        await using var server = await TestServer.StartAsync();
        using var client = new HttpClient(server.Host.CreateHandler(new UserInfo("system:test", [UserInfo.Masters])));
        using var cancel = new CancellationTokenSource();
        var response = await client.GetAsync($"{Widgets}?watch=1&resourceVersion={server.Store.Revision}", HttpCompletionOption.ResponseHeadersRead, cancel.Token);
        var stream = await response.Content.ReadAsStreamAsync();
        var reading = stream.ReadAsync(new byte[100], cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await stream.DisposeAsync();
        await Eventually.TrueAsync(async () => (await server.GetAsync("/metrics")).Text.Contains("kind=\"Widget\"} 0\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stopping_server_ends_watches_of_its_process()
    {
        var server = await TestServer.StartAsync();
        using var client = new HttpClient(server.Host.CreateHandler(new UserInfo("system:test", [UserInfo.Masters])));
        var response = await client.GetAsync($"{Widgets}?watch=1&resourceVersion={server.Store.Revision}", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var reading = reader.ReadToEndAsync();
        await server.DisposeAsync();
        try
        {
            Assert.Equal("", await Eventually.EndsAsync(reading));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // A broken stream is as good an end as an empty one.
        }
    }
}
