using System.Collections.Immutable;
using Weft.Api.Istio;
using Weft.Api.Networking;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Ingresses;
using Weft.Control.Mesh.Jobs;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.FrontDoor;

/// <summary>
/// Who speaks for which host at one port. Immutable; the next one is made of what is different: of an object that changes the hosts that it names are looked at, and no others. Where what holds for all of them is
/// other (servers of gateways, the default backend), all are looked at.
/// </summary>
internal sealed record DoorHosts
{
    private static readonly DoorHosts None = new();

    // What all hosts are made with.
    private ImmutableArray<GatewayServer> Servers { get; init; } = [];

    private ValueList<string> Redirected { get; init; } = [];

    private IngressPart? Fallback { get; init; }

    // Names with a kind of TLS of their own and nothing that is served by it.
    private ValueList<string> Unrouted { get; init; } = [];

    private bool HasNames { get; init; }

    private IReadOnlyList<VirtualService> Routes { get; init; } = [];

    private IReadOnlyList<Ingress> Ingresses { get; init; } = [];

    // By domain, the oldest first.
    private ImmutableDictionary<string, ImmutableArray<HostPart>> Parts { get; init; } = ImmutableDictionary.Create<string, ImmutableArray<HostPart>>(StringComparer.Ordinal);

    private ImmutableDictionary<string, ImmutableArray<IngressPart>> IngressParts { get; init; } = ImmutableDictionary.Create<string, ImmutableArray<IngressPart>>(StringComparer.Ordinal);

    // Domains that the same virtual services speak for.
    private ImmutableDictionary<string, ImmutableSortedSet<string>> Groups { get; init; } = ImmutableDictionary.Create<string, ImmutableSortedSet<string>>(StringComparer.Ordinal);

    /// <summary>Each host once, by its name.</summary>
    private ImmutableDictionary<string, FrontDoorHost> Hosts { get; init; } = ImmutableDictionary.Create<string, FrontDoorHost>(StringComparer.Ordinal);

    /// <summary>Of the virtual services and Ingresses of a port.</summary>
    /// <param name="before">Of the same port and the same settings; null: there was none.</param>
    public static (DoorHosts Now, IReadOnlyCollection<string> Gone, IReadOnlyCollection<FrontDoorHost> Come) Of(DoorPort port, MeshLookups lookups, DoorHosts? before)
    {
        var fallback = port.Fallback is { } ingress ? new IngressPart(ingress) : null;
        var isSame = before is not null && before.Fallback == fallback && before.Servers.Length == port.Servers.Count
            && before.Servers.Zip(port.Servers).All(pair => ReferenceEquals(pair.First.Gateway, pair.Second.Gateway) && pair.First.Field == pair.Second.Field)
            // Who has which name follows from the servers, and from all Ingresses.
            && before.HasNames == port.Names is not null && (port.Names is null || before.Ingresses.SequenceEqual(port.Ingresses, ReferenceEqualityComparer.Instance));
        var start = isSame ? before! : None with { Servers = [.. port.Servers], Redirected = FrontDoorHost.Redirected(port), Fallback = fallback, HasNames = port.Names is not null };
        var now = start with { Routes = [.. lookups.GatewayRoutes().Where(rules => rules.Spec.Http.Count > 0)], Ingresses = port.Ingresses };
        var step = new Step(port, lookups, start, now);
        var next = step.Run();
        var unrouted = port.Names?.Own.Where(name => !next.Parts.ContainsKey(name) && !next.IngressParts.ContainsKey(name)).ToValueList() ?? [];
        if (!next.Unrouted.Equals(unrouted))
        {
            if (!next.Unrouted.IsEmpty)
                step.Remove(next.Unrouted[0]);
            if (!unrouted.IsEmpty)
                step.Add(new FrontDoorHost(port.Number, unrouted, [], [], null) { IsUnrouted = true });
            next = next with { Unrouted = unrouted, Hosts = step.Hosts };
        }

        if (isSame)
            return (next, step.Gone, step.Come);
        var old = before?.Hosts.Keys ?? [];
        if (!next.Redirected.IsEmpty)
            step.Add(new FrontDoorHost(port.Number, next.Redirected, [], [], null));
        return (next with { Hosts = step.Hosts }, [.. old], step.Come);
    }

    private sealed class Step(DoorPort port, MeshLookups lookups, DoorHosts before, DoorHosts now)
    {
        private readonly ImmutableDictionary<string, ImmutableArray<HostPart>>.Builder _parts = before.Parts.ToBuilder();
        private readonly ImmutableDictionary<string, ImmutableArray<IngressPart>>.Builder _ingresses = before.IngressParts.ToBuilder();
        private readonly ImmutableDictionary<string, ImmutableSortedSet<string>>.Builder _groups = before.Groups.ToBuilder();
        private readonly ImmutableDictionary<string, FrontDoorHost>.Builder _hosts = before.Hosts.ToBuilder();
        private readonly HashSet<string> _touched = new(StringComparer.Ordinal), _gone = new(StringComparer.Ordinal);
        private readonly List<FrontDoorHost> _come = [];

        public IReadOnlyCollection<string> Gone => _gone;

        public IReadOnlyCollection<FrontDoorHost> Come => _come;

