using System.Collections.Immutable;
using Weft.Api.Core;
using Weft.Api.Istio;
using Weft.Api.Networking;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.FrontDoor.Policies;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Ingresses;
using Weft.Control.Mesh.Routes;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.FrontDoor;

/// <summary>A virtual service at a gateway. The same as long as it is the same object.</summary>
internal sealed record HostPart(VirtualService Rules, string Gateway)
{
    public bool Equals(HostPart? other) => other is not null && ReferenceEquals(Rules, other.Rules) && Gateway == other.Gateway;

    public override int GetHashCode() => MeshIndex.Name(Rules).GetHashCode(StringComparison.Ordinal);
}

/// <summary>An Ingress at a host. The same as long as it is the same object.</summary>
internal sealed record IngressPart(Ingress Ingress)
{
    public bool Equals(IngressPart? other) => other is not null && ReferenceEquals(Ingress, other.Ingress);

    public override int GetHashCode() => MeshIndex.Name(Ingress).GetHashCode(StringComparison.Ordinal);
}

/// <summary>
/// Hosts of a port that the same virtual services speak for, the oldest first (Istio: at gateways the rules for a host are merged); or a host that Ingresses speak for, too: their routes come
/// after those of virtual services.
/// </summary>
/// <param name="Parts">None, and no Ingresses: all requests are sent to https.</param>
/// <param name="Fallback">Whose default backend takes what no Ingress has a path for.</param>
internal sealed record FrontDoorHost(int Port, ValueList<string> Domains, ValueList<HostPart> Parts, ValueList<IngressPart> Ingresses, IngressPart? Fallback)
{
    /// <summary>It has a kind of TLS of its own and nothing that is served by it: what is for others, below a wildcard, is not for it.</summary>
    public bool IsUnrouted { get; init; }

    private static readonly RouteConfig ToHttps = new() { Name = "https", Action = new RedirectAction { Scheme = "https" } };

    public string Name => Domains[0];

    /// <summary>Hosts that gateways send to https as a whole, also where an Ingress speaks for them.</summary>
    public static ValueList<string> Redirected(DoorPort port) => port.Servers.Where(server => server.Server.Tls?.HttpsRedirect == true && server.Kind == ServerKind.Http)
        .SelectMany(server => server.Server.Hosts.Select(host => GatewayHosts.Parse(server.Gateway, host).Name)).Distinct().Order(StringComparer.Ordinal).ToValueList();

    public ConfigUnit Compile(MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        var resolver = new TargetResolver(lookups, problems, lookups.Settings.FrontDoorNamespace, Port);
        var used = new HashSet<string>();
        // A route is unique in its table, and rules for several hosts stand there several times.
        var routes = Parts.SelectMany(part => Of(part, resolver, lookups, problems))
            .Concat(Ingresses.IsEmpty ? [] : new IngressRoutes(Port, Name, lookups, problems).Of(Ingresses.Select(part => part.Ingress), Fallback?.Ingress))
            .Select(route => route with { Name = Unused($"{route.Name}~{Name}", used) }).ToValueList();
        var limits = Shared(routes);
        var host = new VirtualHostConfig
        {
            Name = Name, Domains = Domains, Filters = limits,
            Routes = IsUnrouted ? [] : Parts.IsEmpty && Ingresses.IsEmpty ? [ToHttps with { Name = $"https~{Name}" }]
                : limits.IsEmpty ? routes : routes.Select(route => route with { Filters = route.Filters.Where(filter => !limits.Contains(filter)).ToValueList() }).ToValueList(),
        };
        var table = new RouteTableConfig { Name = TableOf(Port), Hosts = [host] };
        return UnitCodec.Routes(table, Name);
    }

    public static string TableOf(int port) => DoorTables.Of(port);

    private IEnumerable<RouteConfig> Of(HostPart part, TargetResolver resolver, MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        var gateway = part.Gateway.Split('/', 2);
        foreach (var rule in RouteJobs.Rules(part.Rules, lookups, problems, RuleLimits.Most, inMesh: false))
        {
            // What is nearest first: the rules, those that they are delegated to, the services, the gateway.
            ObjectRef[] targets = [Problems.RefOf(part.Rules), Problems.RefOf(rule.Owner), .. Services(rule, lookups), new("Gateway", gateway[0], gateway[1])];
            var filters = DoorPolicies.Filters(targets, lookups, problems).ToValueList();
            foreach (var route in new RouteAssembler(resolver, ClientView.Everybody, part.Gateway, Port).Routes(rule))
                yield return filters.IsEmpty ? route : route with { Filters = WithPolicies(route.Filters, filters) };
        }
    }

    // A limit that all have counts for the host as a whole: each route would count for itself. One by consumer stays where the consumer is known.
    private static ValueList<FilterConfig> Shared(ValueList<RouteConfig> routes)
    {
        var forwards = routes.Where(route => route.Action is ForwardAction).ToList();
        return forwards.Count < 2 ? [] : forwards[0].Filters.Where(filter => filter is RateLimitFilter limit && !limit.Keys.Any(key => key is IdentityKey) && forwards.TrueForAll(route => route.Filters.Contains(filter))).ToValueList();
    }

    // Preflights carry no credentials, so CORS answers before anybody asks for some.
    private static ValueList<FilterConfig> WithPolicies(ValueList<FilterConfig> own, ValueList<FilterConfig> policies)
        => [.. own.Where(filter => filter is CorsFilter), .. policies, .. own.Where(filter => filter is not CorsFilter)];

    private static IEnumerable<ObjectRef> Services(HttpRule rule, MeshLookups lookups) => rule.Targets
        .Select(target => lookups.Host(HostNames.Whole(target.Destination.Host, rule.Owner.Metadata.Namespace ?? "", lookups.Settings.ClusterDomain))?.Source).OfType<Service>().Select(Problems.RefOf).Distinct();

    private static string Unused(string name, HashSet<string> used)
    {
        var free = name;
        for (var i = 2; !used.Add(free); i++)
            free = $"{name}#{i}";
        return free;
    }
}
