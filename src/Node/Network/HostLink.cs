using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using Weft.Node.Interop;

namespace Weft.Node.Network;

/// <summary>Facts about the machine's own network.</summary>
internal static class HostLink
{
    /// <summary>The interface of the default route, or null.</summary>
    public static string? DefaultInterface() => DefaultInterface(File.ReadLines("/proc/net/route"));

    /// <summary>Format: a header, then interface, destination and mask in hexadecimal (`00000000` twice is the default route).</summary>
    public static string? DefaultInterface(IEnumerable<string> routes) =>
        routes.Skip(1).Select(line => line.Split('\t')).FirstOrDefault(f => f.Length > 7 && f[1] == "00000000" && f[7] == "00000000")?[0];

    /// <summary>A pod's packets must fit the machine's own link: on a cloud network or tunnel that is less than Ethernet's 1500.</summary>
    public static int Mtu()
    {
        const int Ethernet = 1500;
        return DefaultInterface() is { } name && Mtu(name) is > 0 and var mtu ? Math.Min(mtu, 9000) : Ethernet;
    }

    // Asked of the kernel and not of /sys/class/net, which shows the network of whoever mounted /sys: of node 2 of a machine it is the machine's.
    private static unsafe int Mtu(string name)
    {
        const nuint GetMtu = 0x8921;                    // SIOCGIFMTU, netdevice(7)
        const int NameLength = 16, RequestLength = 40;  // struct ifreq
        var request = stackalloc byte[RequestLength];
        new Span<byte>(request, RequestLength).Clear();
        Encoding.ASCII.GetBytes(name.AsSpan(0, Math.Min(name.Length, NameLength - 1)), new Span<byte>(request, NameLength));
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        return Libc.ioctl((int)socket.Handle, GetMtu, request) == 0 ? *(int*)(request + NameLength) : 0;
    }

    /// <summary>The address the machine is known by: that of the default route's interface, or the first that is not loopback, or loopback.</summary>
    public static string Address()
    {
        var route = DefaultInterface();
        var candidates = NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.NetworkInterfaceType != NetworkInterfaceType.Loopback && i.OperationalStatus == OperationalStatus.Up)
            .OrderByDescending(i => i.Name == route)
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address)
            .Where(a => a.AddressFamily == AddressFamily.InterNetwork);
        return (candidates.FirstOrDefault() ?? IPAddress.Loopback).ToString();
    }

    /// <summary>The first address of a range: what host-local gives the host's end of every pod's link.</summary>
    public static string Gateway(string cidr)
    {
        var bytes = IPNetwork.Parse(cidr).BaseAddress.GetAddressBytes();
        bytes[^1]++;
        return new IPAddress(bytes).ToString();
    }
}
