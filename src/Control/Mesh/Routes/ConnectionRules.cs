using System.Net;
using Weft.Api.Istio;
using Weft.Control.Mesh.Clusters;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Routes;

/// <summary>Rules for connections that are not HTTP: `tls` by the name that the client asks for, `tcp`, and the host itself.</summary>
internal static class ConnectionRules
{
    public static IEnumerable<ConnectionRoute> Of(MeshHost host, HostPort port, MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        var views = ClientView.Of(host, lookups).Select(view => (View: view, Routes: Of(host, port, view, lookups, problems).ToList())).ToList();
        var everybody = views[^1].Routes;
        return ClientView.Needed(views, (view, own) => own.Select(route => route.Source == view.Source ? route with { Source = SourceMatch.Any } : route).SequenceEqual(everybody)).SelectMany(routes => routes);
    }

    private static IEnumerable<ConnectionRoute> Of(MeshHost host, HostPort port, ClientView view, MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        var resolver = new TargetResolver(lookups, problems, view.Namespace, port.Number);
        var sidecar = view.SidecarOf(lookups);
        var self = new ConnectionRoute { Source = view.Source, Clusters = [new() { Cluster = resolver.Self(host, port.Number).Cluster }] };
        if (!ClientView.Imports(sidecar, host, port.Number))
            return [ClientView.AllowsAny(sidecar, lookups) ? self : self with { Clusters = [new() { Cluster = ClusterNames.Unknown }] }];

        var speaksTls = port.Protocol is PortProtocol.Auto or PortProtocol.Tls;
        var chosen = Chosen.For(host, view, lookups, problems, rules => (speaksTls && rules.Spec.Tls.Count > 0) || rules.Spec.Tcp.Count > 0);
        if (chosen is null)
            return [self];
        var most = lookups.RulesEach(chosen);
        var routes = (speaksTls ? Tls(chosen, RouteJobs.Mesh, port.Number, resolver, problems, most) : []).Concat(Tcp(chosen, RouteJobs.Mesh, port.Number, resolver, problems, most))
            .Select(route => WithSource(route, view)).OfType<ConnectionRoute>().ToList();
        // In Istio a name that no rule takes goes to the host itself; so does TCP where the object has rules for TLS only.
        return [.. routes, self];
    }

    /// <param name="most">As <see cref="RuleLimits"/> counts them.</param>
    public static IEnumerable<ConnectionRoute> Tls(VirtualService rules, string gateway, int port, TargetResolver resolver, List<MeshDiagnostic> diagnostics, int most)
    {
        var problems = Problems.Of(rules, diagnostics);
        foreach (var (i, rule) in rules.Spec.Tls.Take(RuleLimits.Kept(rules.Spec, most, gateway == RouteJobs.Mesh).Tls).Index())
        {
            foreach (var (j, match) in rule.Match.Index())
            {
                if (!IsFor(rules, match.Gateways, gateway) || (match.Port is > 0 && match.Port != port))
                    continue;
                var before = problems.Errors;
                var field = $"spec.tls[{i}].match[{j}]";
                Names(rules, match, field, problems);
                Ranges(match.DestinationSubnets, $"{field}.destinationSubnets", problems);
                if (problems.Errors > before)
                    continue;
                yield return new()
                {
                    ServerNames = match.SniHosts.Select(name => name.ToLowerInvariant()).ToValueList(), DestinationRanges = match.DestinationSubnets.ToValueList(),
                    Source = Source(match.SourceNamespace, match.SourceLabels, null), Clusters = Clusters(rules, rule.Route, $"spec.tls[{i}].route", resolver, problems),
                };
            }
        }
    }

