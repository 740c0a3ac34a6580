using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Dns.Forwarding;
using Weft.Proxy.Dns.Names;
using Weft.Proxy.Dns.Server;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Tests.Dns;

/// <summary>A small cluster and a responder for it.</summary>
internal static class Sample
{
    public static IEnumerable<KeyValuePair<UnitKey, object?>> Units() =>
    [
        Unit(UnitKind.Zone, "cluster.local", new ZoneUnit { Servers = ["10.96.0.10"], Reverse = ["10.96.0.0/16", "10.244.0.0/16", "fd00::/64"] }),
        Unit(UnitKind.Service, "default/kubernetes", new ServiceUnit { Addresses = ["10.96.0.1"], Ports = [new("https", "tcp", 443)] }),
        Unit(UnitKind.Service, "shop/web", new ServiceUnit { Addresses = ["10.96.1.2", "fd00::2"], Ports = [new("http", "tcp", 80), new("", "tcp", 81), new("dns", "udp", 53)] }),
        Unit(UnitKind.Service, "shop/db", new ServiceUnit { Headless = true, Ports = [new("sql", "tcp", 5432)] }),
        Unit(UnitKind.Endpoints, "shop/db-1", new EndpointsUnit
        {
            Service = "db", Ports = [new("sql", "tcp", 5432)],
            Endpoints =
            [
                new() { Addresses = ["10.244.0.7"], Hostname = "db-0", Ready = true },
                new() { Addresses = ["10.244.0.8"], Ready = true },
                new() { Addresses = ["10.244.0.9"], Hostname = "db-2", Ready = false },
            ],
        }),
        Unit(UnitKind.Service, "shop/empty", new ServiceUnit { Headless = true }),
        Unit(UnitKind.Service, "shop/same", new ServiceUnit { ExternalName = "web.shop.svc.cluster.local" }),
        Unit(UnitKind.Service, "shop/out", new ServiceUnit { ExternalName = "Example.COM." }),
        Unit(UnitKind.Service, "shop/circle", new ServiceUnit { ExternalName = "circle.shop.svc.cluster.local" }),
        Unit(UnitKind.Pod, "shop/web-abc", new PodUnit { Addresses = ["10.244.0.20", "fd00::20"] }),
        Unit(UnitKind.Pod, "shop/db-0", new PodUnit { Addresses = ["10.244.0.7"] }),
        Unit(UnitKind.Pod, "tools/host", new PodUnit { Addresses = ["192.168.1.1"], HostNetwork = true }),
    ];

    public static KeyValuePair<UnitKey, object?> Unit(UnitKind kind, string name, object? unit) => new(new(kind, name), unit);

    public static NameTable Table()
    {
        var builder = new NameTableBuilder("cluster.local");
        return builder.Apply(Units());
    }

    public static Responder Responder(NameTable table, ResolverFiles? files = null, Func<IPAddress, string?>? namespaceOf = null)
    {
        var upstreams = new Upstreams(files ?? new("/nonexistent", "/nonexistent"), [], TimeProvider.System, NullLogger.Instance);
        return new(() => table, upstreams, new Forwarder(upstreams, new AnswerCache(TimeProvider.System), TimeProvider.System), new DnsCounters(), namespaceOf);
    }

    public static Reply Answer(string name, ushort type, bool isTcp = false, NameTable? table = null)
    {
        var responder = Responder(table ?? Table());
        var to = new byte[DnsLimits.MaxMessage];
        var query = Ask.Query(name, type);
        var length = responder.Respond(query, to, isTcp, 0);
        Assert.True(length > 0, $"answered at once, not {length}");
        return Ask.Read(to.AsSpan(0, length));
    }

    public static async Task<Reply> AnswerLaterAsync(string name, ushort type)
    {
        var responder = Responder(Table());
        var to = new byte[DnsLimits.MaxMessage];
        var query = Ask.Query(name, type);
        Assert.Equal(Weft.Proxy.Dns.Server.Responder.Later, responder.Respond(query, to, isTcp: false, 0));
        return Ask.Read(to.AsSpan(0, await responder.RespondLaterAsync(query, to, isTcp: false)));
    }

    /// <summary>The same port of both: one that the kernel finds free for TCP may be taken for UDP, so several are tried.</summary>
    public static (Socket Udp, Socket Tcp) BindBoth()
    {
        for (var tries = 0; ; tries++)
        {
            var tcp = BindTcp();
            var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                udp.Bind(tcp.LocalEndPoint!);
                return (udp, tcp);
            }
            catch (SocketException) when (tries < 100)
            {
                udp.Dispose();
                tcp.Dispose();
            }
        }
    }

    public static Socket BindUdp()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    public static Socket BindTcp()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(16);
        return socket;
    }
}
