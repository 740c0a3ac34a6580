using System.Net;
using System.Net.Sockets;
using Weft.Node.Interop;

namespace Weft.Node.Runtime.Process;

/// <summary>TCP connections to a pod's own loopback: the socket is made by a thread inside the pod's network namespace.</summary>
internal static class PodConnector
{
    /// <param name="netns">Null for the host's network.</param>
    public static async Task<Stream> ConnectAsync(string? netns, int port)
    {
        var socket = netns is null ? Connect(port) : await NamespaceThread.InNetworkAsync(netns, () => Connect(port));
        return new NetworkStream(socket, ownsSocket: true);
    }

    // Blocking is right here: loopback answers at once, and the thread is this connection's own.
    private static Socket Connect(int port)
    {
        SocketException? refused = null;
        foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                socket.Connect(address, port);
                return socket;
            }
            catch (SocketException e)
            {
                socket.Dispose();
                refused ??= e;
            }
        }
        throw new RuntimeException(RuntimeError.Connect, $"cannot connect to port {port} in the pod: {refused!.Message}", refused);
    }
}
