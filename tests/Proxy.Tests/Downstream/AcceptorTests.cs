using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Downstream;
using Weft.Proxy.Tests.Support;
using Weft.Proxy.Upstream;

namespace Weft.Proxy.Tests.Downstream;

public sealed class AcceptorTests
{
    [Fact]
    public async Task One_port_speaks_both_versions_and_translates_to_both()
    {
        using var upstream = new RecordingUpstream();
        using var inner = new EngineBed(upstream.Address);
        using var outer = new EngineBed(inner.Address, pool: new PoolOptions { Protocol = PoolProtocol.Http2 });
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            using var client = new HttpClient { DefaultRequestVersion = version, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
            var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => client.PostAsync($"http://{outer.Address}/{i}", new StringContent(new string('a', 1000)))));
            Assert.All(answers, answer => Assert.Equal(version, answer.Version));
            for (var i = 0; i < answers.Length; i++)
                Assert.Equal($"POST /{i} HTTP/1.1", await answers[i].Content.ReadAsStringAsync());
        }

        Assert.Equal(1, outer.Pool.Connections); // shared by all
        Assert.Equal(80, upstream.Requests.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_PROXY_header_says_whose_connection_it_is(bool binary)
    {
        using var upstream = new RecordingUpstream();
        Client? seen = null;
        using var bed = new EngineBed(upstream.Address, settings => settings with { ProxyProtocol = true }, client: of => seen = of);
        var (source, destination) = (IPEndPoint.Parse("192.0.2.7:1234"), IPEndPoint.Parse("198.51.100.1:80"));
        var header = binary ? ProxyHeader.Binary(source, destination) : ProxyHeader.Line(source, destination);
        var bytes = (byte[])[.. header, .. "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"u8];
        for (var cut = 1; cut <= header.Length + 5; cut++)
        {
            using var socket = bed.Connect();
            socket.Send(bytes.AsSpan(0, cut));
            bed.OnLoop(() => { });
            socket.Send(bytes.AsSpan(cut));
            Assert.EndsWith("GET /x HTTP/1.1", EngineBed.ReadToEnd(socket));
            Assert.Equal((source, destination), (seen!.Peer, seen.Destination));
        }

        Assert.All(upstream.Requests, request => Assert.Contains("x-forwarded-for: 192.0.2.7\r\n", request));
        // Without it nothing is served.
        Assert.Equal("", bed.Talk("GET /x HTTP/1.1\r\nHost: h\r\n\r\n"));
        Assert.Equal(header.Length + 5, upstream.Requests.Count);
    }

    [Fact]
    public void More_connections_than_may_be_are_closed()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address, settings => settings with { MaxConnections = 2 });
        using var one = bed.Connect();
        using var two = bed.Connect();
        EngineBed.Ask(one, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        EngineBed.Ask(two, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        using var three = bed.Connect();
        Assert.Contains(EngineBed.ReadToEnd(three), new[] { "", "(reset)" });
        Assert.Equal(1, bed.Acceptor.Rejected);
    }

    [Fact]
    public void Draining_tells_each_client_with_its_next_response()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address);
        using var told = bed.Connect();
        using var idle = bed.Connect();
        EngineBed.Ask(told, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
        EngineBed.Ask(idle, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
        bed.OnLoop(() => bed.Acceptor.Drain(20_000, hurry: true));
        Assert.Contains("connection: close\r\n", EngineBed.Talk(told, "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"));
        Assert.Equal("", EngineBed.ReadToEnd(idle)); // long before the deadline, which is what this reading waits for
        // Both were closed from this side first, and wait for the clients' own close.
        told.Dispose();
        idle.Dispose();
        Assert.True(SpinWait.SpinUntil(() => bed.Acceptor.Connections == 0, 20_000));
    }

    [Theory]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n")]
    [InlineData("PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n")]
    [InlineData("PROXY TCP4 0x1.2.3.4 5.6.7.8 1 2\r\n")]
    [InlineData("PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n")]
    [InlineData("PROXY TCP6 [::1] ::2 1 2\r\n")]
    [InlineData("PROXY TCP6 ::1 [::2]:80 1 2\r\n")]
    [InlineData("PROXY TCP6 fe80::1%1 ::2 1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n")]
    [InlineData("PROXY TCP4\r\n")]
    [InlineData("PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n")]
    [InlineData("proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n")]
    [InlineData("GET / HTTP/1.1\r\n")]
    public void A_header_that_is_none_is_refused(string text) =>
        Assert.Equal(ProxyHeaderResult.Failed, ProxyHeader.Read(Encoding.ASCII.GetBytes(text), out _, out _, out _));

    [Fact]
    public void A_header_without_an_end_is_refused()
    {
        Assert.Equal(ProxyHeaderResult.Failed, ProxyHeader.Read(Encoding.ASCII.GetBytes("PROXY TCP4 " + new string('1', 200)), out _, out _, out _));
        byte[] huge = [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0xFF, 0xFF];
        Assert.Equal(ProxyHeaderResult.Failed, ProxyHeader.Read(huge, out _, out _, out _));
        byte[] version = [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x31, 0x11, 0, 12, .. new byte[12]];
        Assert.Equal(ProxyHeaderResult.Failed, ProxyHeader.Read(version, out _, out _, out _));
        byte[] local = [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x20, 0, 0, 0, 1];
        Assert.Equal(ProxyHeaderResult.Done, ProxyHeader.Read(local, out var source, out _, out var consumed));
        Assert.Equal((null, 16), (source, consumed));
    }
}
