using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;

namespace Weft.Proxy.Mesh.State;

/// <summary>
/// The units of the mesh by key, and how they join: endpoints to clusters by host, port and labels, parts of route tables by name, addresses to hosts and workloads. Pure: what is made of
/// the difference is for whoever asked. Used by one thread at a time.
/// </summary>
/// <param name="node">Whose proxy it is: near and far are seen from there.</param>
internal sealed class MeshState(string node = "")
{
    private readonly MeshIndexes _indexes = new();
    private readonly ClusterJoin _clusters = new(node);
    private readonly TableJoin _tables = new();
    private readonly Dictionary<string, PolicyUnit> _policies = [];
    private readonly Dictionary<string, TokensUnit> _tokens = [];
    private readonly Dictionary<string, SecretUnit> _secrets = [];
    private readonly SortedDictionary<string, ListenerUnit> _listeners = new(StringComparer.Ordinal);

    // Workloads by what they name.
    private readonly Dictionary<UnitKey, HashSet<string>> _named = [];

    public MeshView View => _indexes.View;

    public IReadOnlyDictionary<string, MeshWorkload> Workloads => _indexes.Workloads;

    public IReadOnlyDictionary<string, MeshHost> Hosts => _indexes.Hosts;

    public IReadOnlyDictionary<string, MeshCluster> Clusters => _clusters.Joined;

    public TableJoin Tables => _tables;

    /// <summary>What is the same for all workloads.</summary>
    public TelemetryUnit Telemetry { get; private set; } = new();

    public IEnumerable<ListenerUnit> Listeners => _listeners.Values;

    public IEnumerable<JwtProviderConfig> JwtProviders => _tokens.Values.SelectMany(unit => unit.Providers).DistinctBy(provider => provider.Name);

    /// <summary>Those that passed <see cref="UnitJudge"/>; null for one that is gone. Of other kinds than the mesh's nothing is taken.</summary>
    public MeshStep Apply(IReadOnlyList<KeyValuePair<UnitKey, object?>> changes)
    {
        var hosts = new Dictionary<string, DestinationUnit?>();
        var workloads = new Dictionary<string, WorkloadUnit?>();
        var touched = new HashSet<string>();
        var (tokens, door, telemetry) = (false, false, false);
        foreach (var (key, unit) in changes)
        {
            switch (key.Kind)
            {
                case UnitKind.Destination:
                    hosts[key.Name] = (DestinationUnit?)unit;
                    break;
                case UnitKind.Workload:
                    workloads[key.Name] = (WorkloadUnit?)unit;
                    break;
                case UnitKind.Routes:
                    _tables.Set(key.Name, (RouteTableConfig?)unit);
                    break;
                case UnitKind.Cluster:
                    _clusters.SetCluster(key.Name, (ClusterUnit?)unit);
                    break;
                case UnitKind.Backends:
                    _clusters.SetBackends(key.Name, (BackendsUnit?)unit);
                    _indexes.SetBackends(key.Name, (BackendsUnit?)unit);
                    break;
                case UnitKind.Secret:
                    Set(_secrets, key.Name, (SecretUnit?)unit);
                    _clusters.SetSecret(key.Name, (SecretUnit?)unit);
                    door |= _listeners.Values.Any(listener => Names(listener, key.Name));
                    break;
                case UnitKind.Node:
                    if (key.Name == node)
                        _clusters.SetHere(((NodeUnit?)unit)?.Locality ?? default);
                    break;
                case UnitKind.Policy:
                    Set(_policies, key.Name, (PolicyUnit?)unit);
                    touched.UnionWith(_named.GetValueOrDefault(key) ?? []);
                    door |= _listeners.Values.Any(listener => listener.Policies.Contains(key.Name));
                    break;
                case UnitKind.Tokens:
                    Set(_tokens, key.Name, (TokensUnit?)unit);
                    tokens = true;
                    touched.UnionWith(_named.GetValueOrDefault(key) ?? []);
                    door |= _listeners.Values.Any(listener => listener.Tokens.Contains(key.Name));
                    break;
                case UnitKind.Telemetry:
                    Telemetry = (TelemetryUnit?)unit ?? new TelemetryUnit();
                    telemetry = true;
                    break;
                case UnitKind.Listener:
                    _listeners.Remove(key.Name);
                    if (unit is ListenerUnit listener)
                        _listeners[key.Name] = listener;
                    door = true;
                    break;
            }
        }

        SetWorkloads(workloads);
        if (hosts.Count > 0)
            _indexes.SetHosts([.. hosts.Select(pair => (pair.Key, pair.Value))]);
        var (changed, gone) = _clusters.Rejoin();
        var left = new List<Rejection>();
        var tables = _tables.Rejoin(left);
        return new MeshStep
        {
            Clusters = changed, GoneClusters = gone, Tables = tables, Hosts = hosts.Keys, Workloads = [.. workloads.Keys.Union(touched)], Tokens = tokens, Telemetry = telemetry,
            Door = door, Left = left,
        };
    }

