using System.Net;
using System.Net.Sockets;

namespace Weft.Cluster.Tests.Proxies;

internal static class Ports
{
    /// <summary>One that nobody has at the moment, on loopback.</summary>
    public static int Free(SocketType type = SocketType.Stream)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
