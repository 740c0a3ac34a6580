using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Mesh;
using Weft.Proxy.Routing;
using Weft.Proxy.Upstream.Clusters;
using Weft.Proxy.Upstream.Discovery;

namespace Weft.Proxy.Runtime;

/// <summary>
/// Connections to where issuers of tokens keep their keys. In a mesh a name may be one of its hosts, which the machine's own resolver does not know: these are reached as requests of the front door reach
/// them, under mutual TLS where they are in the mesh. And as tenants write these names, none leads to what is the node's or the cluster's own, but for what a service has for everybody outside, nor to a host of the mesh that is not for the tenant.
/// </summary>
/// <param name="clusters">By `host:port`.</param>
/// <param name="paths">Null: there is no mesh, and the machine's resolver decides.</param>
/// <param name="names">As the machine knows them.</param>
/// <param name="open">A stream to an endpoint of a cluster, as whom.</param>
internal sealed class KeyServers(Func<IReadOnlyDictionary<string, Cluster>> clusters, Func<IMeshPaths?> paths, MachineNames names, Func<Cluster, ConnectionFacts, CancellationToken, Task<Stream>> open)
{
    /// <param name="isTls">Whoever answers is asked for a certificate of the name.</param>
    /// <param name="namespace">Whose policy asks.</param>
    /// <exception cref="IOException">There is no way, or none that is allowed; the message says which.</exception>
    public async ValueTask<Stream> ConnectAsync(DnsEndPoint to, bool isTls, string @namespace, CancellationToken cancellationToken)
    {
        // However the name is written, it is the same that TLS asks for.
        var (name, mesh) = (to.Host.TrimEnd('.').ToLowerInvariant(), paths());
        if (mesh is null)
            return await StraightAsync(await FindAsync(name, to.Port, names.FindAsync, "", cancellationToken), cancellationToken);
        // A step says first what is whose, then changes the clusters, and serves by both at last. Asked before and after the cluster is taken: so the answer is also for whom the cluster is, whichever side of the
        // step that is of.
        var wasShown = mesh.IsShown(name, @namespace);
        var cluster = clusters().GetValueOrDefault($"{name}:{to.Port}");
        // For whom it is not the name is what it is outside the mesh, if it is anything: else whoever writes an entry could take a name from others.
        var kept = wasShown && mesh.IsShown(name, @namespace) ? "" : $"{name} is a host of the mesh that is not for policies of namespace '{@namespace}' (exportTo, or a ServiceEntry of another namespace)";
        var asked = new Asked(name, isTls, kept, mesh);
        if (kept.Length > 0 || cluster is not { Originals: null })
            return await AllowedAsync(asked, await FindAsync(name, to.Port, names.FindWholeAsync, kept, cancellationToken), cancellationToken);
        IReadOnlyList<IPEndPoint> endpoints = mesh.IsDeclared(name) ? [.. cluster.Describe().Select(one => one.Endpoint.Address)] : [];
        // The loop chooses, and by then there may be others: it judges the one that it has chosen.
        if (endpoints.Count == 0 || endpoints.Any(at => mesh.MayAskEndpoint(at.Address)))
            return await open(cluster, ConnectionFacts.OfProxy with { Keys = new KeyFetch(name, @namespace) }, cancellationToken);
        return await AllowedAsync(asked, endpoints, cancellationToken);
    }

    private async Task<Stream> AllowedAsync(Asked asked, IReadOnlyList<IPEndPoint> found, CancellationToken cancellationToken)
    {
        foreach (var at in found)
        {
            // Taken first and judged then, as above: the service may be gone, and the name an entry's.
            if (asked.Mesh.ServiceAt(at, asked.IsTls) is { } service && clusters().GetValueOrDefault($"{service}:{at.Port}") is { Originals: null } cluster && !asked.Mesh.IsDeclared(service))
                return await open(cluster, ConnectionFacts.OfProxy with { Keys = new KeyFetch(service, null) }, cancellationToken);
        }

        List<IPEndPoint> allowed = [.. found.Where(at => asked.Mesh.MayAsk(at.Address))];
        if (allowed.Count > 0)
            return await StraightAsync(allowed, cancellationToken);
        const string Why = "where no keys are fetched from: a node's own, of the cluster's ranges, or a service's, but for its own ports (over TLS, where it took the address by itself); what is in the cluster is named by its Service";
        throw new IOException($"{(asked.Kept.Length == 0 ? "" : asked.Kept + "; ")}{asked.Name} leads to {string.Join(", ", found.Take(4).Select(at => at.Address.ToString()))}, {Why}");
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

    /// <param name="Kept">Why the name is none of the mesh for who asks; empty: that is not why.</param>
    private readonly record struct Asked(string Name, bool IsTls, string Kept, IMeshPaths Mesh);
}
