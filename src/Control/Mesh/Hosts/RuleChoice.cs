using Weft.Api.Istio;

namespace Weft.Control.Mesh.Hosts;

/// <summary>The destination rules that hold together for a host and a client: those of one namespace for the same host; the oldest has the word, further ones add subsets.</summary>
/// <param name="Variant">Empty, or `@namespace` for a client whose rules are not those of everybody.</param>
/// <param name="SameNodeOnly">The client reaches endpoints of its own node alone.</param>
internal sealed record RuleChoice(IReadOnlyList<DestinationRule> Rules, string Variant, bool SameNodeOnly)
{
    public DestinationRule? First => Rules.Count == 0 ? null : Rules[0];

    /// <summary>Each name once, with the rule that it is from and its place there.</summary>
    public IEnumerable<(DestinationRule Rule, int Index, Subset Subset)> Subsets
        => Rules.SelectMany(rule => rule.Spec.Subsets.Select((subset, i) => (Rule: rule, Index: i, Subset: subset))).Where(entry => entry.Subset.Name.Length > 0).DistinctBy(entry => entry.Subset.Name);

    public (DestinationRule Rule, int Index, Subset Subset)? Subset(string name) => Subsets.Where(entry => entry.Subset.Name == name).Select(entry => ((DestinationRule, int, Subset)?)entry).FirstOrDefault();

    /// <param name="client">Namespace of the client; null: any that has no rules of its own.</param>
    public static RuleChoice Of(MeshHost host, string? client, MeshLookups lookups)
    {
        var all = lookups.DestinationRules(host.Name).Where(rule => rule.Spec.WorkloadSelector is null).ToList();
        var forAll = Choose(all, host, null, lookups);
        var own = client is null ? forAll : Choose(all, host, client, lookups);
        // That is said to clients of the cluster (internalTrafficPolicy); those of the front door are outside of it.
        var isDoor = client == lookups.Settings.FrontDoorNamespace;
        var isOwn = !own.SequenceEqual(forAll, ReferenceEqualityComparer.Instance) || (host.SameNodeOnly && isDoor);
        return new(own, isOwn ? "@" + client : "", host.SameNodeOnly && !isDoor);
    }

    // Istio's order: the client's namespace, unless it is the root's; the host's, the root's.
    private static IReadOnlyList<DestinationRule> Choose(List<DestinationRule> all, MeshHost host, string? client, MeshLookups lookups)
    {
        foreach (var @namespace in new[] { client == lookups.Settings.RootNamespace ? null : client, host.Namespace, lookups.Settings.RootNamespace })
        {
            var seen = all.Where(rule => @namespace is not null && rule.Metadata.Namespace == @namespace && HostNames.IsExported(rule.Spec.ExportTo, @namespace, client)).ToList();
            if (seen.Count == 0)
                continue;
            var best = seen.Max(rule => Rank(rule, lookups));
            return [.. seen.Where(rule => Rank(rule, lookups) == best)];
        }

        return [];
    }

    private static int Rank(DestinationRule rule, MeshLookups lookups) => HostNames.Rank(HostNames.Whole(rule.Spec.Host, rule.Metadata.Namespace ?? "", lookups.Settings.ClusterDomain));
}
