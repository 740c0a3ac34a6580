using System.Net;
using System.Net.Sockets;

namespace Weft.Node.Network;

/// <summary>
/// Connections of the agent to pods, past the mesh: whether a container is well must not be decided by the proxy's configuration, nor by the policies of its peers.
/// </summary>
internal static class MarkedConnect
{
    public static void Mark(Socket socket)
    {
        const int SolSocket = 1, Mark = 36;   // socket(7)
        socket.SetRawSocketOption(SolSocket, Mark, BitConverter.GetBytes(NetworkMarks.Mesh));
    }

    /// <summary>For <see cref="System.Net.Http.SocketsHttpHandler.ConnectCallback"/>.</summary>
    public static async ValueTask<Stream> ConnectAsync(DnsEndPoint target, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            Mark(socket);
            await socket.ConnectAsync(target, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
