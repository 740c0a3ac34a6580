using System.Collections.Immutable;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
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

/// <summary>Hosts of a port that the same virtual services speak for, the oldest first (Istio: at gateways the rules for a host are merged).</summary>
/// <param name="Parts">None: all requests are sent to https.</param>
internal sealed record FrontDoorHost(int Port, ValueList<string> Domains, ValueList<HostPart> Parts)
{
    private static readonly RouteConfig ToHttps = new() { Name = "https", Action = new RedirectAction { Scheme = "https" } };

    public string Name => Domains[0];

    /// <summary>Of the virtual services of a port, each host once.</summary>
    public static IEnumerable<FrontDoorHost> Of(int port, List<GatewayServer> servers, MeshLookups lookups)
    {
        var parts = new SortedDictionary<string, List<HostPart>>(StringComparer.Ordinal);
        foreach (var rules in lookups.GatewayRoutes().Where(rules => rules.Spec.Http.Count > 0))
        {
            foreach (var server in servers.Where(server => MeshIndex.GatewaysOf(rules).Contains(MeshIndex.Name(server.Gateway))))
            {
                foreach (var domain in GatewayHosts.Domains(server.Gateway, server.Server, rules, lookups))
                    Add(parts, domain, new(rules, MeshIndex.Name(server.Gateway)));
            }
        }

        var redirected = servers.Where(server => server.Server.Tls?.HttpsRedirect == true && server.Kind == ServerKind.Http)
            .SelectMany(server => server.Server.Hosts.Select(host => GatewayHosts.Parse(server.Gateway, host).Name)).Distinct().Order(StringComparer.Ordinal).ToValueList();
        var hosts = parts.Where(part => !redirected.Any(host => HostNames.Covers(host, part.Key)))
            .GroupBy(part => string.Join('\n', part.Value.Select(value => $"{MeshIndex.Name(value.Rules)} {value.Gateway}")))
            .Select(group => new FrontDoorHost(port, group.Select(part => part.Key).ToValueList(), group.First().Value.ToValueList()));
        return redirected.IsEmpty ? hosts : hosts.Append(new(port, redirected, []));
    }

    public ConfigUnit Compile(MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        var resolver = new TargetResolver(lookups, problems, lookups.Settings.FrontDoorNamespace, Port);
        var used = new HashSet<string>();
        // A route is unique in its table, and rules for several hosts stand there several times.
        var routes = Parts.SelectMany(part => RouteJobs.Rules(part.Rules, lookups, problems).SelectMany(new RouteAssembler(resolver, ClientView.Everybody, part.Gateway, Port).Routes))
            .Select(route => route with { Name = Unused($"{route.Name}~{Name}", used) }).ToValueList();
        var table = new RouteTableConfig { Name = TableOf(Port), Hosts = [new() { Name = Name, Domains = Domains, Routes = Parts.IsEmpty ? [ToHttps with { Name = $"https~{Name}" }] : routes }] };
        return UnitCodec.Routes(table, Name);
    }

    public static string TableOf(int port) => $"gateway/{port}";

    private static void Add(SortedDictionary<string, List<HostPart>> parts, string domain, HostPart value)
    {
        if (!parts.TryGetValue(domain, out var list))
            parts[domain] = list = [];
        if (!list.Contains(value))
            list.Add(value);
    }

    private static string Unused(string name, HashSet<string> used)
    {
        var free = name;
        for (var i = 2; !used.Add(free); i++)
            free = $"{name}#{i}";
        return free;
    }
}
