using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Dns.Forwarding;
using Weft.Proxy.Dns.Server;
using Weft.Proxy.Dns.Wire;
using Weft.Testing;

namespace Weft.Proxy.Tests.Dns;

/// <summary>The server on sockets of the loopback interface, and servers behind it that this test plays.</summary>
public sealed class DnsServerTests : IAsyncDisposable
{
    private readonly TempDir _dir = new();
    private readonly Socket _udp = Sample.BindUdp();
    private readonly Socket _tcp = Sample.BindTcp();
    private readonly DnsServer _server;

    public DnsServerTests()
    {
        File.WriteAllText(_dir.File("resolv.conf"), "");
        _server = new DnsServer(_udp, _tcp, "cluster.local", new(_dir.File("resolv.conf"), _dir.File("none")), TimeProvider.System, NullLoggerFactory.Instance);
        _server.Apply(Sample.Units());
        _server.Start();
    }

    [Fact]
    public async Task Answers_over_udp()
    {
        using var client = new UdpClient();
        await client.SendAsync(Ask.Query("web.shop.svc.cluster.local", RecordType.A), (IPEndPoint)_udp.LocalEndPoint!);
        var reply = await Eventually.EndsAsync(client.ReceiveAsync());
        Assert.Equal(["web.shop.svc.cluster.local 5 10.96.1.2"], Ask.Read(reply.Buffer).Answers);
    }

    [Fact]
    public async Task Answers_several_questions_of_one_connection()
    {
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)_tcp.LocalEndPoint!);
        var stream = client.GetStream();
        for (ushort id = 0; id < 100; id++)
            await stream.WriteAsync(Framed(Ask.Query("web.shop.svc.cluster.local", RecordType.A, id)));
        var ids = new HashSet<int>();
        for (var i = 0; i < 100; i++)
            ids.Add(Ask.Read(await Eventually.EndsAsync(ReadFramedAsync(stream))).Id);
        Assert.Equal(100, ids.Count);
    }

    [Fact]
    public async Task A_connection_that_sends_no_query_gets_no_answer_and_harms_nobody()
    {
        using var odd = new TcpClient();
        await odd.ConnectAsync((IPEndPoint)_tcp.LocalEndPoint!);
        await odd.GetStream().WriteAsync(new byte[] { 0, 3, 1, 2, 3, 0, 0 });
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)_tcp.LocalEndPoint!);
        await client.GetStream().WriteAsync(Framed(Ask.Query("cluster.local", RecordType.SOA)));
        Assert.Single(Ask.Read(await Eventually.EndsAsync(ReadFramedAsync(client.GetStream()))).Answers);
    }

    [Fact]
    public async Task Without_other_servers_other_names_fail_at_once()
    {
        using var client = new UdpClient();
        await client.SendAsync(Ask.Query("example.com", RecordType.A), (IPEndPoint)_udp.LocalEndPoint!);
        Assert.Equal(Rcode.ServFail, Ask.Read((await Eventually.EndsAsync(client.ReceiveAsync())).Buffer).Rcode);
    }

    private static byte[] Framed(byte[] message)
    {
        var framed = new byte[2 + message.Length];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)message.Length);
        message.CopyTo(framed, 2);
        return framed;
    }

    private static async Task<byte[]> ReadFramedAsync(Stream stream)
    {
        var header = new byte[2];
        await stream.ReadExactlyAsync(header);
        var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(header)];
        await stream.ReadExactlyAsync(message);
        return message;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync(); // first: its threads hold the sockets
        _udp.Dispose();
        _tcp.Dispose();
        _dir.Dispose();
    }
}
