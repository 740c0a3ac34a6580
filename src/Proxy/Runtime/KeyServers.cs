using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Mesh;
using Weft.Proxy.Routing;
using Weft.Proxy.Upstream.Clusters;
using Weft.Proxy.Upstream.Discovery;

namespace Weft.Proxy.Runtime;

/// <summary>
/// Connections to where issuers of tokens keep their keys. In a mesh a name may be one of its hosts, which the machine's own resolver does not know: these are reached as requests of the front door reach
/// them, under mutual TLS where they are in the mesh. And as tenants write these names, none leads to what is the node's or the cluster's own, but for the front door, nor to a host of the mesh that is not for the tenant.
/// </summary>
/// <param name="clusters">By `host:port`.</param>
/// <param name="paths">Null: there is no mesh, and the machine's resolver decides.</param>
/// <param name="names">As the machine knows them.</param>
/// <param name="open">A stream to an endpoint of a cluster, as whom.</param>
internal sealed class KeyServers(Func<IReadOnlyDictionary<string, Cluster>> clusters, Func<IMeshPaths?> paths, MachineNames names, Func<Cluster, ConnectionFacts, CancellationToken, Task<Stream>> open)
{
    /// <param name="namespace">Whose policy asks.</param>
    /// <exception cref="IOException">There is no way, or none that is allowed; the message says which.</exception>
    public async ValueTask<Stream> ConnectAsync(DnsEndPoint to, string @namespace, CancellationToken cancellationToken)
    {
        // However the name is written, it is the same that TLS asks for.
        var (name, mesh) = (to.Host.TrimEnd('.').ToLowerInvariant(), paths());
        if (mesh is null)
            return await StraightAsync(await FindAsync(name, to.Port, names.FindAsync, "", cancellationToken), cancellationToken);
        // For whom it is not the name is what it is outside the mesh, if it is anything: else whoever writes an entry could take a name from others.
        var kept = mesh.IsShown(name, @namespace) ? "" : $"{name} is a host of the mesh that is not for policies of namespace '{@namespace}' (exportTo, or a ServiceEntry of another namespace)";
        if (kept.Length > 0 || clusters().GetValueOrDefault($"{name}:{to.Port}") is not { Originals: null } cluster)
            return await AllowedAsync(name, await FindAsync(name, to.Port, names.FindWholeAsync, kept, cancellationToken), mesh, kept, cancellationToken);
        if (!mesh.IsDeclared(name))
            return await open(cluster, ConnectionFacts.OfProxy, cancellationToken);
        IReadOnlyList<IPEndPoint> endpoints = [.. cluster.Describe().Select(one => one.Endpoint.Address)];
        // The loop chooses, and by then there may be others: it judges the one that it has chosen.
        if (endpoints.Count == 0 || endpoints.Any(at => mesh.MayAskEndpoint(at.Address)))
            return await open(cluster, ConnectionFacts.OfProxyForTenant, cancellationToken);
        return await AllowedAsync(name, endpoints, mesh, "", cancellationToken);
    }

    private async Task<Stream> AllowedAsync(string name, IReadOnlyList<IPEndPoint> found, IMeshPaths mesh, string kept, CancellationToken cancellationToken)
    {
        if (found.Select(mesh.DoorAt).OfType<string>().Select(door => clusters().GetValueOrDefault(door)).OfType<Cluster>().FirstOrDefault() is { } service)
            return await open(service, ConnectionFacts.OfProxy, cancellationToken);
        List<IPEndPoint> allowed = [.. found.Where(at => mesh.MayAsk(at.Address))];
        if (allowed.Count > 0)
            return await StraightAsync(allowed, cancellationToken);
        const string Why = "where no keys are fetched from: a node's own, or of the cluster's ranges; what is in the cluster is named by its Service";
        throw new IOException($"{(kept.Length == 0 ? "" : kept + "; ")}{name} leads to {string.Join(", ", found.Take(4).Select(at => at.Address.ToString()))}, {Why}");
    }

    /// <returns>One at least.</returns>
    private static async Task<IReadOnlyList<IPEndPoint>> FindAsync(string name, int port, Func<string, CancellationToken, Task<IPAddress[]>> find, string kept, CancellationToken cancellationToken)
    {
        try
        {
            var addresses = IPAddress.TryParse(name, out var literal) ? [literal] : await find(name, cancellationToken);
            return addresses.Length > 0 ? [.. addresses.Select(address => new IPEndPoint(address, port))] : throw new SocketException((int)SocketError.HostNotFound);
        }
        catch (SocketException unknown)
        {
            throw new IOException(kept.Length == 0 ? unknown.Message : $"{kept}, and outside nobody has the name", unknown);
        }
    }

    private static async Task<Stream> StraightAsync(IReadOnlyList<IPEndPoint> places, CancellationToken cancellationToken)
    {
        Exception? last = null;
        foreach (var at in places)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(at, cancellationToken);
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
}