    /// <summary>What requests pass, in order. A unit that is named and lacking refuses everything.</summary>
    public ValueList<FilterConfig> Filters(ValueList<string> policies, ValueList<string> tokens)
    {
        var found = policies.Select(name => _policies.GetValueOrDefault(name)).OfType<PolicyUnit>().ToList();
        var lacking = policies.Where(name => !_policies.ContainsKey(name)).Concat(tokens.Where(name => !_tokens.ContainsKey(name)));
        var providers = tokens.SelectMany(name => _tokens.GetValueOrDefault(name)?.Providers ?? []).Select(provider => provider.Name).Distinct().ToValueList();
        var own = lacking.Select(Lacking).Concat(found.Select(unit => unit.Authorization).OfType<AuthorizationPolicyConfig>()).ToValueList();
        return
        [
            .. providers.IsEmpty ? [] : new FilterConfig[] { new JwtFilter { Providers = providers, AllowMissing = true } },
            .. found.Select(unit => unit.External).OfType<FilterConfig>(),
            .. own.IsEmpty ? [] : new FilterConfig[] { new AuthorizationFilter { Policies = own } },
        ];
    }

    public SecretUnit? Secret(string name) => _secrets.GetValueOrDefault(name);

    /// <summary>All of it as one configuration, as a file could have it: for whoever wants to look at it whole.</summary>
    /// <param name="doorAddress">Null: this node has no front door.</param>
    public ProxyConfig Config(string? doorAddress)
    {
        var door = DoorJoin.Of(this, doorAddress, out _);
        return door with
        {
            Locality = _clusters.Here,
            Clusters = _clusters.Joined.Values.Select(cluster => cluster.Config).OrderBy(cluster => cluster.Name, StringComparer.Ordinal).ToValueList(),
            Certificates = door.Certificates.Concat(_clusters.Joined.Values.Select(cluster => cluster.Certificate).OfType<CertificateConfig>()).DistinctBy(certificate => certificate.Name).ToValueList(),
            RouteTables = _tables.Names.Order(StringComparer.Ordinal).Concat(door.Listeners.Select(listener => listener.RouteTable).OfType<string>()).Distinct().Select(name => _tables.Of(name).Whole).ToValueList(),
        };
    }

    // A rule without conditions takes every connection and request.
    private static AuthorizationPolicyConfig Lacking(string name) => new() { Name = $"{name} is lacking", Action = AuthorizationAction.Deny, Rules = [new AuthorizationRule()] };

    private void SetWorkloads(Dictionary<string, WorkloadUnit?> workloads)
    {
        if (workloads.Count == 0)
            return;
        foreach (var (name, unit) in workloads)
        {
            foreach (var key in NamesOf(_indexes.Workloads.GetValueOrDefault(name)?.Unit))
            {
                if (_named.TryGetValue(key, out var users) && users.Remove(name) && users.Count == 0)
                    _named.Remove(key);
            }

            foreach (var key in NamesOf(unit))
            {
                if (!_named.TryGetValue(key, out var users))
                    _named.Add(key, users = []);
                users.Add(name);
            }
        }

        _indexes.SetWorkloads([.. workloads.Select(pair => (pair.Key, pair.Value))]);
    }

    private static IEnumerable<UnitKey> NamesOf(WorkloadUnit? unit) => unit is null ? []
        : unit.Policies.Select(name => new UnitKey(UnitKind.Policy, name)).Concat(unit.Tokens.Select(name => new UnitKey(UnitKind.Tokens, name)));

    private static bool Names(ListenerUnit listener, string secret) => listener.ClientSecret == secret || listener.HostSecrets.Any(clients => clients.Secret == secret)
        || (listener.Listener.Tls is { } tls && (tls.Certificates.Contains(secret) || tls.Hosts.Any(host => host.Certificates.Contains(secret))));

    private static void Set<T>(Dictionary<string, T> units, string name, T? unit) where T : class
    {
        if (unit is null)
            units.Remove(name);
        else
            units[name] = unit;
    }
}
