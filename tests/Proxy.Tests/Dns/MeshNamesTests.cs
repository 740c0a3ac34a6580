using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Dns.Forwarding;
using Weft.Proxy.Dns.Names;
using Weft.Proxy.Dns.Server;
using Weft.Proxy.Dns.Wire;
using Weft.Testing;

namespace Weft.Proxy.Tests.Dns;

/// <summary>Names of service entries' hosts: for clients in the mesh, and for nobody else.</summary>
public sealed class MeshNamesTests
{
    private static readonly byte[] Meshed = [10, 244, 0, 7], Stranger = [10, 244, 0, 8];

    [Fact]
    public void A_captured_client_is_told_the_addresses_and_that_there_are_no_others()
    {
        var table = Table("db.example", new HostAnswer { Addresses = ["240.240.7.8"], Allocated = true });
        Assert.Equal(["db.example 5 240.240.7.8"], Answer(table, "DB.example", RecordType.A, Meshed)!.Answers);
        foreach (var type in new[] { RecordType.AAAA, RecordType.HTTPS })
        {
            var none = Answer(table, "db.example", type, Meshed)!;
            Assert.Equal(Rcode.NoError, none.Rcode);
            Assert.Empty(none.Answers);
        }

        // Mail and texts of the name are no business of the mesh.
        Assert.Null(Answer(table, "db.example", RecordType.TXT, Meshed));
        Assert.Null(Answer(table, "db.example", 15, Meshed));
    }

    [Fact]
    public void Who_is_not_captured_is_answered_by_the_machines_resolvers()
    {
        var table = Table("db.example", new HostAnswer { Addresses = ["240.240.7.8"], Allocated = true });
        Assert.Null(Answer(table, "db.example", RecordType.A, Stranger));
        Assert.Null(Answer(table, "db.example", RecordType.A, []));
        Assert.Null(Answer(table, "other.example", RecordType.A, Meshed));
    }

    [Fact]
    public void Who_may_not_see_the_host_is_not_told_and_a_name_goes_with_its_host()
    {
        Assert.Null(Answer(Table("db.example", new HostAnswer { Addresses = ["240.240.7.8"], Namespaces = ["tools"] }), "db.example", RecordType.A, Meshed));
        Assert.NotNull(Answer(Table("db.example", new HostAnswer { Addresses = ["240.240.7.8"], Namespaces = ["shop", "tools"] }), "db.example", RecordType.A, Meshed));
        Assert.Null(Answer(Table("db.example", null), "db.example", RecordType.A, Meshed));
    }

    [Fact]
    public void Names_of_the_clusters_zones_stay_the_clusters()
    {
        var table = Table("web.shop.svc.cluster.local", new HostAnswer { Addresses = ["240.240.7.8"] });
        Assert.Equal(["web.shop.svc.cluster.local 5 10.96.1.2"], Answer(table, "web.shop.svc.cluster.local", RecordType.A, Meshed)!.Answers);
    }

    [Fact]
    public async Task The_client_is_known_over_udp_and_tcp()
    {
        using var dir = new TempDir();
        await File.WriteAllTextAsync(dir.File("resolv.conf"), "", TestContext.Current.CancellationToken);
        var (udp, tcp) = Sample.BindBoth();
        using var datagrams = udp;
        using var streams = tcp;
        await using var server = new DnsServer(
            udp, tcp, "cluster.local", new(dir.File("resolv.conf"), dir.File("none")), TimeProvider.System, NullLoggerFactory.Instance, address => address.Equals(IPAddress.Parse("127.0.0.3")) ? "shop" : null);
        server.Apply([Sample.Unit(UnitKind.Destination, "db.example", new DestinationUnit { Answer = new() { Addresses = ["240.240.7.8"] } })]);
        server.Start();
        var query = Ask.Query("db.example", RecordType.A);

        foreach (var (from, rcode) in new[] { ("127.0.0.3", Rcode.NoError), ("127.0.0.4", Rcode.ServFail) })
        {
            using var client = new UdpClient(new IPEndPoint(IPAddress.Parse(from), 0));
            await client.SendAsync(query, (IPEndPoint)udp.LocalEndPoint!, TestContext.Current.CancellationToken);
            Assert.Equal(rcode, Ask.Read((await Eventually.EndsAsync(client.ReceiveAsync())).Buffer).Rcode);

            using var stream = new TcpClient(new IPEndPoint(IPAddress.Parse(from), 0));
            await stream.ConnectAsync((IPEndPoint)tcp.LocalEndPoint!, TestContext.Current.CancellationToken);
            await stream.GetStream().WriteAsync((byte[])[0, (byte)query.Length, .. query], TestContext.Current.CancellationToken);
            var length = new byte[2];
            await stream.GetStream().ReadExactlyAsync(length, TestContext.Current.CancellationToken);
            var answer = new byte[(length[0] << 8) + length[1]];
            await stream.GetStream().ReadExactlyAsync(answer, TestContext.Current.CancellationToken);
            Assert.Equal(rcode, Ask.Read(answer).Rcode);
        }
    }

    private static NameTable Table(string host, HostAnswer? answer)
    {
        var builder = new NameTableBuilder("cluster.local");
        builder.Apply(Sample.Units());
        builder.Apply([Sample.Unit(UnitKind.Destination, host, new DestinationUnit { Answer = new() { Addresses = ["192.0.2.1"] } })]);
        return builder.Apply([Sample.Unit(UnitKind.Destination, host, answer is null ? null : new DestinationUnit { Answer = answer })]);
    }

    /// <returns>Null: others are asked.</returns>
    private static Reply? Answer(NameTable table, string name, ushort type, byte[] client)
    {
        var to = new byte[DnsLimits.MaxMessage];
        var length = Sample.Responder(table, namespaceOf: address => address.Equals(new IPAddress(Meshed)) ? "shop" : null).Respond(Ask.Query(name, type), to, isTcp: false, 0, client);
        return length == Responder.Later ? null : Ask.Read(to.AsSpan(0, length));
    }
}
