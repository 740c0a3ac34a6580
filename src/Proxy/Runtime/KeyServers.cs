using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Mesh;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Runtime;

/// <summary>
/// Connections to where issuers of tokens keep their keys. In a mesh a name may be one of its hosts, which the machine's own resolver does not know: these are reached as requests of the front door reach
/// them, under mutual TLS where they are in the mesh. And as tenants write these names, none leads to what is the node's or the cluster's own, nor to a host of the mesh that the tenant does not see.
/// </summary>
/// <param name="clusters">By `host:port`.</param>
/// <param name="paths">Null: there is no mesh, and the machine's resolver decides.</param>
/// <param name="open">A stream to an endpoint of a cluster.</param>
internal sealed class KeyServers(Func<IReadOnlyDictionary<string, Cluster>> clusters, Func<IMeshPaths?> paths, Func<Cluster, CancellationToken, Task<Stream>> open)
{
    /// <param name="namespace">Whose policy asks.</param>
    /// <exception cref="IOException">There is no way, or none that is allowed; the message says which.</exception>
    public async ValueTask<Stream> ConnectAsync(DnsEndPoint to, string @namespace, CancellationToken cancellationToken)
    {
        var (name, mesh) = (to.Host.TrimEnd('.').ToLowerInvariant(), paths());
        // For who does not see it the name is what it is outside the mesh, if it is anything: else whoever writes an entry for few could take a name from all.
        var isShown = mesh is null || mesh.IsShown(name, @namespace);
        if (mesh is not null && isShown && clusters().GetValueOrDefault($"{name}:{to.Port}") is { Originals: null } cluster)
            return await open(cluster, cancellationToken);
        Exception? last = null;
        foreach (var address in await ResolveAsync(name, mesh, isShown ? null : $"{name} is a host of the mesh that namespace '{@namespace}' does not see (exportTo)", cancellationToken))
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, to.Port), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception failed) when (failed is SocketException or OperationCanceledException)
            {
                socket.Dispose();
                last = failed;
                cancellationToken.ThrowIfCancellationRequested();
            }
        }

        throw new IOException(last!.Message, last);
    }

    /// <param name="kept">Why the name is none of the mesh's; null: it is not known there, or there is no mesh.</param>
    /// <returns>One at least.</returns>
    private static async Task<IReadOnlyList<IPAddress>> ResolveAsync(string name, IMeshPaths? mesh, string? kept, CancellationToken cancellationToken)
    {
        IPAddress[] found;
        try
        {
            found = IPAddress.TryParse(name, out var literal) ? [literal] : await System.Net.Dns.GetHostAddressesAsync(name, cancellationToken);
        }
        catch (SocketException unknown)
        {
            throw new IOException(kept is null ? unknown.Message : $"{kept}, and outside nobody has the name", unknown);
        }

        List<IPAddress> allowed = [.. found.Where(address => mesh is null || mesh.MayAsk(address))];
        if (allowed.Count > 0)
            return allowed;
        const string Why = "where no keys are fetched from: a node's own, or of the cluster's ranges; what is in the cluster is named by its Service";
        throw new IOException($"{(kept is null ? "" : kept + "; ")}{name} leads to {string.Join(", ", found.Take(4).Select(address => address.ToString()))}, {Why}");
    }
}
