using System.Net;
using System.Net.Sockets;
using Weft.Node.Interop;

namespace Weft.Bench.Mesh;

/// <summary>Connections of this program out of a pod's network, which the mesh takes for the pod's.</summary>
internal static class PodSockets
{
    public static Socket Open(BenchPod pod) => NamespaceThread.InNetworkAsync(pod.Network, () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }).GetAwaiter().GetResult();

    public static Socket Connect(BenchPod from, IPEndPoint to)
    {
        var socket = Open(from);
        try
        {
            socket.Connect(to);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
