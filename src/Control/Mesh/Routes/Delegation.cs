using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;

namespace Weft.Control.Mesh.Routes;

/// <param name="Owner">Whose names are resolved.</param>
internal sealed record PlainRoute(VirtualService Owner, HTTPRoute Route, string Field, string Name, Problems Problems);

/// <summary>Rules with their delegates in place (Istio: one level; what the root says holds where the delegate says nothing).</summary>
internal static class Delegation
{
    /// <param name="room">That is left when the rules before have been taken.</param>
    public static IEnumerable<PlainRoute> Expand(VirtualService root, MeshLookups lookups, List<MeshDiagnostic> diagnostics, RuleRoom room)
    {
        var problems = Problems.Of(root, diagnostics);
        foreach (var (i, route) in root.Spec.Http.Index())
        {
            var field = $"spec.http[{i}]";
            var name = $"{MeshIndex.Name(root)}/{(string.IsNullOrEmpty(route.Name) ? $"http[{i}]" : route.Name)}";
            if (route.Delegate is null)
            {
                yield return new(root, route, field, name, problems);
                continue;
            }

            foreach (var plain in Delegated(root, route, field, name, problems, lookups, diagnostics, room))
                yield return plain;
            if (room.IsOver)
                yield break;
        }
    }

    private static IEnumerable<PlainRoute> Delegated(
        VirtualService root, HTTPRoute route, string field, string name, Problems problems, MeshLookups lookups, List<MeshDiagnostic> diagnostics, RuleRoom room)
    {
        var (@namespace, target) = (route.Delegate!.Namespace ?? root.Metadata.Namespace ?? "", route.Delegate.Name ?? "");
        var found = lookups.VirtualService(@namespace, target);
        if (route.Route.Count > 0 || route.Redirect is not null || route.DirectResponse is not null)
            problems.Error(field, "has a delegate and an action of its own; keep one");
        if (found is null || !HostNames.IsExported(found.Spec.ExportTo, @namespace, root.Metadata.Namespace))
            problems.Error($"{field}.delegate", $"there is no VirtualService {@namespace}/{target}{(found is null ? "" : $" that is exported to {root.Metadata.Namespace}")}; create it, or name another");
        else if (found.Spec.Hosts.Count > 0)
            problems.Error($"{field}.delegate", $"VirtualService {@namespace}/{target} has hosts of its own; a delegate has none");
        else
        {
            var own = Problems.Of(found, diagnostics);
            foreach (var (i, rule) in found.Spec.Http.Index())
            {
                var at = $"spec.http[{i}]";
                if (rule.Delegate is not null)
                    own.Error($"{at}.delegate", "a delegate has no delegates; one level is all that there is");
                else if (Matches(route.Match, rule.Match, at, MeshIndex.Name(root), own, room) is { } matches)
                {
                    yield return new(found, Merge(route, rule) with { Match = matches }, at, $"{name}/{MeshIndex.Name(found)}/{(string.IsNullOrEmpty(rule.Name) ? $"http[{i}]" : rule.Name)}", own);
                    continue;
                }

                // One that is left out for what it says has its place all the same.
                if (room.IsOver || !room.Takes(RuleLimits.Parts, own, at))
                    yield break;
            }

            yield break;
        }

        // The requests are this rule's all the same: it answers for the delegate that it does not have.
        yield return new(root, new HTTPRoute { Match = route.Match, DirectResponse = new HTTPDirectResponse { Status = 500, Body = new() { String = "the rule for this request is not valid\n" } } }, field, name, problems);
    }

    private static HTTPRoute Merge(HTTPRoute root, HTTPRoute rule) => rule with
    {
        Rewrite = rule.Rewrite ?? root.Rewrite, Timeout = rule.Timeout ?? root.Timeout, Retries = rule.Retries ?? root.Retries, Fault = rule.Fault ?? root.Fault,
        Mirror = rule.Mirror ?? root.Mirror, Mirrors = rule.Mirrors.Count > 0 ? rule.Mirrors : root.Mirrors, MirrorPercent = rule.MirrorPercent ?? root.MirrorPercent,
        MirrorPercentage = rule.MirrorPercentage ?? root.MirrorPercentage, CorsPolicy = rule.CorsPolicy ?? root.CorsPolicy, Headers = rule.Headers ?? root.Headers,
    };

