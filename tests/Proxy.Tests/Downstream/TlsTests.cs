using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Weft.Proxy.Downstream;
using Weft.Proxy.Tests.Support;
using Weft.Proxy.Tests.Tls;
using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Tls.Settings;
using Weft.Proxy.Upstream;

namespace Weft.Proxy.Tests.Downstream;

public sealed class TlsTests
{
    [Theory]
    [InlineData("1.1", true)]
    [InlineData("2.0", true)]
    [InlineData("2.0", false)]
    public async Task TLS_is_ended_here_and_begun_anew_and_ALPN_chooses_on_both_sides(string version, bool innerHasHttp2)
    {
        using var authority = new TestAuthority();
        using var upstream = new RecordingUpstream();
        using var server = Server(authority, "h2", "http/1.1");
        using var innerServer = innerHasHttp2 ? Server(authority, "h2", "http/1.1") : Server(authority, "http/1.1");
        using var client = Client(authority);
        using var inner = new EngineBed(upstream.Address, settings => settings with { Tls = innerServer.Accept });
        using var outer = new EngineBed(
            inner.Address, settings => settings with { Tls = server.Accept },
            new PoolOptions { Protocol = PoolProtocol.Alpn, Tls = buffers => client.Connect(buffers, "a.example") });
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(outer.Address, stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
            SslOptions = new() { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        };
        using var http = new HttpClient(handler) { DefaultRequestVersion = Version.Parse(version), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact, Timeout = TimeSpan.FromSeconds(20) };
        // A body above the watermark, sent while the inner handshake is still going on.
        var body = new string('b', 300_000);
        for (var round = 0; round < 2; round++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => http.PostAsync($"https://a.example/{i}", new StringContent(body))));
            for (var i = 0; i < answers.Length; i++)
                Assert.Equal($"POST /{i} HTTP/1.1", await answers[i].Content.ReadAsStringAsync());
        }

        Assert.Equal(20, upstream.Requests.Count);
        Assert.All(upstream.Requests, request => Assert.EndsWith(body, request));
        outer.OnLoop(() => Assert.Equal(0, outer.Pool.Waiting));
    }

    [Fact]
    public void A_PROXY_header_comes_before_the_hello()
    {
        using var authority = new TestAuthority();
        using var upstream = new RecordingUpstream();
        using var server = Server(authority, "http/1.1");
        Client? seen = null;
        using var bed = new EngineBed(upstream.Address, settings => settings with { Tls = server.Accept, ProxyProtocol = true }, client: of => seen = of);
        using var socket = bed.Connect();
        var source = IPEndPoint.Parse("192.0.2.7:1234");
        socket.Send(ProxyHeader.Binary(source, source));
        using var tls = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        tls.AuthenticateAsClient("a.example");
        tls.Write("GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"u8);
        using var reader = new StreamReader(tls, Encoding.ASCII);
        Assert.EndsWith("GET /x HTTP/1.1", reader.ReadToEnd());
        Assert.Equal((source, "a.example"), (seen!.Peer, seen.Tls!.ServerName));
    }

    [Fact]
    public void An_endpoint_whose_certificate_is_not_trusted_is_unavailable()
    {
        using var authority = new TestAuthority();
        using var other = new TestAuthority("Another");
        using var upstream = new RecordingUpstream();
        using var server = Server(authority, "h2", "http/1.1");
        using var client = Client(other);
        using var inner = new EngineBed(upstream.Address, settings => settings with { Tls = server.Accept });
        foreach (var protocol in new[] { PoolProtocol.Alpn, PoolProtocol.Http1, PoolProtocol.Http2 })
        {
            using var outer = new EngineBed(inner.Address, pool: new PoolOptions { Protocol = protocol, Tls = buffers => client.Connect(buffers, "a.example") });
            Assert.StartsWith("HTTP/1.1 503 ", outer.Talk("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
        }

        Assert.Empty(upstream.Requests);
    }

    [Fact]
    public void A_client_without_TLS_is_sent_away_and_one_that_says_nothing_is_not_waited_for()
    {
        using var authority = new TestAuthority();
        using var upstream = new RecordingUpstream();
        using var server = Server(authority, "http/1.1");
        using var bed = new EngineBed(upstream.Address, settings => settings with { Tls = server.Accept, HandshakeMilliseconds = 300 });
        Assert.DoesNotContain("HTTP/1.1", bed.Talk("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        using var silent = bed.Connect();
        Assert.Contains(EngineBed.ReadToEnd(silent), new[] { "", "(reset)" });
        Assert.Equal(0, upstream.Bytes);
    }

    private static TlsServerContext Server(TestAuthority authority, params string[] protocols)
    {
        var settings = new TlsServerSettings { Hosts = [new TlsHost { Certificates = [authority.Issue()] }], Protocols = [.. protocols] };
        Assert.True(TlsServerContext.TryCreate(settings, new TicketKeyRing(TicketKeys.New()), TimeProvider.System, out var context, out var error), error);
        return context;
    }

    private static TlsClientContext Client(TestAuthority authority)
    {
        var settings = new TlsClientSettings { AuthoritiesPem = authority.Pem, Protocols = ["h2", "http/1.1"] };
        Assert.True(TlsClientContext.TryCreate(settings, TimeProvider.System, out var context, out var error), error);
        return context;
    }
}
