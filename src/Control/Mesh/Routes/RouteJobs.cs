using Weft.Api.Istio;
using Weft.Control.Mesh.Addresses;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Routes;

/// <summary>Destinations and their route tables, for clients in the mesh; and each virtual service by itself, so that all of its errors are found wherever it leads.</summary>
internal static class RouteJobs
{
    public const string Mesh = "mesh";

    public static Job Of(VirtualService rules) => new($"virtualservice {MeshIndex.Name(rules)}", rules, (lookups, problems) => { VirtualServiceCheck.Check(rules, lookups, problems); return []; });

    public static IEnumerable<Job> Of(MeshIndex index)
    {
        foreach (var host in index.Hosts)
        {
            yield return new($"destination {host.Name}", host, (lookups, problems) => [Destination(host, lookups, problems)]);
            foreach (var port in host.Ports.Where(port => port.SpeaksHttp))
                yield return new($"routes {host.Name}:{port.Number}", host, (lookups, problems) => [UnitCodec.Routes(Table(host, port, lookups, problems))]);
        }
    }

    private static ConfigUnit Destination(MeshHost host, MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        IReadOnlyList<string> shared = [.. SharedAddresses.Of(host, lookups.Settings)];
        return UnitCodec.Destination(host.Name, new()
        {
            Addresses = AddressClaims.Allowed(host, lookups).ToValueList(),
            Shared = shared.ToValueList(),
            ByEndpoint = host.IsHeadless,
            Namespaces = KeyHosts.NamespacesOf(host, lookups.Settings.RootNamespace),
            Declared = KeyHosts.IsDeclared(host),
            Answer = HostAnswers.Of(host, lookups),
            Age = shared.Count == 0 ? "" : SharedAddresses.AgeOf(host),
            Ports = host.Ports.Select(port => new DestinationPort
            {
                Port = port.Number, Protocol = port.Protocol,
                Routes = port.SpeaksHttp ? $"{host.Name}:{port.Number}" : null,
                Connections = port.Protocol is PortProtocol.Http or PortProtocol.Http2 ? [] : ConnectionRules.Of(host, port, lookups, problems).ToValueList(),
            }).ToValueList(),
        });
    }

    // One host takes all requests: where a captured connection was going is known, and what its client calls it does not matter. Of a headless service it does: rules are for who asks for the service, and who
    // names a pod, or its address, means that one.
    private static RouteTableConfig Table(MeshHost host, HostPort port, MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        // What rules say is the same for all clients, and is read once.
        var read = new Dictionary<VirtualService, List<HttpRule>>(ReferenceEqualityComparer.Instance);
        var views = ClientView.Of(host, lookups).Select(view => (View: view, Routes: Routes(host, port, view, lookups, problems, read))).ToList();
        var everybody = views[^1].Routes;
        if (host.IsHeadless)
            return HeadlessTables.Of(host, port, lookups, [.. views.Select(pair => pair.View)], Needed());
        return new()
        {
            Name = $"{host.Name}:{port.Number}",
            Hosts =
            [
                new()
                {
                    Name = host.Name, Domains = ["*"],
                    Routes = Needed(),
                },
            ],
        };

        ValueList<RouteConfig> Needed() => ClientView.Needed(views, (view, own) => IsSame(view, own, everybody)).SelectMany(routes => routes).ToValueList();
    }

    private static List<RouteConfig> Routes(MeshHost host, HostPort port, ClientView view, MeshLookups lookups, List<MeshDiagnostic> problems, Dictionary<VirtualService, List<HttpRule>> read)
    {
        var assembler = new RouteAssembler(new TargetResolver(lookups, problems, view.Namespace, port.Number, host), view, Mesh, port.Number);
        if (Unruled(host, port, view, lookups, assembler) is { } refused)
            return [refused];
        if (Chosen.For(host, view, lookups, problems, rules => rules.Spec.Http.Count > 0) is not { } chosen)
            return [assembler.Default(host)];
        if (!read.TryGetValue(chosen, out var own))
            read[chosen] = own = [.. Rules(chosen, lookups, problems, lookups.RulesEach(chosen), inMesh: true)];
        var routes = own.SelectMany(assembler.Routes).ToList();
        // Whom the rules are for has these and no others: what they do not take is not for the next ones to take.
        if (!view.IsEverybody && !routes.Exists(route => route.Matches.IsEmpty || route.Matches.Any(match => match == new RouteMatch { Source = view.Source })))
            routes.Add(new() { Name = $"{MeshIndex.Name(chosen)}/none{view.Suffix}", Matches = [new() { Source = view.Source }], Action = DirectResponse.NotFound });
        return routes;
    }

    /// <summary>Of a host that the client's Sidecar does not import, so that no rule holds; null: it does.</summary>
    public static RouteConfig? Unruled(MeshHost host, HostPort port, ClientView view, MeshLookups lookups, RouteAssembler assembler)
    {
        var sidecar = view.SidecarOf(lookups);
        return ClientView.Imports(sidecar, host, port.Number) ? null
            : ClientView.AllowsAny(sidecar, lookups) ? assembler.Default(host) : Refused(view, $"{MeshIndex.Name(sidecar!)} imports it not");
    }

    /// <summary>Those that can be used.</summary>
    /// <param name="most">As <see cref="RuleLimits"/> counts them.</param>
    /// <param name="inMesh">For a table of clients in the mesh.</param>
    public static IEnumerable<HttpRule> Rules(VirtualService rules, MeshLookups lookups, List<MeshDiagnostic> problems, int most, bool inMesh)
    {
        var gateways = MeshIndex.GatewaysOf(rules);
        var (names, next, room) = (new HashSet<string>(), new Dictionary<string, int>(), new RuleRoom(rules, most, inMesh));
        foreach (var plain in Delegation.Expand(rules, lookups, problems, room))
        {
            if (!room.Takes(plain.Route, plain.Problems, plain.Field))
                yield break;
            // Of many that are called alike each goes on where the one before found a name.
            var (name, i) = (plain.Name, next.GetValueOrDefault(plain.Name, 2));
            for (; !names.Add(name); i++)
                name = $"{plain.Name}#{i}";
            next[plain.Name] = i;
            if (HttpRuleReader.Read(plain.Owner, plain.Route, plain.Field, name, gateways, plain.Problems) is { } rule)
                yield return rule;
        }
    }

    // What a host answers that the client's Sidecar keeps from it: as Istio's BlackHoleCluster.
    private static RouteConfig Refused(ClientView view, string why) => new()
    {
        Name = $"refused{view.Suffix}", Matches = view.IsEverybody ? [] : [new() { Source = view.Source }],
        Action = new DirectResponse { Status = 502, Body = $"not reachable from here: Sidecar {why}\n" },
    };

    public static bool IsSame(ClientView view, List<RouteConfig> own, List<RouteConfig> everybody)
        => own.Where(route => !route.Name.EndsWith("/none" + view.Suffix, StringComparison.Ordinal)).Select(route => Unseen(view, route)).SequenceEqual(everybody);

    private static RouteConfig Unseen(ClientView view, RouteConfig route)
    {
        var matches = route.Matches.Select(match => match.Source == view.Source ? match with { Source = SourceMatch.Any } : match).ToList();
        return route with { Name = route.Name.EndsWith(view.Suffix, StringComparison.Ordinal) ? route.Name[..^view.Suffix.Length] : route.Name, Matches = matches is [var only] && only == RouteMatch.Any ? [] : matches.ToValueList() };
    }
}
