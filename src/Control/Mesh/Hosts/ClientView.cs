using Weft.Api.Istio;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Hosts;

/// <summary>
/// Clients that see a host alike. A node's proxy serves clients of all namespaces, so what Istio gives each sidecar of its own stands in one table here, told apart by the
/// source: first those that have rules of their own, then everybody.
/// </summary>
/// <param name="Namespace">Null: everybody else.</param>
/// <param name="Labels">Of workloads that a Sidecar selects.</param>
internal sealed record ClientView(string? Namespace, ValueMap Labels = default)
{
    public static readonly ClientView Everybody = new((string?)null);

    public bool IsEverybody => Namespace is null;

    /// <summary>For names of routes.</summary>
    public string Suffix => Namespace is null ? "" : Labels.Count == 0 ? "@" + Namespace : $"@{Namespace}[{string.Join(',', Labels.Select(pair => $"{pair.Key}={pair.Value}"))}]";

    public SourceMatch Source => Namespace is null ? SourceMatch.Any : new() { Namespaces = [Namespace], Labels = Labels };

    /// <summary>Those that may have rules of their own for the host, and everybody last.</summary>
    public static IReadOnlyList<ClientView> Of(MeshHost host, MeshLookups lookups)
    {
        var namespaces = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var value in lookups.VirtualServices(host.Name))
            namespaces.UnionWith(HostNames.Chosen(value.Spec.ExportTo, value.Metadata.Namespace ?? ""));
        namespaces.UnionWith(Ruled(lookups.DestinationRules(host.Name), host, lookups.Settings.RootNamespace));
        var sidecars = lookups.Sidecars().ToList();
        namespaces.UnionWith(sidecars.Select(sidecar => sidecar.Metadata.Namespace ?? "").Where(name => name != lookups.Settings.RootNamespace));
        return
        [
            .. sidecars.Where(Selects).Select(sidecar => new ClientView(sidecar.Metadata.Namespace ?? "", new ValueMap(sidecar.Spec.WorkloadSelector!.Labels))).Distinct(),
            .. namespaces.Select(name => new ClientView(name)),
            Everybody,
        ];
    }

    /// <summary>Namespaces that destination rules make clients of their own: each by its own rules, and others by those of the host's namespace and the root's (<see cref="RuleChoice"/>).</summary>
    /// <param name="rules">Of the host.</param>
    /// <param name="host">Null: any.</param>
    public static IEnumerable<string> Ruled(IEnumerable<DestinationRule> rules, MeshHost? host, string root)
    {
        foreach (var rule in rules)
        {
            var own = rule.Metadata.Namespace ?? "";
            yield return own;
            if (host is not null && own != host.Namespace && own != root)
                continue;
            foreach (var other in HostNames.Chosen(rule.Spec.ExportTo ?? [], own))
                yield return other;
        }
    }

    /// <summary>
    /// The parts that must stand, in order, everybody's last. Clients that have what everybody has need none of their own, unless the part of their whole namespace stands and
    /// would take them.
    /// </summary>
    public static IEnumerable<List<T>> Needed<T>(IReadOnlyList<(ClientView View, List<T> Part)> parts, Func<ClientView, List<T>, bool> isAsEverybody)
    {
        var kept = new List<(ClientView View, List<T> Part)> { parts[^1] };
        foreach (var part in parts.SkipLast(1).Reverse())
        {
            if (!isAsEverybody(part.View, part.Part) || kept.Exists(other => other.View.Namespace == part.View.Namespace))
                kept.Insert(0, part);
        }

        return kept.Select(part => part.Part);
    }

    /// <summary>The Sidecar that holds for these clients: one that selects them, that of their namespace, that of the root namespace; null: none.</summary>
    public Sidecar? SidecarOf(MeshLookups lookups)
    {
        var sidecars = lookups.Sidecars().ToList();
        return sidecars.FirstOrDefault(sidecar => Labels.Count > 0 && sidecar.Metadata.Namespace == Namespace && Selects(sidecar) && new ValueMap(sidecar.Spec.WorkloadSelector!.Labels) == Labels)
            ?? sidecars.FirstOrDefault(sidecar => Namespace is not null && sidecar.Metadata.Namespace == Namespace && !Selects(sidecar))
            ?? sidecars.FirstOrDefault(sidecar => sidecar.Metadata.Namespace == lookups.Settings.RootNamespace && !Selects(sidecar));
    }

    /// <summary>The same for a workload.</summary>
    public static Sidecar? SidecarOf(string @namespace, ValueMap labels, MeshLookups lookups)
    {
        var sidecars = lookups.Sidecars().ToList();
        return sidecars.FirstOrDefault(sidecar => sidecar.Metadata.Namespace == @namespace && Selects(sidecar) && new ValueMap(sidecar.Spec.WorkloadSelector!.Labels).IsSubsetOf(labels))
            ?? new ClientView(@namespace).SidecarOf(lookups);
    }

    /// <summary>Whether what is sent to hosts that are not known, or not imported, passes. What is no mode closes the door.</summary>
    public static bool AllowsAny(Sidecar? sidecar, MeshLookups lookups) => sidecar?.Spec.OutboundTrafficPolicy?.Mode is { } mode ? mode == "ALLOW_ANY" : lookups.Settings.AllowAny;

    /// <summary>Whether its rules reach a host of a namespace: `namespace/host`, with `*`, `.` and `~` for the namespace.</summary>
    public static bool Imports(Sidecar? sidecar, MeshHost host, int port)
    {
        if (sidecar is null || sidecar.Spec.Egress.Count == 0)
            return true;
        foreach (var listener in sidecar.Spec.Egress.Where(listener => listener.Port?.Number is null or 0 || listener.Port.Number == port))
        {
            foreach (var entry in listener.Hosts)
            {
                var slash = entry.IndexOf('/');
                var (from, name) = slash < 0 ? ("*", entry) : (entry[..slash], entry[(slash + 1)..]);
                var isFrom = from switch { "*" => true, "." => host.Namespace == sidecar.Metadata.Namespace, "~" => false, _ => host.Namespace == from };
                if (isFrom && HostNames.Covers(name, host.Name))
                    return true;
            }
        }

        return false;
    }

    /// <summary>Certain workloads of its namespace.</summary>
    public static bool Selects(Sidecar sidecar) => sidecar.Spec.WorkloadSelector is { Labels.Count: > 0 };
}
