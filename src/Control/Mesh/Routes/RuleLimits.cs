using Weft.Api.Istio;

namespace Weft.Control.Mesh.Routes;

/// <summary>
/// How many rules one virtual service may have every node's proxy hold for clients in the mesh. Each port of each of its hosts has a table of its own with all of them: an object of some 100 kB would be millions of
/// rules. What is beyond is left out, and said.
/// </summary>
internal static class RuleLimits
{
    /// <summary>Rules times tables. A rule with several matches or destinations counts as many.</summary>
    public const int Most = 131_072;

    /// <summary>Of a table's rules, where there are so many tables.</summary>
    public static int Each(long tables) => (int)Math.Max(1, Most / Math.Max(1, tables));

    /// <summary>Whether the rules may be more than those of each table. With delegates they may; and what is null here is a matter of who reads it.</summary>
    public static bool MayExceed(VirtualServiceSpec spec, int each) =>
        (spec.Http ?? []).Any(route => route?.Delegate is not null) || (spec.Http ?? []).Sum(Count) > each || Connections(spec).Sum() > each;

    public static int Of(HttpRule rule) => Math.Max(Math.Max(1, rule.Matches.Length), rule.Targets.Length + rule.Mirrors.Length);

    /// <summary>Of `tls`, and of `tcp`, how many of the first rules hold.</summary>
    public static (int Tls, int Tcp) Kept(VirtualServiceSpec spec, int each)
    {
        var room = (long)each;
        var kept = Connections(spec).TakeWhile(count => (room -= count) >= 0).Count();
        return (Math.Min(kept, spec.Tls.Count), Math.Max(0, kept - spec.Tls.Count));
    }

    public static string Why(VirtualService rules, int each) =>
        $"is more than VirtualService {MeshIndex.Name(rules)} may have: each port of each of its hosts has {each} rules at most ({Most} in all; one with several matches or destinations counts as many), and this one and those after it are left out; write fewer hosts or rules";

    private static long Count(HTTPRoute? route) => Longest(route?.Match?.Count, (route?.Route?.Count ?? 0) + (route?.Mirrors?.Count ?? 0) + (route?.Mirror is null ? 0 : 1));

    // Each match stands by itself, with all destinations.
    private static IEnumerable<long> Connections(VirtualServiceSpec spec) =>
        (spec.Tls ?? []).Select(rule => (rule?.Match ?? []).Sum(match => Longest(match?.SniHosts?.Count, match?.DestinationSubnets?.Count, rule!.Route?.Count)))
            .Concat((spec.Tcp ?? []).Select(rule => (rule?.Match ?? []).DefaultIfEmpty(new()).Sum(match => Longest(match?.DestinationSubnets?.Count, rule?.Route?.Count))));

    private static long Longest(params ReadOnlySpan<int?> lists)
    {
        var most = 1;
        foreach (var length in lists)
            most = Math.Max(most, length ?? 0);
        return most;
    }
}