    // Null: no request meets both, or there is no room.
    private static IReadOnlyList<HTTPMatchRequest>? Matches(IReadOnlyList<HTTPMatchRequest> root, IReadOnlyList<HTTPMatchRequest> rule, string field, string rootName, Problems problems, RuleRoom room)
    {
        if (root.Count == 0 || rule.Count == 0)
            return root.Count == 0 ? rule : root;
        if ((long)root.Count * rule.Count > RuleLimits.Most)
        {
            problems.Error($"{field}.match", $"has {rule.Count}, and the rule of VirtualService {rootName} that leads here {root.Count}: each with each they are more than {RuleLimits.Most}, so the rule is left out; write fewer");
            return null;
        }

        // Before they are made: of so many there may be one for each table.
        if (!room.Fits((long)root.Count * rule.Count, problems, field))
            return null;
        var both = root.SelectMany(one => rule.Select(other => Both(one, other))).OfType<HTTPMatchRequest>().ToList();
        if (!room.Takes(((long)root.Count * rule.Count) - both.Count, problems, field))
            return null;
        if (both.Count > 0)
            return both;
        problems.Error($"{field}.match", $"no request meets it and the rule of VirtualService {rootName} that leads here; a delegate's match is a part of its root's");
        return null;
    }

    private static HTTPMatchRequest? Both(HTTPMatchRequest one, HTTPMatchRequest other)
    {
        var isSame = Fits(one.Scheme, other.Scheme) && Fits(one.Method, other.Method) && Fits(one.Authority, other.Authority) && (one.Port is null || other.Port is null || one.Port == other.Port)
            && (one.SourceNamespace is null || other.SourceNamespace is null || one.SourceNamespace == other.SourceNamespace)
            && Fits(one.Headers, other.Headers) && Fits(one.WithoutHeaders, other.WithoutHeaders) && Fits(one.QueryParams, other.QueryParams) && Fits(one.SourceLabels, other.SourceLabels)
            && FitsPath(one.Uri, other.Uri);
        return !isSame ? null : other with
        {
            Uri = other.Uri ?? one.Uri, Scheme = other.Scheme ?? one.Scheme, Method = other.Method ?? one.Method, Authority = other.Authority ?? one.Authority, Port = other.Port ?? one.Port,
            SourceNamespace = other.SourceNamespace ?? one.SourceNamespace, IgnoreUriCase = other.IgnoreUriCase ?? one.IgnoreUriCase,
            Headers = Union(one.Headers, other.Headers), WithoutHeaders = Union(one.WithoutHeaders, other.WithoutHeaders), QueryParams = Union(one.QueryParams, other.QueryParams),
            SourceLabels = Union(one.SourceLabels, other.SourceLabels), Gateways = other.Gateways.Count > 0 ? other.Gateways : one.Gateways,
        };
    }

    private static bool Fits(StringMatch? one, StringMatch? other) => one is null || other is null || one == other;

    // Of two prefixes the delegate's is the longer; an exact path lies below a prefix.
    private static bool FitsPath(StringMatch? one, StringMatch? other)
        => Fits(one, other) || (one?.Prefix is { } prefix && (other?.Exact ?? other?.Prefix) is { } path && path.StartsWith(prefix, StringComparison.Ordinal));

    private static bool Fits<T>(IReadOnlyDictionary<string, T> one, IReadOnlyDictionary<string, T> other) where T : notnull
        => one.All(pair => !other.TryGetValue(pair.Key, out var value) || pair.Value.Equals(value));

    private static IReadOnlyDictionary<string, T> Union<T>(IReadOnlyDictionary<string, T> one, IReadOnlyDictionary<string, T> other)
        => one.Concat(other).DistinctBy(pair => pair.Key).ToDictionary();
}
