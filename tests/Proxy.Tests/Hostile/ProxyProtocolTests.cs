using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Downstream;
using Weft.Proxy.Tests.Support;
using Weft.Proxy.Tests.Tls;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>The PROXY protocol by configuration: written by one engine, read by another, claimed by nobody else.</summary>
public sealed class ProxyProtocolTests
{
    [Theory]
    [InlineData(ProxyProtocolVersion.V1, false)]
    [InlineData(ProxyProtocolVersion.V2, false)]
    [InlineData(ProxyProtocolVersion.V1, true)]
    [InlineData(ProxyProtocolVersion.V2, true)]
    public async Task A_balancer_in_front_tells_whose_connection_it_is(ProxyProtocolVersion version, bool tls)
    {
        using var authority = new TestAuthority();
        using var upstream = new RecordingUpstream();
        var config = HostileBed.Config(HostileBed.Cluster(upstream.Address), listener => listener with { ProxyProtocol = true, Tls = tls ? new ListenerTls { Certificates = ["site"] } : null });
        await using var inner = await HostileBed.StartAsync(config with { Certificates = [TlsBed.Certificate("site", authority.Issue())] });
        await using var outer = await HostileBed.StartAsync(new ProxyConfig
        {
            Listeners = [new ListenerConfig { Name = "main", Address = "127.0.0.1", Kind = ListenerKind.Tcp, DefaultCluster = "web" }],
            Clusters = [HostileBed.Cluster(inner.Address) with { ProxyProtocol = version }],
        });
        using var socket = outer.Connect(from: "127.0.0.77");
        await using var stream = new NetworkStream(socket);
        if (tls)
        {
            await using var secure = new System.Net.Security.SslStream(stream, leaveInnerStreamOpen: true, (_, _, _, _) => true);
            await secure.AuthenticateAsClientAsync("a.example");
            await secure.WriteAsync("GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 9.9.9.9\r\nConnection: close\r\n\r\n"u8.ToArray());
            using var reader = new StreamReader(secure, Encoding.ASCII);
            Assert.StartsWith("HTTP/1.1 200 ", await reader.ReadToEndAsync());
        }
        else
        {
            Assert.StartsWith("HTTP/1.1 200 ", EngineBed.Talk(socket, "GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 9.9.9.9\r\nConnection: close\r\n\r\n"));
        }

        Assert.Contains("x-forwarded-for: 127.0.0.77\r\n", Assert.Single(upstream.Requests), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_header_that_is_one_nothing_is_served()
    {
        using var upstream = new RecordingUpstream();
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address), listener => listener with { ProxyProtocol = true });
        const string Get = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
        foreach (var start in (string[])["", "PROXY TCP4 1.2.3.4\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n", "PROXY \r\n", "\r\n\r\n\0\r\nQUIT\n\u0031\u0011\0\0", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n"])
        {
            using var bad = bed.Connect();
            Assert.Contains(EngineBed.Talk(bad, start + Get), new[] { "", "(reset)" });
        }

        Assert.Equal(0, upstream.Bytes);
        foreach (var (header, client) in new[] { ("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n", "192.0.2.1"), ("PROXY TCP6 2001:db8::1 2001:db8::2 1000 80\r\n", "2001:db8::1"), ("PROXY UNKNOWN\r\n", "127.0.0.1"), ("PROXY UNKNOWN ffff:f... anything\r\n", "127.0.0.1") })
        {
            using var good = bed.Connect();
            Assert.StartsWith("HTTP/1.1 200 ", EngineBed.Talk(good, header + Get));
            Assert.Contains($"x-forwarded-for: {client}\r\n", upstream.Requests[^1], StringComparison.Ordinal);
        }

        // A second one is the client's, and no request.
        using var twice = bed.Connect();
        Assert.StartsWith("HTTP/1.1 400 ", EngineBed.Talk(twice, "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\nPROXY TCP4 9.9.9.9 192.0.2.2 1000 80\r\n" + Get));
        await bed.NothingLeftAsync();
    }

    [Fact]
    public void What_is_written_is_read_and_every_cut_of_it_waits()
    {
        var random = new Random(20260103);
        for (var i = 0; i < 500; i++)
        {
            var (source, destination) = (Address(random, i % 2 == 0), Address(random, i % 2 == 0));
            foreach (var header in new[] { ProxyHeader.Line(source, destination), ProxyHeader.Binary(source, destination) })
            {
                byte[] more = [.. header, .. "GET"u8];
                Assert.Equal(ProxyHeaderResult.Done, ProxyHeader.Read(more, out var from, out var to, out var consumed));
                Assert.Equal((source, destination, header.Length), (from, to, consumed));
                for (var cut = 0; cut < header.Length; cut++)
                    Assert.Equal(ProxyHeaderResult.Incomplete, ProxyHeader.Read(header.AsSpan(0, cut), out _, out _, out _));
            }
        }
    }

    private static IPEndPoint Address(Random random, bool four)
    {
        var bytes = new byte[four ? 4 : 16];
        random.NextBytes(bytes);
        return new(new IPAddress(bytes), random.Next(65536));
    }
}
