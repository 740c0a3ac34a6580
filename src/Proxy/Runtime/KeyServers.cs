using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using Weft.Balancing.Localities;
using Weft.Proxy.Mesh;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Runtime;

/// <summary>
/// Connections to where issuers of tokens keep their keys. In a mesh a name may be one of its hosts, which the machine's own resolver does not know; and as tenants write these names, none leads
/// where no name of the mesh may lead.
/// </summary>
/// <param name="clusters">By `host:port`.</param>
/// <param name="paths">Null: there is no mesh, and the machine's resolver decides.</param>
internal sealed class KeyServers(Func<IReadOnlyDictionary<string, Cluster>> clusters, Func<IMeshPaths?> paths)
{
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Exception? last = null;
        foreach (var address in await ResolveAsync(context.DnsEndPoint, cancellationToken))
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

        throw last is null ? new IOException($"{context.DnsEndPoint.Host} leads to no address that it may lead to") : new IOException(last.Message, last);
    }

    internal async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(DnsEndPoint to, CancellationToken cancellationToken)
    {
        var mesh = paths();
        if (mesh is not null && clusters().GetValueOrDefault($"{to.Host.TrimEnd('.').ToLowerInvariant()}:{to.Port}") is { } cluster)
            return [.. cluster.Describe().Where(one => one.Health == EndpointHealth.Healthy).Select(one => one.Endpoint.Address)];
        var found = IPAddress.TryParse(to.Host, out var literal) ? [literal] : await System.Net.Dns.GetHostAddressesAsync(to.Host, cancellationToken);
        return [.. found.Where(address => mesh is null || mesh.MayResolveTo(address)).Select(address => new IPEndPoint(address, to.Port))];
    }
}
