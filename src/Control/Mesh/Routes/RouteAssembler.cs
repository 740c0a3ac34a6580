using Weft.Control.Mesh.Clusters;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Routes;

/// <summary>From rules that are read to routes of a table.</summary>
/// <param name="gateway">`mesh` or `namespace/name`: whose clients the table is for.</param>
internal sealed class RouteAssembler(TargetResolver resolver, ClientView view, string gateway, int port)
{
    public IEnumerable<RouteConfig> Routes(HttpRule rule)
    {
        var matches = rule.Matches.Where(match => match.Gateways.Contains(gateway) && (match.Port is null || match.Port == port))
            .Select(match => match.Match).Select(WithSource).OfType<RouteMatch>().ToList();
        if (matches.Count == 0)
            return [];
        var name = rule.Name + view.Suffix;
        if (rule.Action is not ForwardAction forward)
            return [new() { Name = name, Matches = Plain(matches), Action = rule.Action, Filters = rule.Filters }];

        var targets = rule.Targets.Select(target => (target.Share, To: resolver.Resolve(rule.Owner, target.Destination, target.Field))).ToList();
        var hash = targets.Select(target => target.To.Hash).FirstOrDefault(policies => !policies.IsEmpty);
        forward = forward with
        {
            Clusters = targets.Select(target => target.Share with { Cluster = target.To.Cluster }).ToValueList(),
            Mirrors = rule.Mirrors.Select(mirror => new Mirror { Cluster = resolver.Resolve(rule.Owner, mirror.Destination, mirror.Field, isCopy: true).Cluster, Fraction = mirror.Fraction })
                .Where(mirror => mirror.Cluster != ClusterNames.Unknown).ToValueList(),
            Hash = hash,
            // What a hash keeps together is not to be scattered by another try (Istio).
            Retry = hash.IsEmpty ? forward.Retry : forward.Retry with { OtherEndpoint = false },
        };
        if (rule.RewriteUri is not { } uri)
            return [new() { Name = name, Matches = Plain(matches), Action = forward, Filters = rule.Filters }];

        // What a new path replaces depends on what matched: the prefix, or all.
        var byPrefix = matches.Where(match => match.Path is null or { Kind: PathMatchKind.TextPrefix }).Select(match => match with { Path = match.Path ?? new(PathMatchKind.TextPrefix, "/") }).ToList();
        var whole = matches.Where(match => match.Path is { Kind: PathMatchKind.Exact or PathMatchKind.Regex }).ToList();
        return new[] { (byPrefix, Part: "", Rewrite: forward.Rewrite with { Prefix = uri }), (whole, Part: byPrefix.Count > 0 ? "/whole" : "", Rewrite: forward.Rewrite with { Path = uri }) }
            .Where(part => part.Item1.Count > 0)
            .Select(part => new RouteConfig { Name = name + part.Part, Matches = part.Item1.ToValueList(), Action = forward with { Rewrite = part.Rewrite }, Filters = rule.Filters });
    }

    /// <summary>To the host itself.</summary>
    public RouteConfig Default(MeshHost host)
    {
        var self = resolver.Self(host, port);
        return new()
        {
            Name = "default" + view.Suffix,
            Matches = view.IsEverybody ? [] : [new RouteMatch { Source = view.Source }],
            Action = new ForwardAction
            {
                Clusters = [new WeightedCluster { Cluster = self.Cluster }], Hash = self.Hash,
                Retry = self.Hash.IsEmpty ? RetryPolicy.Default : RetryPolicy.Default with { OtherEndpoint = false },
            },
        };
    }

    private static ValueList<RouteMatch> Plain(List<RouteMatch> matches) => matches is [var only] && only == RouteMatch.Any ? [] : matches.ToValueList();

    // Null: no client of the view meets it.
    private RouteMatch? WithSource(RouteMatch match)
    {
        var source = match.Source;
        // The front door's clients are no workloads.
        if (gateway != RouteJobs.Mesh)
            return source == SourceMatch.Any ? match : null;
        if (view.Namespace is null)
            return match;
        if (!source.Namespaces.IsEmpty && !source.Namespaces.Contains(view.Namespace))
            return null;
        if (view.Labels.Any(label => source.Labels.TryGetValue(label.Key, out var other) && other != label.Value))
            return null;
        return match with { Source = source with { Namespaces = [view.Namespace], Labels = new ValueMap(view.Labels.Concat(source.Labels).DistinctBy(label => label.Key)) } };
    }
}
