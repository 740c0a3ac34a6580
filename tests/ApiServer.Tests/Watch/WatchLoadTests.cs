using System.Net.Sockets;
using System.Text;
using Weft.ApiServer.Tests.Kit;
using Weft.Storage;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Watch;

public sealed class WatchLoadTests
{
    private const string Widgets = "/apis/example.com/v1/namespaces/default/widgets";

    [Fact]
    public async Task A_thousand_watchers_see_each_event_once_and_in_order()
    {
        const int watchers = 1000;
        const int events = 20;
        await using var server = await TestServer.StartAsync();
        using var client = new HttpClient(server.Host.CreateHandler(new Authentication.UserInfo("watcher", [])));
        var from = server.Store.Revision;
        var readers = await Task.WhenAll(Enumerable.Range(0, watchers).Select(async _ =>
        {
            var response = await client.GetAsync($"http://x{Widgets}?watch=1&resourceVersion={from}", HttpCompletionOption.ResponseHeadersRead);
            return new WatchReader(response, await response.Content.ReadAsStreamAsync());
        }));

        for (var i = 0; i < events; i++)
            (await server.PostAsync(Widgets, $$$"""{"metadata":{"name":"w{{{i}}}"}}""")).Expect(201);

        await Parallel.ForEachAsync(readers, async (reader, _) =>
        {
            for (var i = 0; i < events; i++)
                Assert.Equal($"ADDED w{i}", await reader.NextTextAsync());
            await reader.DisposeAsync();
        });
    }

    [Fact]
    public async Task A_watcher_that_does_not_read_is_ended_and_disturbs_nobody()
    {
        await using var server = await TestServer.StartAsync(storeOptions: new StoreOptions { WatchBuffer = 64, WatchBufferBytes = 1024 * 1024, RecentBytes = 1024 * 1024, RecentChanges = 64 });
        using var slow = new TcpClient { ReceiveBufferSize = 4096 };
        await slow.ConnectAsync(server.Host.Address.Host, server.Host.Address.Port);
        await slow.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"GET {Widgets}?watch=1&resourceVersion={server.Store.Revision} HTTP/1.1\r\nHost: x\r\n\r\n"));
        await Eventually.TrueAsync(async () => (await server.GetAsync("/metrics")).Text.Contains("kind=\"Widget\"} 1\n", StringComparison.Ordinal));
        await using var fast = await server.WatchAsync($"{Widgets}?watch=1&resourceVersion={server.Store.Revision}");

        var filler = new string('x', 100_000);
        for (var i = 0; i < 300; i++)
        {
            (await server.PostAsync(Widgets, $$$"""{"metadata":{"name":"w{{{i}}}"},"spec":{"colour":"{{{filler}}}"}}""")).Expect(201);
            Assert.Equal($"ADDED w{i}", await fast.NextTextAsync());
        }

        // 30 MB have passed it by; its own cursor is far behind the buffer. When it reads at last, it gets what was on its way, and then an error, never a hole.
        using var reader = new StreamReader(slow.GetStream());
        var (expected, sawError) = (0, false);
        while (await Eventually.EndsAsync(reader.ReadLineAsync()) is { } line)
        {
            if (line.StartsWith("{\"type\":\"ADDED\"", StringComparison.Ordinal))
                Assert.Contains($"\"name\":\"w{expected++}\"", line, StringComparison.Ordinal);
            if (!line.StartsWith("{\"type\":\"ERROR\"", StringComparison.Ordinal))
                continue;
            Assert.Contains("\"code\":410", line, StringComparison.Ordinal);
            sawError = true;
            break;
        }
        Assert.True(sawError);
        Assert.InRange(expected, 0, 299);
    }

    [Fact]
    public async Task A_cut_connection_ends_its_watch()
    {
        await using var server = await TestServer.StartAsync();
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(server.Host.Address.Host, server.Host.Address.Port);
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET {Widgets}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n"));
            await Eventually.TrueAsync(async () => (await server.GetAsync("/metrics")).Text.Contains("kind=\"Widget\"} 1\n", StringComparison.Ordinal));
        }
        await Eventually.TrueAsync(async () => (await server.GetAsync("/metrics")).Text.Contains("kind=\"Widget\"} 0\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_idle_watch_gets_a_bookmark_once_a_minute()
    {
        var time = new ManualTime();
        await using var server = await TestServer.StartAsync(time);
        await using var watch = await server.WatchAsync($"{Widgets}?watch=1&resourceVersion={server.Store.Revision}&allowWatchBookmarks=true&timeoutSeconds=86400");
        (await server.PostAsync("/api/v1/namespaces/default/configmaps", """{"metadata":{"name":"elsewhere"}}""")).Expect(201);
        var expected = server.Store.Revision.ToString(System.Globalization.CultureInfo.InvariantCulture);

        // The first may be older than the write.
        var reached = "";
        for (var i = 0; i < 10 && reached != expected; i++)
        {
            var next = watch.NextAsync();
            await Eventually.TrueAsync(() =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return next.IsCompleted;
            });
            var bookmark = await next;
            Assert.Equal("BOOKMARK", bookmark!["type"]!.GetValue<string>());
            reached = bookmark["object"]!["metadata"]!["resourceVersion"]!.GetValue<string>();
        }
        Assert.Equal(expected, reached);
    }
}
