using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Routes;
using Weft.Control.Mesh.Security;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.FrontDoor;

/// <summary>Ports of the front door: those of all gateways together, with the routes of the virtual services that name them.</summary>
internal static class FrontDoorJobs
{
    public static IEnumerable<Job> Of(MeshIndex index)
    {
        var gateways = MeshIndex.Ordered(index.Inputs.Gateways);
        foreach (var gateway in gateways)
            yield return new($"gateway {MeshIndex.Name(gateway)}", gateway, (lookups, problems) => { Check(gateway, lookups, problems); return []; });
        foreach (var port in gateways.SelectMany(gateway => gateway.Spec.Servers).Select(server => server.Port.Number).Where(port => port is > 0 and < 65_536).Distinct())
        {
            yield return new($"frontdoor {port}", port, (lookups, problems) => Port(port, lookups, problems));
            // Who speaks for which host is looked up each time: it is little beside the routes themselves, which are compiled host by host.
            var now = new MeshLookups(index);
            if (GatewayServers.Of(port, now, []) is not [{ Kind: ServerKind.Http or ServerKind.Https }, ..] servers)
                continue;
            foreach (var host in FrontDoorHost.Of(port, servers, now))
                yield return new($"frontdoor {port} {host.Name}", host, (lookups, problems) => [host.Compile(lookups, problems)]);
        }
    }

    private static void Check(Gateway gateway, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var problems = Problems.Of(gateway, diagnostics);
        if (gateway.Spec.Servers.Count == 0)
            problems.Error("spec.servers", "is missing; say which ports");
        if (!GatewayServers.IsSelected(gateway, lookups))
            problems.Error("spec.selector", $"selects no front door; that of this mesh has the labels {string.Join(", ", lookups.Settings.FrontDoorLabels.Select(label => $"{label.Key}: {label.Value}"))}");
        foreach (var (i, server) in gateway.Spec.Servers.Index().Where(item => item.Item.Port.Number is <= 0 or > 65_535))
            problems.Error($"spec.servers[{i}].port.number", $"{server.Port.Number} is no port; 1 to 65535");
    }

    private static IEnumerable<ConfigUnit> Port(int port, MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        var servers = GatewayServers.Of(port, lookups, problems);
        if (servers.Count == 0)
            yield break;
        var first = servers[0];
        var name = FrontDoorHost.TableOf(port);
        var listener = new ListenerConfig { Name = name, Address = string.IsNullOrEmpty(first.Server.Bind) ? "0.0.0.0" : first.Server.Bind, Port = port, Tls = Tls(servers) };
        if (first.Kind is ServerKind.Http or ServerKind.Https)
        {
            listener = listener with { RouteTable = name };
        }
        else
        {
            var connections = servers.SelectMany(server => Connections(server, port, lookups, problems)).ToValueList();
            if (connections.IsEmpty)
            {
                foreach (var server in servers)
                    Problems.Of(server.Gateway, problems).Warn(server.Field, $"no VirtualService has {(first.Kind == ServerKind.Passthrough ? "tls" : "tcp")} rules for it, so nothing is listened on");
                yield break;
            }

            listener = listener with { Kind = first.Kind == ServerKind.Passthrough ? ListenerKind.TlsPassthrough : ListenerKind.Tcp, ConnectionRoutes = connections };
        }

        var (@namespace, labels) = (lookups.Settings.FrontDoorNamespace, lookups.Settings.FrontDoorLabels);
        yield return UnitCodec.Listener(new()
        {
            Listener = listener, ClientSecret = first.Tls?.ClientSecret,
            Policies = SecurityJobs.Policies(@namespace, labels, lookups), Tokens = SecurityJobs.Tokens(@namespace, labels, lookups),
        });
    }

    private static ListenerTls? Tls(List<GatewayServer> servers)
        => servers[0].Tls?.Settings is not { } settings ? null : settings with { Certificates = servers.SelectMany(server => server.Tls!.Settings.Certificates).Distinct().ToValueList() };

    private static IEnumerable<ConnectionRoute> Connections(GatewayServer server, int port, MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        var gateway = MeshIndex.Name(server.Gateway);
        var resolver = new TargetResolver(lookups, problems, lookups.Settings.FrontDoorNamespace, port);
        foreach (var rules in lookups.GatewayRoutes().Where(rules => MeshIndex.GatewaysOf(rules).Contains(gateway)))
        {
            var domains = GatewayHosts.Domains(server.Gateway, server.Server, rules, lookups).ToList();
            if (domains.Count == 0)
                continue;
            if (server.Kind != ServerKind.Passthrough)
            {
                foreach (var route in ConnectionRules.Tcp(rules, gateway, port, resolver, problems).Where(route => route.Source is { Namespaces.IsEmpty: true, Labels.Count: 0 }))
                    yield return route;
                continue;
            }

            foreach (var route in ConnectionRules.Tls(rules, gateway, port, resolver, problems).Where(route => route.Source == SourceMatch.Any))
            {
                var names = route.ServerNames.SelectMany(name => domains.Select(domain => HostNames.Common(domain, name))).OfType<string>().Distinct().ToValueList();
                if (!names.IsEmpty)
                    yield return route with { ServerNames = names };
            }
        }
    }
}
