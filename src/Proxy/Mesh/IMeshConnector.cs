using System.Net;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh;

/// <summary>Reaches workloads of other nodes under the mesh's mutual TLS.</summary>
internal interface IMeshConnector
{
    /// <summary>Called on the loop.</summary>
    /// <param name="address">Of the source, as the destination's policies are to see it; null: unknown.</param>
    /// <returns>A non-blocking socket of the loop (<see cref="LoopSockets"/>) whose bytes reach the destination as this source, or -1.</returns>
    int Connect(LocalWorkload source, IPAddress? address, IPEndPoint destination, string expectedIdentity, EventLoop loop);
}
