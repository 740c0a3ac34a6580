using System.Net;
using System.Net.Sockets;
using Weft.Node.Interop;

namespace Weft.Cluster.Tests.Chaos.Kills;

/// <summary>Sockets of this program in another network: a socket stays where it was made.</summary>
internal sealed class NamespaceSockets(string path)
{
    internal Task<Socket> UdpAsync() => NamespaceThread.InNetworkAsync(path, () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));

    internal Task<Socket> TcpAsync() => NamespaceThread.InNetworkAsync(path, () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));

    /// <summary>For an HTTP client.</summary>
    internal async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = await TcpAsync();
        try
        {
            await socket.ConnectAsync(IPAddress.Parse(context.DnsEndPoint.Host), context.DnsEndPoint.Port, cancellationToken);
            socket.NoDelay = true;
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
