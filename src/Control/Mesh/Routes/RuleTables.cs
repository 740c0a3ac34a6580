using Weft.Api.Istio;
using Weft.Control.Mesh.Hosts;

namespace Weft.Control.Mesh.Routes;

/// <summary>
/// How many tables the rules of a virtual service stand in, for clients in the mesh: of each port of each of its hosts as many as there are groups of clients for which they may be other ones (<see cref="ClientView"/>).
/// It may be somewhat more than there are. What others export to is not counted where it makes no table of its own: nobody is to take another's room.
/// </summary>
internal sealed class RuleTables
{
    private readonly MeshIndex _index;

    // Namespaces of which each workload that a Sidecar selects may have a table, and those that may have one by their Sidecar, whatever the host.
    private readonly List<string> _selected;
    private readonly HashSet<string> _everywhere;
    private readonly Dictionary<MeshHost, int> _views = new(ReferenceEqualityComparer.Instance);
    private readonly (long Ports, int Views) _most;

    public RuleTables(MeshIndex index)
    {
        _index = index;
        var settings = index.Inputs.Settings;
        var sidecars = index.Answer(Question.Sidecars, "").Cast<Sidecar>().ToList();
        _selected = [.. sidecars.Where(ClientView.Selects).Select(sidecar => sidecar.Metadata.Namespace ?? "")];
        _everywhere = [.. sidecars.Select(sidecar => sidecar.Metadata.Namespace ?? "").Where(name => name != settings.RootNamespace)];
        // What such a client may see is what everybody sees, unless everybody's is less, or its rules lead to clusters of its own.
        if (_everywhere.Count > 0 && !sidecars.Exists(sidecar => sidecar.Metadata.Namespace == settings.RootNamespace && !ClientView.Selects(sidecar)))
            _everywhere.IntersectWith(index.DestinationRules.SelectMany(rule => HostNames.Chosen(rule.Spec.ExportTo ?? [], rule.Metadata.Namespace ?? "").Append(rule.Metadata.Namespace ?? "")).Append(settings.FrontDoorNamespace));
        _most = (index.Hosts.Sum(host => (long)host.Ports.Length), 1 + _selected.Count + Ruled(index.DestinationRules, null).Union(_everywhere).Count());
    }

    /// <summary>If all hosts were its own: without a look at each.</summary>
    public long MostOf(VirtualService rules) => _most.Ports * (Named(rules) ?? _most.Views);

    public long Of(VirtualService rules)
    {
        var hosts = _index.Names(rules).SelectMany(Below).Distinct();
        return Named(rules) is { } views ? hosts.Sum(host => (long)host.Ports.Length) * views : hosts.Sum(host => (long)host.Ports.Length * Views(host));
    }

    // Of clients that are named it is they alone; null: they are all.
    private int? Named(VirtualService rules)
    {
        var (to, owner) = (rules.Spec.ExportTo ?? [], rules.Metadata.Namespace ?? "");
        if (HostNames.IsExported(to, owner, null))
            return null;
        var clients = HostNames.Chosen(to, owner).ToHashSet();
        return clients.Count + _selected.Count(clients.Contains);
    }

    private IEnumerable<string> Ruled(IEnumerable<DestinationRule> all, MeshHost? host) => ClientView.Ruled(all, host, _index.Inputs.Settings.RootNamespace);

    private int Views(MeshHost host)
    {
        if (!_views.TryGetValue(host, out var count))
            _views[host] = count = 1 + _selected.Count + Ruled(_index.Answer(Question.DestinationRules, host.Name).Cast<DestinationRule>(), host).Union(_everywhere).Count();
        return count;
    }

    private IEnumerable<MeshHost> Below(string name) => HostNames.IsWildcard(name) ? _index.Hosts.Where(host => HostNames.Covers(name, host.Name)) : _index.Answer(Question.Host, name).Cast<MeshHost>();
}
