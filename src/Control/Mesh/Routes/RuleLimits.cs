using System.Numerics;
using Weft.Api.Istio;

namespace Weft.Control.Mesh.Routes;

/// <summary>
/// How many rules one virtual service may have every node's proxy hold for clients in the mesh. Each port of each of its hosts has a table of its own with all of them, for each group of clients that sees other
/// rules (<see cref="RuleTables"/>): an object of some 100 kB would be millions of rules. What is beyond is left out, and said.
/// </summary>
internal static class RuleLimits
{
    /// <summary>Rules times tables. A rule with several matches or destinations counts as many.</summary>
    public const int Most = 131_072;

    /// <summary>That a rule counts. What is only looked at counts one: a match for gateways alone, and two matches of a delegation that no request meets.</summary>
    public const int Parts = 8;

    /// <summary>Of a table's rules, where there are so many tables; 0: there are too many for any. A power of two: most tables that come or go change nothing.</summary>
    public static int Each(long tables) => tables > Most ? 0 : 1 << BitOperations.Log2((uint)(Most / Math.Max(1, tables)));

    /// <summary>The parts of a rule, which can be told before it is read. What is null here is a matter of who reads it.</summary>
    /// <param name="inMesh">Of a table for clients in the mesh; otherwise all matches count alike.</param>
    public static long Of(HTTPRoute? route, bool inMesh)
    {
        var matches = route?.Match ?? [];
        var own = inMesh ? matches.Count(match => IsForMesh(match?.Gateways)) : matches.Count;
        return own == 0 && matches.Count > 0 ? Math.Max(matches.Count, Targets(route)) : Math.Max((Parts * Math.Max(1L, own)) + matches.Count - own, Parts * Targets(route));
    }

    /// <summary>Parts of all rules of a table for clients in the mesh, or somewhat more.</summary>
    /// <param name="delegates">Matches and destinations of all rules of a rule's delegate.</param>
    public static long Of(VirtualServiceSpec spec, Func<HTTPRoute, long> delegates)
    {
        var all = 0L;
        foreach (var route in spec.Http ?? [])
            all += route?.Delegate is not null ? (Parts + 1) * Math.Max(Math.Max(1, route.Match?.Count ?? 0), Targets(route)) * Math.Max(1, delegates(route)) : Of(route, inMesh: true);
        return Math.Max(all, Connections(spec, inMesh: true, long.MaxValue).Sum());
    }

    /// <summary>Matches and destinations of all rules.</summary>
    public static long Size(VirtualServiceSpec spec) => (spec.Http ?? []).Sum(route => Math.Max(Math.Max(1, route?.Match?.Count ?? 0), Targets(route)));

    public static bool MayExceed(long parts, int each) => parts > (long)each * Parts;

    /// <summary>Of `tls`, and of `tcp`, how many of the first rules hold.</summary>
    /// <param name="inMesh">As of <see cref="Of(HTTPRoute?, bool)"/>.</param>
    public static (int Tls, int Tcp) Kept(VirtualServiceSpec spec, int each, bool inMesh)
    {
        var room = (long)each * Parts;
        var kept = Connections(spec, inMesh, room).TakeWhile(count => (room -= count) >= 0).Count();
        return (Math.Min(kept, spec.Tls.Count), Math.Max(0, kept - spec.Tls.Count));
    }

    public static string Why(VirtualService rules, int each) => each == 0
        ? $"is more than VirtualService {MeshIndex.Name(rules)} may have: its hosts have more than {Most} tables, one for each port and for the clients of each namespace that sees other rules, so none of its rules holds in the mesh; write fewer hosts"
        : $"is more than VirtualService {MeshIndex.Name(rules)} may have: each port of each of its hosts has {each} rules at most ({Most} in all; one with several matches or destinations counts as many), and this one and those after it are left out; write fewer hosts or rules";

    /// <param name="gateways">Of a match; null or empty: those of the object.</param>
    private static bool IsForMesh(IReadOnlyList<string>? gateways) => gateways is not { Count: > 0 } own || own.Contains(RouteJobs.Mesh);

    private static int Targets(HTTPRoute? route) => (route?.Route?.Count ?? 0) + (route?.Mirrors?.Count ?? 0) + (route?.Mirror is null ? 0 : 1);

    // Each match stands by itself, with all destinations.
    private static IEnumerable<long> Connections(VirtualServiceSpec spec, bool inMesh, long most) =>
        (spec.Tls ?? []).Select(rule => Sum(rule?.Match ?? [], match => Of(match?.Gateways, inMesh, match?.SniHosts?.Count, match?.DestinationSubnets?.Count, rule?.Route?.Count), most))
            .Concat((spec.Tcp ?? []).Select(rule => rule?.Match is { Count: > 0 } matches
                ? Sum(matches, match => Of(match?.Gateways, inMesh, match?.DestinationSubnets?.Count, rule.Route?.Count), most) : Of(null, inMesh, rule?.Route?.Count)));

    // Of more than there is room for it does not matter how many more.
    private static long Sum<T>(IReadOnlyList<T> matches, Func<T, long> parts, long most) => matches.Count > most ? matches.Count : Math.Max(1, matches.Sum(parts));

    private static long Of(IReadOnlyList<string>? gateways, bool inMesh, params ReadOnlySpan<int?> lists)
    {
        var most = 1L;
        foreach (var length in lists)
            most = Math.Max(most, length ?? 0);
        return inMesh && !IsForMesh(gateways) ? 1 : Parts * most;
    }
}
