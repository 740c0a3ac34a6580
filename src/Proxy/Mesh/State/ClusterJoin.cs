using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Proxy.Mesh.State;

/// <summary>Clusters with their endpoints and Secrets. A change of a slice joins the clusters of its host again, and no others; another place of the node those that ask for it.</summary>
/// <param name="node">The proxy's own; empty: none.</param>
internal sealed class ClusterJoin(string node)
{
    private static readonly SortedSet<string> None = [];
    private readonly Dictionary<string, ClusterUnit> _units = [];
    private readonly Dictionary<string, BackendsUnit> _backends = [];
    private readonly Dictionary<string, SecretUnit> _secrets = [];
    private readonly Dictionary<string, HashSet<string>> _clustersOfHost = [], _clustersOfSecret = [];
    private readonly Dictionary<string, SortedSet<string>> _backendsOfHost = [];
    private readonly Dictionary<string, MeshCluster> _joined = [];
    private readonly HashSet<string> _touched = [];
    private Nearness _here = new(node, default);

    public IReadOnlyDictionary<string, MeshCluster> Joined => _joined;

    public void SetCluster(string name, ClusterUnit? unit)
    {
        if (_units.Remove(name, out var before))
        {
            foreach (var host in HostsOf(before))
                Forget(_clustersOfHost, host, name);
            Forget(_clustersOfSecret, before.Secret ?? "", name);
        }

        _touched.Add(name);
        if (unit is null)
            return;
        _units.Add(name, unit);
        foreach (var host in HostsOf(unit))
            Remember(_clustersOfHost, host, name);
        Remember(_clustersOfSecret, unit.Secret ?? "", name);
    }

    public void SetBackends(string name, BackendsUnit? unit)
    {
        if (_backends.Remove(name, out var before))
        {
            if (_backendsOfHost.TryGetValue(before.Host, out var left) && left.Remove(name) && left.Count == 0)
                _backendsOfHost.Remove(before.Host);
            _touched.UnionWith(_clustersOfHost.GetValueOrDefault(before.Host) ?? []);
        }

        if (unit is null)
            return;
        _backends.Add(name, unit);
        if (!_backendsOfHost.TryGetValue(unit.Host, out var all))
            _backendsOfHost.Add(unit.Host, all = new(StringComparer.Ordinal));
        all.Add(name);
        _touched.UnionWith(_clustersOfHost.GetValueOrDefault(unit.Host) ?? []);
    }

    /// <summary>Where the node is.</summary>
    public Locality Here => _here.Locality;

    public void SetHere(Locality here)
    {
        _here = new(node, here);
        _touched.UnionWith(_units.Where(pair => !pair.Value.Nearness.IsEmpty || pair.Value.Cluster.Locality != LocalityPolicy.Off).Select(pair => pair.Key));
    }

    public void SetSecret(string name, SecretUnit? unit)
    {
        _secrets.Remove(name);
        if (unit is not null)
            _secrets.Add(name, unit);
        _touched.UnionWith(_clustersOfSecret.GetValueOrDefault(name) ?? []);
    }

    /// <summary>What has become different since the last time.</summary>
    public (IReadOnlyList<MeshCluster> Changed, IReadOnlyList<string> Gone) Rejoin()
    {
        var (changed, gone) = (new List<MeshCluster>(), new List<string>());
        foreach (var name in _touched)
        {
            var before = _joined.GetValueOrDefault(name);
            if (!_units.TryGetValue(name, out var unit))
            {
                if (_joined.Remove(name))
                    gone.Add(name);
                continue;
            }

            var now = Join(unit);
            if (now == before)
                continue;
            _joined[name] = now;
            changed.Add(now);
        }

        _touched.Clear();
        return (changed, gone);
    }

    private MeshCluster Join(ClusterUnit unit)
    {
        var cluster = unit.Cluster with { Endpoints = unit.OriginalAddress ? [] : Endpoints(unit) };
        return Join(unit, cluster) with { Here = cluster.Locality == LocalityPolicy.Off ? default : Here };
    }

    private MeshCluster Join(ClusterUnit unit, ClusterConfig cluster)
    {
        if (unit.Secret is not { } name || cluster.Tls is not { } tls)
            return new MeshCluster(cluster, unit.Mesh, unit.OriginalAddress, unit.Certificate);
        // Without its Secret a cluster cannot show who it is, nor know who answers: it has nobody to send to.
        if (!_secrets.TryGetValue(name, out var secret) || (tls.Certificate == name && (secret.Certificate is null || secret.Key is null)))
            return new MeshCluster(cluster with { Endpoints = [], Dns = null, Tls = null }, unit.Mesh, false, null);
        return new MeshCluster(
            cluster with { Tls = secret.Authorities is { } authorities ? tls with { Authorities = new DataSource { Inline = authorities } } : tls }, unit.Mesh, unit.OriginalAddress,
            tls.Certificate == name ? DoorJoin.CertificateOf(name, secret) : unit.Certificate);
    }

    private ValueList<EndpointConfig> Endpoints(ClusterUnit unit)
    {
        var endpoints = new List<EndpointConfig>();
        var seen = new HashSet<(string, int)>();
        foreach (var endpoint in EndpointsOf(unit.Host, unit.Port))
        {
            if (unit.Labels.IsSubsetOf(endpoint.Labels) && Takes(unit, endpoint) && (!unit.SameNodeOnly || endpoint.Node == node) && seen.Add((endpoint.Address, endpoint.Port)))
                endpoints.Add(unit.Nearness.IsEmpty ? endpoint : endpoint with { Priority = _here.PriorityOf(endpoint, unit.Nearness) });
        }

        // Behind all that are the host's own, however far.
        foreach (var (i, backup) in unit.Backups.Index())
            endpoints.AddRange(EndpointsOf(backup.Host, backup.Port).Where(endpoint => Takes(unit, endpoint) && seen.Add((endpoint.Address, endpoint.Port))).Select(endpoint => endpoint with { Priority = unit.Nearness.Count + 1 + i }));
        return endpoints.ToValueList();
    }

    private IEnumerable<EndpointConfig> EndpointsOf(string host, int port) =>
        _backendsOfHost.GetValueOrDefault(host, None).SelectMany(name => _backends[name].Ports.Where(one => one.Port == port)).SelectMany(one => one.Endpoints);

    private static bool Takes(ClusterUnit unit, EndpointConfig endpoint) => unit.Mesh != MeshTls.Always || endpoint.Identity is not null;

    private static IEnumerable<string> HostsOf(ClusterUnit unit) => unit.Backups.Select(backup => backup.Host).Append(unit.Host).Distinct();

    private static void Remember(Dictionary<string, HashSet<string>> index, string key, string name)
    {
        if (key.Length == 0)
            return;
        if (!index.TryGetValue(key, out var names))
            index.Add(key, names = []);
        names.Add(name);
    }

    private static void Forget(Dictionary<string, HashSet<string>> index, string key, string name)
    {
        if (index.TryGetValue(key, out var names) && names.Remove(name) && names.Count == 0)
            index.Remove(key);
    }
}
