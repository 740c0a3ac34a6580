using System.Collections.Concurrent;
using System.Net;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Mesh.Identity;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.Hbone;

/// <summary>The client's side on all loops.</summary>
internal sealed class HboneConnector(MeshIdentities identities, HboneSettings settings) : IMeshConnector
{
    private readonly ConcurrentDictionary<EventLoop, HboneClient> _clients = new();

    /// <remarks>It can be written to at once; what is written waits for the tunnel.</remarks>
    public int Connect(LocalWorkload source, IPAddress? address, IPEndPoint destination, string expectedIdentity, EventLoop loop) =>
        ClientOf(loop).Connect(new(source.Namespace, source.ServiceAccount), address, destination, expectedIdentity);

    internal HboneClient ClientOf(EventLoop loop) => _clients.GetOrAdd(loop, static (key, of) => new HboneClient(key, of.identities, of.settings), (identities, settings));

    /// <summary>On each loop: no new tunnels on the connections that stand; they close when their last tunnel has ended.</summary>
    public void Drain()
    {
        foreach (var (loop, client) in _clients)
            loop.Post(client.Drain);
    }
}
