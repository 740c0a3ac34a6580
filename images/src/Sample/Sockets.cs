using System.Net;
using System.Net.Sockets;

namespace Weft.Images.Sample;

internal static class Sockets
{
    private const int Backlog = 1024;

    internal static Socket Listen(int port)
    {
        var socket = Bind(SocketType.Stream, ProtocolType.Tcp, port);
        socket.Listen(Backlog);
        return socket;
    }

    internal static Socket Bind(SocketType type, ProtocolType protocol, int port)
    {
        if (!Socket.OSSupportsIPv6)
        {
            var plain = new Socket(AddressFamily.InterNetwork, type, protocol);
            plain.Bind(new IPEndPoint(IPAddress.Any, port));
            return plain;
        }

        var socket = new Socket(AddressFamily.InterNetworkV6, type, protocol) { DualMode = true };
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
        return socket;
    }

    /// <summary>Without the IPv6 clothes of an IPv4 address.</summary>
    internal static IPEndPoint Plain(EndPoint? address) =>
        address is IPEndPoint ip ? new(ip.Address.IsIPv4MappedToIPv6 ? ip.Address.MapToIPv4() : ip.Address, ip.Port) : new(IPAddress.None, 0);
}