    /// <param name="most">As <see cref="RuleLimits"/> counts them.</param>
    public static IEnumerable<ConnectionRoute> Tcp(VirtualService rules, string gateway, int port, TargetResolver resolver, List<MeshDiagnostic> diagnostics, int most)
    {
        var problems = Problems.Of(rules, diagnostics);
        foreach (var (i, rule) in rules.Spec.Tcp.Take(RuleLimits.Kept(rules.Spec, most, gateway == RouteJobs.Mesh).Tcp).Index())
        {
            foreach (var (j, match) in rule.Match.DefaultIfEmpty(new L4MatchAttributes()).Index())
            {
                if (!IsFor(rules, match.Gateways, gateway) || (match.Port is > 0 && match.Port != port))
                    continue;
                var before = problems.Errors;
                Ranges(match.DestinationSubnets, $"spec.tcp[{i}].match[{j}].destinationSubnets", problems);
                Ranges(match.SourceSubnet is { } subnet ? [subnet] : [], $"spec.tcp[{i}].match[{j}].sourceSubnet", problems);
                if (problems.Errors > before)
                    continue;
                yield return new()
                {
                    DestinationRanges = match.DestinationSubnets.ToValueList(), Source = Source(match.SourceNamespace, match.SourceLabels, match.SourceSubnet),
                    Clusters = Clusters(rules, rule.Route, $"spec.tcp[{i}].route", resolver, problems),
                };
            }
        }
    }

    private static bool IsFor(VirtualService rules, IReadOnlyList<string> own, string gateway)
        => (own.Count > 0 ? MeshIndex.GatewayNames(own, rules.Metadata.Namespace ?? "") : MeshIndex.GatewaysOf(rules)).Contains(gateway);

    private static void Names(VirtualService rules, TLSMatchAttributes match, string field, Problems problems)
    {
        if (match.SniHosts.Count == 0)
            problems.Error($"{field}.sniHosts", "is missing; say which names, or use tcp");
        foreach (var (i, name) in match.SniHosts.Index())
        {
            if (!HostNames.IsHost(name))
                problems.Error($"{field}.sniHosts[{i}]", $"'{name}' is neither a name nor *.name");
            else if (!rules.Spec.Hosts.Take(VirtualServiceSpec.MostHosts).Any(host => HostNames.Covers(host.ToLowerInvariant(), name.ToLowerInvariant())))
                problems.Error($"{field}.sniHosts[{i}]", $"'{name}' is none of spec.hosts and below none of their wildcards; add it there");
        }
    }

    private static void Ranges(IReadOnlyList<string> ranges, string field, Problems problems)
    {
        foreach (var (i, range) in ranges.Index().Where(item => !IPNetwork.TryParse(item.Item, out _) && !IPAddress.TryParse(item.Item, out _)))
            problems.Error($"{field}[{i}]", $"'{range}' is no address range; write it as 10.0.0.0/8");
    }

    private static SourceMatch Source(string? @namespace, IReadOnlyDictionary<string, string> labels, string? range) => new()
    {
        Namespaces = string.IsNullOrEmpty(@namespace) ? [] : [@namespace], Labels = new ValueMap(labels), Ranges = range is null ? [] : [range],
    };

    private static ConnectionRoute? WithSource(ConnectionRoute route, ClientView view)
    {
        if (view.Namespace is null)
            return route;
        if ((!route.Source.Namespaces.IsEmpty && !route.Source.Namespaces.Contains(view.Namespace)) || view.Labels.Any(label => route.Source.Labels.TryGetValue(label.Key, out var other) && other != label.Value))
            return null;
        return route with { Source = route.Source with { Namespaces = [view.Namespace], Labels = new ValueMap(view.Labels.Concat(route.Source.Labels).DistinctBy(label => label.Key)) } };
    }

    private static ValueList<WeightedCluster> Clusters(VirtualService rules, IReadOnlyList<RouteDestination> route, string field, TargetResolver resolver, Problems problems)
    {
        var shares = route.Select((target, i) => new WeightedCluster
        {
            Cluster = resolver.Resolve(rules, target.Destination, $"{field}[{i}].destination").Cluster, Weight = Math.Max(0, route.Count == 1 ? 1 : target.Weight ?? 0),
        }).ToValueList();
        if (shares.Any(share => share.Weight > 0))
            return shares;
        problems.Error(field, route.Count == 0 ? "is missing; say where the connections go" : "no destination has a weight above 0");
        return [new() { Cluster = ClusterNames.Unknown }];
    }
}
