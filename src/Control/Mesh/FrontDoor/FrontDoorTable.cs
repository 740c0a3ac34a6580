using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Routes;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.FrontDoor;

/// <summary>The routes of a port by host. Virtual services that share a host share its routes, the oldest first (Istio: at gateways they are merged).</summary>
internal static class FrontDoorTable
{
    private static readonly RouteConfig ToHttps = new() { Name = "https", Action = new RedirectAction { Scheme = "https" } };

    public static RouteTableConfig Of(string name, int port, List<GatewayServer> servers, MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        // Domain to those who speak for it, in order.
        var parts = new SortedDictionary<string, List<(VirtualService Rules, string Gateway)>>(StringComparer.Ordinal);
        foreach (var rules in lookups.GatewayRoutes().Where(rules => rules.Spec.Http.Count > 0))
        {
            foreach (var server in servers.Where(server => MeshIndex.GatewaysOf(rules).Contains(MeshIndex.Name(server.Gateway))))
            {
                foreach (var domain in GatewayHosts.Domains(server.Gateway, server.Server, rules, lookups))
                    Add(parts, domain, (rules, MeshIndex.Name(server.Gateway)));
            }
        }

        var redirected = servers.Where(server => server.Server.Tls?.HttpsRedirect == true && server.Kind == ServerKind.Http)
            .SelectMany(server => server.Server.Hosts.Select(host => GatewayHosts.Parse(server.Gateway, host).Name)).Distinct().ToList();
        foreach (var domain in parts.Keys.Where(domain => redirected.Exists(host => HostNames.Covers(host, domain))).ToList())
            parts.Remove(domain);

        var used = new HashSet<string>();
        var hosts = parts.GroupBy(part => string.Join('\n', part.Value.Select(value => $"{MeshIndex.Name(value.Rules)} {value.Gateway}")))
            .Select(group => Host([.. group.Select(part => part.Key)], group.First().Value, port, used, lookups, problems)).ToList();
        if (redirected.Count > 0)
            hosts.Add(new() { Name = "https", Domains = redirected.Order(StringComparer.Ordinal).ToValueList(), Routes = [ToHttps] });
        return new() { Name = name, Hosts = hosts.OrderBy(host => host.Name, StringComparer.Ordinal).ToValueList() };
    }

    private static void Add(SortedDictionary<string, List<(VirtualService, string)>> parts, string domain, (VirtualService, string) value)
    {
        if (!parts.TryGetValue(domain, out var list))
            parts[domain] = list = [];
        if (!list.Contains(value))
            list.Add(value);
    }

    private static VirtualHostConfig Host(List<string> domains, List<(VirtualService Rules, string Gateway)> parts, int port, HashSet<string> used, MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        var resolver = new TargetResolver(lookups, problems, lookups.Settings.FrontDoorNamespace, port);
        var routes = parts.SelectMany(part => RouteJobs.Rules(part.Rules, lookups, problems).SelectMany(new RouteAssembler(resolver, ClientView.Everybody, part.Gateway, port).Routes))
            .Select(route => used.Add(route.Name) ? route : route with { Name = Unused($"{route.Name}~{domains[0]}", used) });
        return new() { Name = domains[0], Domains = domains.ToValueList(), Routes = routes.ToValueList() };
    }

    private static string Unused(string name, HashSet<string> used)
    {
        var free = name;
        for (var i = 2; !used.Add(free); i++)
            free = $"{name}#{i}";
        return free;
    }
}
