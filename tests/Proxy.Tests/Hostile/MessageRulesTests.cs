using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>Rules of RFC 9110 and 9112 for whoever stands between two others, which a peer can put to the test and the codecs' own tests do not.</summary>
public sealed class MessageRulesTests
{
    /// <summary>RFC 9110 section 7.6.1, for answers.</summary>
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task What_an_endpoint_says_to_this_hop_is_not_passed_on(string version)
    {
        using var upstream = new ScriptedUpstream(_ => Answer.Of(
            "HTTP/1.1 200 OK\r\nConnection: Hop-Only, keep-alive\r\nHop-Only: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: gzip\r\nUpgrade: h2c\r\nX-Kept: 2\r\nContent-Length: 4\r\n\r\ngood"));
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address));
        using var client = bed.Client(new Version(version));
        using var response = await client.GetAsync("/");
        Assert.Equal("good", await response.Content.ReadAsStringAsync());
        Assert.Equal(["X-Kept"], response.Headers.Select(header => header.Key), StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>A client that asks and asks and reads nothing is left when keep-alive is over: once it was looked after twenty times a second for ever.</summary>
    [Fact]
    public async Task Who_reads_no_answer_is_left_in_the_end()
    {
        using var upstream = new RecordingUpstream();
        await using var bed = await HostileBed.StartAsync(
            HostileBed.Cluster(upstream.Address), listener => listener with { Http = listener.Http with { KeepAliveTimeout = TimeSpan.FromMilliseconds(500) } });
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(bed.Address);
        var requests = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("GET /direct HTTP/1.1\r\nHost: h\r\n\r\n", 40_000)));
        await socket.SendAsync(requests);
        await Eventually.TrueAsync(() => bed.Gauge("weft_proxy_connections") == 1);
        await bed.NothingLeftAsync();
    }

    /// <summary>A field that only the authorizer may say, on a request that it is not asked about.</summary>
    [Fact]
    public async Task What_only_the_authorizer_may_say_is_taken_from_every_client()
    {
        using var upstream = new RecordingUpstream();
        var cluster = HostileBed.Cluster(upstream.Address);
        await using var bed = await HostileBed.StartAsync(cluster, listener => listener with
        {
            Filters = [new ExternalAuthorizationFilter { Name = "door", Cluster = cluster.Name, UpstreamHeaders = ["x-user"], When = [new AuthorizationRule { To = [new AuthorizationOperation { Paths = ["/api/*"] }] }] }],
        });
        using var socket = bed.Connect();
        EngineBed.Ask(socket, "GET /other HTTP/1.1\r\nHost: h\r\nX-User: admin\r\nX-Kept: 1\r\n\r\n");
        var seen = Assert.Single(upstream.Requests);
        Assert.Contains("x-kept: 1", seen, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("x-user", seen, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>RFC 9112 section 9.6: nothing after a request that says "close" is a request.</summary>
    [Fact]
    public async Task After_close_nothing_is_served()
    {
        using var upstream = new RecordingUpstream();
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address));
        using var socket = bed.Connect();
        var answer = EngineBed.Talk(socket, "GET /1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.EndsWith("GET /1 HTTP/1.1", answer);
        Assert.Contains("connection: close\r\n", answer, StringComparison.Ordinal);
        Assert.Single(upstream.Requests);
    }

    /// <summary>RFC 9110 section 15.2: a client of HTTP/1.0 knows no informational heads, RFC 9112 section 6.1: and no chunks.</summary>
    [Fact]
    public async Task A_client_of_HTTP10_gets_nothing_that_it_does_not_know()
    {
        using var upstream = new ScriptedUpstream(_ => Answer.Of("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\nX: y\r\n\r\n"));
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address));
        using var socket = bed.Connect();
        var answer = EngineBed.Talk(socket, "GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", answer);
        Assert.DoesNotContain("transfer-encoding", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\ngood", answer);
    }

    /// <summary>RFC 9110 section 9.3.6: what a 2xx to CONNECT says of a length means nothing, RFC 9112 section 6.3: whatever follows it is the tunnel.</summary>
    [Theory]
    [InlineData("Content-Length: 5\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n")]
    [InlineData("")]
    public async Task A_tunnel_has_no_length(string field)
    {
        using var upstream = new ScriptedUpstream(line => line.StartsWith("CONNECT ", StringComparison.Ordinal) ? Answer.Of($"HTTP/1.1 200 OK\r\n{field}\r\n") : Answer.Of($"heard {line}\r\n\r\n", close: line == "bye"));
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address), listener => listener with { Http = listener.Http with { AllowConnect = true } });
        using var socket = bed.Connect();
        socket.Send("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"u8);
        var head = Read(socket, "\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", head);
        Assert.DoesNotContain("content-length", head, StringComparison.Ordinal);
        Assert.DoesNotContain("transfer-encoding", head, StringComparison.Ordinal);
        foreach (var word in new[] { "one", "GET / HTTP/1.1", "bye" })
        {
            socket.Send(Encoding.ASCII.GetBytes($"{word}\r\n\r\n"));
            Assert.Equal($"heard {word}\r\n\r\n", Read(socket, "\r\n\r\n"));
        }
    }

    [Fact]
    public async Task CONNECT_is_refused_where_it_is_not_allowed_and_what_follows_is_no_request()
    {
        using var upstream = new RecordingUpstream();
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address));
        using var socket = bed.Connect();
        socket.Send("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"u8);
        Assert.StartsWith("HTTP/1.1 405 ", Read(socket, "method not allowed\n"));
        Assert.Equal(0, upstream.Bytes);
    }

    /// <summary>RFC 9110 section 6.5.1: trailers that would change what was decided already are dropped, the others arrive.</summary>
    [Fact]
    public async Task Trailers_of_an_answer_arrive_but_for_those_that_would_mislead()
    {
        using var upstream = new ScriptedUpstream(_ => Answer.Of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\nConnection: close\r\nUpgrade: x\r\n\r\n"));
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address));
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            using var client = bed.Client(version);
            using var response = await client.GetAsync("/");
            Assert.Equal("good", await response.Content.ReadAsStringAsync());
            Assert.Equal(["X-Sum"], response.TrailingHeaders.Select(header => header.Key), StringComparer.OrdinalIgnoreCase);
        }
    }

    /// <summary>RFC 9112 section 2.2 and 6.3: a request that breaks off before its end is none, whatever was announced.</summary>
    [Theory]
    [InlineData("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf")]
    [InlineData("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")]
    public async Task A_request_that_breaks_off_does_not_arrive(string text)
    {
        using var upstream = new RecordingUpstream();
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address));
        using (var socket = bed.Connect())
        {
            socket.Send(Encoding.Latin1.GetBytes(text));
            socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            Assert.DoesNotContain("HTTP/1.1 200", EngineBed.ReadToEnd(socket), StringComparison.Ordinal);
        }

        using var client = bed.Client(HttpVersion.Version11);
        Assert.Equal("GET /good HTTP/1.1", await client.GetStringAsync("/good"));
        Assert.StartsWith("GET /good ", Assert.Single(upstream.Requests));
    }

    private static string Read(System.Net.Sockets.Socket socket, string end)
    {
        var all = "";
        var buffer = new byte[4096];
        while (!all.EndsWith(end, StringComparison.Ordinal))
        {
            var got = socket.Receive(buffer);
            Assert.NotEqual(0, got);
            all += Encoding.Latin1.GetString(buffer, 0, got);
        }

        return all;
    }
}
