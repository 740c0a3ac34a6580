using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using Weft.Proxy.Mesh;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Runtime;

/// <summary>
/// Connections to where issuers of tokens keep their keys. In a mesh a name may be one of its hosts, which the machine's own resolver does not know: these are reached as requests of the front door reach
/// them, under mutual TLS where they are in the mesh. And as tenants write these names, none leads where no name of the mesh may lead.
/// </summary>
/// <param name="clusters">By `host:port`.</param>
/// <param name="paths">Null: there is no mesh, and the machine's resolver decides.</param>
/// <param name="open">A stream to an endpoint of a cluster.</param>
internal sealed class KeyServers(Func<IReadOnlyDictionary<string, Cluster>> clusters, Func<IMeshPaths?> paths, Func<Cluster, CancellationToken, Task<Stream>> open)
{
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (to, mesh) = (context.DnsEndPoint, paths());
        if (mesh is not null && clusters().GetValueOrDefault($"{to.Host.TrimEnd('.').ToLowerInvariant()}:{to.Port}") is { Originals: null } cluster)
            return await open(cluster, cancellationToken);
        Exception? last = null;
        foreach (var address in await ResolveAsync(to, mesh, cancellationToken))
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception failed) when (failed is SocketException or OperationCanceledException)
            {
                socket.Dispose();
                last = failed;
                cancellationToken.ThrowIfCancellationRequested();
            }
        }

        throw last is null ? new IOException($"{to.Host} leads to no address that it may lead to") : new IOException(last.Message, last);
    }

    // What a pod or a service has is theirs to guard: it is asked by its name, as the front door asks, and not from the node, which is let in where no pod is.
    private static async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(DnsEndPoint to, IMeshPaths? mesh, CancellationToken cancellationToken)
    {
        var found = IPAddress.TryParse(to.Host, out var literal) ? [literal] : await System.Net.Dns.GetHostAddressesAsync(to.Host, cancellationToken);
        return [.. found.Where(address => mesh is null || (mesh.MayResolveTo(address) && !mesh.IsOfMesh(address))).Select(address => new IPEndPoint(address, to.Port))];
    }
}
