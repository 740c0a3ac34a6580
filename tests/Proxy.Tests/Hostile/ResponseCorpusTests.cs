using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Http2;
using Weft.Proxy.Tests.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>Endpoints that answer wrongly: their clients hear of a failure, and nobody else of anything.</summary>
public sealed class ResponseCorpusTests
{
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Nothing_malformed_comes_to_a_client_as_a_whole_answer(string version)
    {
        var corpus = MalformedResponses.All().ToArray();
        using var upstream = new ScriptedUpstream(line => Path(line) is var path && path.StartsWith("/bad-", StringComparison.Ordinal)
            ? Answer.Of(corpus[int.Parse(path[5..], CultureInfo.InvariantCulture)].Text, close: true)
            : Answer.Ok(path));
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address), action: forward => forward with { Retry = RetryPolicy.None });
        using var client = bed.Client(new Version(version));
        for (var i = 0; i < corpus.Length; i++)
        {
            var (kind, text) = corpus[i];
            Assert.True(await FailsAsync(client, $"/bad-{i}"), $"{kind}: {Shown(text)} was taken for an answer");
            // The next on whatever connection there is: its own answer.
            Assert.Equal($"/good-{i}", await client.GetStringAsync($"/good-{i}"));
        }

        Assert.True(corpus.Length >= 1100, $"{corpus.Length} answers");
        client.Dispose();
        await bed.NothingLeftAsync();
        // What was malformed closed its connection: one at most is kept for the good ones.
        await Eventually.TrueAsync(() => upstream.Open <= 1);
    }

    /// <summary>An answer and more than belongs to it, at once or later: the more is nobody's answer.</summary>
    [Theory]
    [InlineData("GET", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood", "good")]
    [InlineData("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n", "good")]
    [InlineData("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "")]
    [InlineData("GET", "HTTP/1.1 204 No Content\r\n\r\n", "")]
    [InlineData("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nmore", "")]
    [InlineData("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nmore", "")]
    [InlineData("GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmore\r\n0\r\n\r\n", "")]
    [InlineData("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmore", "")]
    [InlineData("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "")]
    [InlineData("GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood", "good")]
    [InlineData("GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 50\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood", "good")]
    public async Task What_comes_after_an_answer_belongs_to_nobody(string method, string text, string body)
    {
        const string Evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
        using var upstream = new ScriptedUpstream(line => Path(line) switch
        {
            "/at-once" => Answer.Of(text + Evil),
            "/later" => Answer.Of(text),
            var path => Answer.Ok(path),
        });
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address));
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            using var client = bed.Client(version);
            for (var i = 0; i < 5; i++)
            {
                foreach (var path in new[] { "/at-once", "/later" })
                {
                    using var request = new HttpRequestMessage(new HttpMethod(method), path) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
                    using var response = await client.SendAsync(request);
                    Assert.Equal(body, await response.Content.ReadAsStringAsync());
                    if (path == "/later")
                    {
                        await upstream.SayAsync(Evil);
                        // A connection that has spoken unasked is given up.
                        await Eventually.TrueAsync(() => upstream.Open == 0);
                    }

                    Assert.Equal($"/good-{i}", await client.GetStringAsync($"/good-{i}"));
                }
            }
        }
    }

    /// <summary>A client of HTTP/2 cannot see whether the endpoint has understood its WebSocket (RFC 8441 has no key): the engine looks, or anybody's 101 would open a tunnel.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")] // of another key
    public async Task A_WebSocket_that_was_not_understood_is_no_tunnel(string proof)
    {
        using var upstream = new ScriptedUpstream(_ => Answer.Of($"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{proof}\r\n"));
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address));
        using var handler = new SocketsHttpHandler();
        using var invoker = new HttpMessageInvoker(handler);
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        var refused = await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(new Uri($"ws://{bed.Address}/"), invoker, CancellationToken.None));
        Assert.Contains("'502'", refused.Message, StringComparison.Ordinal);
        handler.Dispose();
        await bed.NothingLeftAsync();
        await Eventually.TrueAsync(() => upstream.Open == 0);
    }

    /// <summary>The frames of an endpoint that breaks a rule of HTTP/2, as the answer to a POST whose body is still open.</summary>
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task No_broken_rule_of_HTTP2_makes_an_answer(string version)
    {
        using var upstream = new FrameUpstream();
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address, UpstreamProtocol.Http2), action: forward => forward with { Retry = RetryPolicy.None });
        using var client = bed.Client(new Version(version));
        foreach (var (rule, _, frames) in ClientRulesTests.Rules)
        {
            upstream.Frames = frames;
            Assert.True(await HalfFailsAsync(bed, client), $"{rule} was taken for an answer, or for none yet");
            upstream.CloseAll();
            upstream.Frames = null;
            Assert.Equal("good", await client.GetStringAsync("/good"));
            upstream.CloseAll();
        }

        client.Dispose();
        await bed.NothingLeftAsync();
    }

    // .NET's HTTP/1.1 does not look at an answer before its request is sent.
    private static async Task<bool> HalfFailsAsync(HostileBed bed, HttpClient client)
    {
        if (client.DefaultRequestVersion == HttpVersion.Version20)
            return await FailsAsync(client, new HttpRequestMessage(HttpMethod.Post, "/bad") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new HalfBody() });
        using var socket = bed.Connect();
        socket.Send("POST /bad HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"u8);
        var answer = EngineBed.ReadToEnd(socket);
        return answer.StartsWith("HTTP/1.1 502 ", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 503 ", StringComparison.Ordinal) || !IsWhole(answer);
    }

    private static bool IsWhole(string answer)
    {
        var head = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (head < 0)
            return false;
        return answer[..head].Contains("transfer-encoding: chunked", StringComparison.Ordinal) ? answer.Contains("\r\n0\r\n", StringComparison.Ordinal) : !answer.EndsWith("(reset)", StringComparison.Ordinal);
    }

    private static Task<bool> FailsAsync(HttpClient client, string path) =>
        FailsAsync(client, new HttpRequestMessage(HttpMethod.Get, path) { Version = client.DefaultRequestVersion, VersionPolicy = HttpVersionPolicy.RequestVersionExact });

    /// <summary>An answer of the proxy's own, or one that is cut where the client sees it.</summary>
    private static async Task<bool> FailsAsync(HttpClient client, HttpRequestMessage request)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            var body = await response.Content.ReadAsStringAsync(patience.Token);
            return (int)response.StatusCode is 502 or 503 && !body.Contains("evil", StringComparison.Ordinal);
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            return !patience.IsCancellationRequested; // it must not have waited for ever
        }
        finally
        {
            request.Dispose();
        }
    }

    private static string Path(string line) => line.Split(' ')[1];

    private static string Shown(string text) => Encoding.Latin1.GetByteCount(text) > 300 ? text[..300].ReplaceLineEndings("|") : text.Replace("\r", "\\r").Replace("\n", "\\n").Replace("\0", "\\0");

    /// <summary>A body that begins and does not end before the request is given up.</summary>
    private sealed class HalfBody : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync("half"u8.ToArray(), cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
