using System.Net;
using System.Runtime.InteropServices;

namespace Weft.Node.Network.Netlink;

/// <summary>The few requests of rtnetlink(7) that a pod's link takes, as the kernel's headers name and number them.</summary>
internal static class Links
{
    private const ushort NewLink = 16, DeleteLink = 17, GetLink = 18, NewAddress = 20, NewRoute = 24, DeleteRoute = 25;
    private const ushort OnlyNew = 0x200 | 0x400;   // NLM_F_EXCL, NLM_F_CREATE
    private const ushort Name = 3, Mtu = 4, QueueLength = 13, LinkInfo = 18, NamespaceFd = 28;
    private const byte Inet = 2;

    [StructLayout(LayoutKind.Sequential)]
    private record struct LinkPart(byte Family, byte Pad, ushort Type, int Index, uint Flags, uint Change);

    [StructLayout(LayoutKind.Sequential)]
    private record struct AddressPart(byte Family, byte Prefix, byte Flags, byte Scope, int Index);

    [StructLayout(LayoutKind.Sequential)]
    private record struct RoutePart(byte Family, byte Prefix, byte SourcePrefix, byte Tos, byte Table, byte Protocol, byte Scope, byte Type, uint Flags);

    /// <summary>Both ends at once, the peer born in its namespace: moving a link there later costs the kernel 10 ms.</summary>
    public static void AddVeth(this NetlinkSocket socket, string name, string peer, int peerNamespace, int mtu)
    {
        const ushort Kind = 1, Data = 2, Peer = 1;
        socket.Ask(
            new NetlinkMessage(NewLink, OnlyNew, Bytes(default(LinkPart)))
                .With(Name, name).With(Mtu, mtu).With(QueueLength, 0)
                .Nest(LinkInfo, [], info => info.With(Kind, "veth").Nest(Data, [], data => data.Nest(Peer, Bytes(default(LinkPart)), end =>
                    end.With(Name, peer).With(Mtu, mtu).With(QueueLength, 0).With(NamespaceFd, peerNamespace)))),
            $"make the link {name}");
    }

    /// <returns>False when there is none of that name.</returns>
    public static bool RemoveLink(this NetlinkSocket socket, string name)
    {
        var what = $"remove the link {name}";
        var errno = socket.TryAsk(new NetlinkMessage(DeleteLink, 0, Bytes(default(LinkPart))).With(Name, name), what);
        return errno is 0 or Interop.Libc.Enodev ? errno == 0 : throw Interop.Libc.Failure(what, errno);
    }

    public static int IndexOf(this NetlinkSocket socket, string name) =>
        MemoryMarshal.Read<LinkPart>(socket.Ask(new NetlinkMessage(GetLink, 0, Bytes(default(LinkPart))).With(Name, name), $"find the link {name}")).Index;

    public static void SetUp(this NetlinkSocket socket, int link)
    {
        const uint Up = 1;
        socket.Ask(new NetlinkMessage(NewLink, 0, Bytes(new LinkPart { Index = link, Flags = Up, Change = Up })), "set the link up");
    }

    public static void AddAddress(this NetlinkSocket socket, int link, IPAddress address, int prefix, IPAddress? broadcast)
    {
        const ushort Address = 1, Local = 2, Broadcast = 4;
        var message = new NetlinkMessage(NewAddress, OnlyNew, Bytes(new AddressPart { Family = Inet, Prefix = (byte)prefix, Index = link })).With(Local, address).With(Address, address);
        socket.Ask(broadcast is null ? message : message.With(Broadcast, broadcast), $"give the link the address {address}/{prefix}");
    }

    public static void AddRoute(this NetlinkSocket socket, int link, IPNetwork to, RouteScope scope, IPAddress? gateway = null, IPAddress? source = null) =>
        socket.Ask(Route(NewRoute, OnlyNew, link, to, scope, gateway, source), $"make the route to {to}");

    /// <summary>Takes away the route that the kernel made by itself with an address.</summary>
    public static void RemoveRoute(this NetlinkSocket socket, int link, IPNetwork to) =>
        socket.Ask(Route(DeleteRoute, 0, link, to, RouteScope.Link, null, null), $"remove the route to {to}");

    private static NetlinkMessage Route(ushort type, ushort flags, int link, IPNetwork to, RouteScope scope, IPAddress? gateway, IPAddress? source)
    {
        const ushort Destination = 1, OutLink = 4, Gateway = 5, PreferredSource = 7;
        const byte MainTable = 254, Boot = 3, Unicast = 1;
        var adds = type == NewRoute;
        var message = new NetlinkMessage(type, flags, Bytes(new RoutePart
        {
            Family = Inet, Prefix = (byte)to.PrefixLength, Table = MainTable, Scope = (byte)scope,
            Protocol = adds ? Boot : (byte)0, Type = adds ? Unicast : (byte)0,   // 0 matches any
        }));
        if (to.PrefixLength > 0)
            message.With(Destination, to.BaseAddress);
        if (source is not null)
            message.With(PreferredSource, source);
        if (gateway is not null)
            message.With(Gateway, gateway);
        return message.With(OutLink, link);
    }

    private static ReadOnlySpan<byte> Bytes<T>(T part) where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>([part]));
}

/// <summary>How far away a route's destination is: rtnetlink(7), rtm_scope.</summary>
internal enum RouteScope : byte
{
    Universe = 0,
    Link = 253,
    Host = 254,
}
