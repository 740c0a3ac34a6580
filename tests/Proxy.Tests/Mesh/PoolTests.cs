using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>What a DestinationRule's connectionPool says of captured connections, by bytes.</summary>
public sealed class PoolTests : IAsyncLifetime
{
    private const string Name = "db.shop.svc.cluster.local", Client = "127.1.0.1", Address = "127.2.0.1";
    private readonly MeshBed _bed = new();
    private readonly TcpListener _server = new(IPAddress.Parse("127.1.0.21"), 0);

    public ValueTask InitializeAsync()
    {
        _server.Start();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _bed.DisposeAsync();
        _server.Dispose();
    }

    private void Serve(PortProtocol protocol, Func<ClusterConfig, ClusterConfig> more)
    {
        var server = (IPEndPoint)_server.LocalEndpoint;
        _bed.Apply([
            MeshBed.Workload("client", Client), MeshBed.Workload("db", server.Address.ToString()),
            .. MeshBed.Host(Name, Address, 5432, protocol, new EndpointConfig { Address = server.Address.ToString(), Port = server.Port }),
            UnitCodec.Cluster(new ClusterUnit { Cluster = more(new ClusterConfig { Name = $"{Name}:5432" }), Host = Name, Port = 5432 }),
        ]);
    }

    [Fact]
    public async Task A_connection_of_bytes_is_cut_at_its_greatest_age()
    {
        Serve(PortProtocol.Tcp, cluster => cluster with { Limits = cluster.Limits with { MaxConnectionAge = TimeSpan.FromMilliseconds(300) } });
        using var client = _bed.Dial(Client, Address, 5432);
        client.Send("query"u8);
        using var server = await _server.AcceptTcpClientAsync();
        await server.GetStream().ReadExactlyAsync(new byte[5]);
        await server.GetStream().WriteAsync("answer"u8.ToArray());
        Assert.Equal("answer", await ReadAsync(client, 6));
        MeshBed.AssertClosed(client);
    }

    [Fact]
    public async Task Bytes_of_a_connection_that_is_open_are_counted()
    {
        Serve(PortProtocol.Tcp, cluster => cluster);
        using var client = _bed.Dial(Client, Address, 5432);
        client.Send("query"u8);
        using var server = await _server.AcceptTcpClientAsync();
        await server.GetStream().ReadExactlyAsync(new byte[5]);
        await server.GetStream().WriteAsync("answers"u8.ToArray());
        Assert.Equal("answers", await ReadAsync(client, 7));

        var text = new StringWriter();
        _bed.Proxy.WriteMetrics(text);
        Assert.Equal("7", Value("istio_tcp_sent_bytes_total"));
        Assert.Equal("5", Value("istio_tcp_received_bytes_total"));
        Assert.Equal("0", Value("istio_tcp_connections_closed_total"));
        Assert.Equal(0, _bed.Access.Length); // one line, at the end

        string Value(string metric)
        {
            var line = Assert.Single(text.ToString().Split('\n'), line => line.StartsWith(metric + "{", StringComparison.Ordinal) && line.Contains("reporter=\"source\"", StringComparison.Ordinal));
            Assert.Contains("source_canonical_service=\"client\",source_canonical_revision=\"latest\"", line, StringComparison.Ordinal);
            Assert.Contains("destination_canonical_service=\"db\",destination_canonical_revision=\"latest\"", line, StringComparison.Ordinal);
            return line.Split(' ')[^1];
        }
    }

    [Theory]
    [InlineData(UpstreamProtocol.Client, false, "GET / HTTP/1.1")]
    [InlineData(UpstreamProtocol.Client, true, "PRI * HTTP/2.0")]
    [InlineData(UpstreamProtocol.Auto, true, "GET / HTTP/1.1")]
    public async Task An_endpoint_is_spoken_to_as_the_client_speaks(UpstreamProtocol protocol, bool http2, string expected)
    {
        Serve(PortProtocol.Http, cluster => cluster with { Protocol = protocol });
        using var client = _bed.Dial(Client, Address, 5432);
        // The preface, no settings, and a GET of / on stream 1 (RFC 7541: 2, 4, 6 and a literal of 1).
        client.Send(http2 ? [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 1, 5, 0, 0, 0, 1, 0x82, 0x84, 0x86, 0x41, 3, .. "any"u8] : "GET / HTTP/1.1\r\nHost: any\r\n\r\n"u8.ToArray());
        using var server = await _server.AcceptTcpClientAsync();
        var first = new byte[14];
        await server.GetStream().ReadExactlyAsync(first);
        Assert.Equal(expected, Encoding.ASCII.GetString(first));
    }

    private static async Task<string> ReadAsync(Socket socket, int bytes)
    {
        var buffer = new byte[bytes];
        for (var got = 0; got < bytes;)
            got += await socket.ReceiveAsync(buffer.AsMemory(got)) is > 0 and var more ? more : throw new IOException("closed");
        return Encoding.ASCII.GetString(buffer);
    }
}