        public ImmutableDictionary<string, FrontDoorHost> Hosts => _hosts.ToImmutable();

        public DoorHosts Run()
        {
            var routes = ListChange<VirtualService>.Of(before.Routes, now.Routes);
            var ingresses = ListChange<Ingress>.Of(before.Ingresses, now.Ingresses);
            foreach (var (domain, part) in routes.Gone.SelectMany(PartsOf))
                Set(_parts, domain, Now(_parts, domain).RemoveAll(other => ReferenceEquals(other.Rules, part.Rules)));
            foreach (var (domain, part) in ingresses.Gone.SelectMany(IngressPartsOf))
                Set(_ingresses, domain, Now(_ingresses, domain).Remove(part));
            foreach (var (domain, part) in routes.Come.SelectMany(PartsOf))
                Set(_parts, domain, Inserted(Now(_parts, domain), part, value => value.Rules));
            foreach (var (domain, part) in ingresses.Come.SelectMany(IngressPartsOf))
                Set(_ingresses, domain, Inserted(Now(_ingresses, domain), part, value => value.Ingress));
            Assign();
            return now with { Parts = _parts.ToImmutable(), IngressParts = _ingresses.ToImmutable(), Groups = _groups.ToImmutable(), Hosts = _hosts.ToImmutable() };
        }

        public void Add(FrontDoorHost host)
        {
            _hosts[host.Name] = host;
            _come.Add(host);
        }

        public void Remove(string name)
        {
            _gone.Add(name);
            if (!_come.Exists(host => host.Name == name))
                _hosts.Remove(name);
        }

        private void Assign()
        {
            var groups = new HashSet<string>(StringComparer.Ordinal);
            var single = new List<string>();
            foreach (var domain in _touched.Where(domain => !now.Redirected.Any(host => HostNames.Covers(host, domain))))
            {
                if (before.IngressParts.ContainsKey(domain))
                    _gone.Add(domain);
                else if (before.Parts.TryGetValue(domain, out var old))
                    groups.Add(SetGroup(KeyOf(old), domains => domains.Remove(domain)));
                if (_ingresses.ContainsKey(domain))
                    single.Add(domain);
                else if (_parts.TryGetValue(domain, out var parts))
                    groups.Add(SetGroup(KeyOf(parts), domains => domains.Add(domain)));
            }

            foreach (var key in groups)
            {
                if (before.Groups.TryGetValue(key, out var domains))
                    _gone.Add(domains[0]);
            }

            _hosts.RemoveRange(_gone);
            foreach (var domain in single)
                Add(new FrontDoorHost(port.Number, [domain], _parts.GetValueOrDefault(domain, []).ToValueList(), _ingresses[domain].ToValueList(), now.Fallback));
            foreach (var key in groups)
            {
                if (_groups.TryGetValue(key, out var domains))
                    Add(new FrontDoorHost(port.Number, domains.ToValueList(), _parts[domains[0]].ToValueList(), [], null));
            }
        }

        private IEnumerable<(string Domain, HostPart Part)> PartsOf(VirtualService rules)
        {
            var gateways = MeshIndex.GatewaysOf(rules);
            foreach (var server in now.Servers.Where(server => server.Kind != ServerKind.Passthrough && gateways.Contains(MeshIndex.Name(server.Gateway))))
            {
                foreach (var domain in GatewayHosts.Domains(server.Gateway, server.Server, rules, lookups).Where(domain => port.Names?.IsOf(server, domain) != false))
                    yield return (domain, new HostPart(rules, MeshIndex.Name(server.Gateway)));
            }
        }

        private IEnumerable<(string Domain, IngressPart Part)> IngressPartsOf(Ingress ingress) => port.NamesOf(ingress).Distinct()
            .Where(host => !now.Redirected.Any(covering => HostNames.Covers(covering, host))).Select(host => (host, new IngressPart(ingress)));

        private void Set<T>(ImmutableDictionary<string, ImmutableArray<T>>.Builder of, string domain, ImmutableArray<T> parts)
        {
            _touched.Add(domain);
            if (parts.IsEmpty)
                of.Remove(domain);
            else
                of[domain] = parts;
        }

        private string SetGroup(string key, Func<ImmutableSortedSet<string>, ImmutableSortedSet<string>> change)
        {
            var domains = change(_groups.GetValueOrDefault(key) ?? ImmutableSortedSet.Create<string>(StringComparer.Ordinal));
            if (domains.IsEmpty)
                _groups.Remove(key);
            else
                _groups[key] = domains;
            return key;
        }

        private static ImmutableArray<T> Now<T>(ImmutableDictionary<string, ImmutableArray<T>>.Builder of, string domain) => of.TryGetValue(domain, out var parts) ? parts : [];

        private static ImmutableArray<T> Inserted<T>(ImmutableArray<T> parts, T part, Func<T, Api.IObject> about)
        {
            if (parts.Contains(part))
                return parts;
            var at = 0;
            while (at < parts.Length && MeshIndex.Compare(about(parts[at]), about(part)) <= 0)
                at++;
            return parts.Insert(at, part);
        }

        private static string KeyOf(ImmutableArray<HostPart> parts) => string.Join('\n', parts.Select(part => $"{MeshIndex.Name(part.Rules)} {part.Gateway}"));
    }
}
