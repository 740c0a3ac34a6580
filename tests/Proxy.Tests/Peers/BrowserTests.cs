using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Forwarding;
using Weft.Proxy.Tests.Hostile;
using Weft.Proxy.Tests.Tls;
using Weft.Testing;

namespace Weft.Proxy.Tests.Peers;

/// <summary>Chromium through the engine on TLS: a page, requests side by side, an upload, server-sent events, WebSocket.</summary>
public sealed class BrowserTests
{
    private const string Page = """
        <!doctype html><title>shop</title><link rel="icon" href="data:,"><script>
        const report = {};
        async function run() {
          const answers = await Promise.all([...Array(100).keys()].map(i => fetch(`/item?i=${i}`).then(r => r.text())));
          report.items = answers.every((text, i) => text === `item ${i}`);
          report.upload = await (await fetch('/upload', {method: 'POST', body: new Uint8Array(1000000)})).text();
          report.events = await new Promise((resolve, reject) => {
            const seen = [], source = new EventSource('/events');
            source.onmessage = e => { seen.push(e.data); if (e.data === 'last') { source.close(); resolve(seen); } };
            source.onerror = reject;
          });
          report.socket = await new Promise((resolve, reject) => {
            const socket = new WebSocket(`wss://${location.host}/socket`), seen = [];
            socket.onopen = () => { socket.send('one'); socket.send('x'.repeat(100000)); };
            socket.onmessage = e => { seen.push(e.data.length); if (seen.length === 2) socket.close(1000, 'enough'); };
            socket.onclose = e => resolve([...seen, e.code, e.wasClean]);
            socket.onerror = reject;
          });
          report.protocols = [...new Set(performance.getEntriesByType('resource').map(e => e.nextHopProtocol))];
        }
        run().catch(e => report.error = String(e)).finally(() => fetch('/report', {method: 'POST', body: JSON.stringify(report)}));
        </script>
        """;

    [Theory]
    [InlineData("h2")]
    [InlineData("http/1.1")]
    public async Task A_page_and_all_that_it_does_works(string protocol)
    {
        var reported = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        var (cluster, server) = await ProxyFixture.ServeAsync("web", context => ServeAsync(context, reported));
        await using var own = server;
        using var authority = new TestAuthority();
        using var profile = new TempDir();
        await using var bed = await HostileBed.StartAsync(
            TlsBed.Config(cluster, new ListenerTls { Certificates = ["site"], Alpn = [protocol] }, [TlsBed.Certificate("site", authority.Issue())]), loops: 2);

        // As root it has no sandbox; the certificate's authority is of this test alone.
        using var browser = Process.Start(new ProcessStartInfo(
            "chromium-headless-shell",
            ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--ignore-certificate-errors", "--no-proxy-server", $"--user-data-dir={profile.Path}", $"https://{bed.Address}/"])
        { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var said = browser.StandardError.ReadToEndAsync();
        try
        {
            var first = await Task.WhenAny(reported.Task, browser.WaitForExitAsync()).WaitAsync(TimeSpan.FromMinutes(2));
            Assert.True(first == reported.Task, browser.HasExited ? await said : "");
        }
        finally
        {
            browser.Kill(entireProcessTree: true);
            await browser.WaitForExitAsync();
        }

        var report = (await reported.Task).GetRawText();
        Assert.Equal($$"""{"items":true,"upload":"1000000","events":["first","second","last"],"socket":[3,100000,1000,true],"protocols":["{{protocol}}"]}""", report);
        await bed.NothingLeftAsync();
    }

    private static async Task ServeAsync(HttpContext context, TaskCompletionSource<JsonElement> reported)
    {
        var response = context.Response;
        switch (context.Request.Path.Value)
        {
            case "/":
                response.ContentType = "text/html; charset=utf-8";
                await response.WriteAsync(Page);
                break;
            case "/item":
                await response.WriteAsync($"item {context.Request.Query["i"]}");
                break;
            case "/upload":
                using (var body = new MemoryStream())
                {
                    await context.Request.Body.CopyToAsync(body);
                    await response.WriteAsync($"{body.Length}");
                }

                break;
            case "/events":
                response.ContentType = "text/event-stream";
                foreach (var text in new[] { "first", "second", "last" })
                {
                    await response.WriteAsync($"data: {text}\n\n");
                    await response.Body.FlushAsync();
                }

                break;
            case "/socket":
                using (var socket = await context.WebSockets.AcceptWebSocketAsync())
                    await EchoAsync(socket);
                break;
            case "/report":
                reported.TrySetResult((await JsonDocument.ParseAsync(context.Request.Body)).RootElement);
                break;
            default:
                response.StatusCode = 404;
                break;
        }
    }

    private static async Task EchoAsync(WebSocket socket)
    {
        var buffer = new byte[64 << 10];
        while (await socket.ReceiveAsync(buffer, CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } received)
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, CancellationToken.None);
        await socket.CloseAsync(socket.CloseStatus!.Value, socket.CloseStatusDescription, CancellationToken.None);
    }
}
