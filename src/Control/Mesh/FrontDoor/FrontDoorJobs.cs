using System.Net;
using Weft.Api;
using Weft.Api.Istio;
using Weft.Api.Networking;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Ingresses;
using Weft.Control.Mesh.Routes;
using Weft.Control.Mesh.Security;
using Weft.Control.Mesh.Texts;
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
        foreach (var number in DoorPort.Numbers(index))
            yield return new($"frontdoor {number}", number, (lookups, problems) => Port(number, lookups, problems));
        foreach (var ours in MeshIndex.Ordered(index.Inputs.IngressClasses.Where(IngressClasses.IsOurs)))
            yield return new($"ingressclass {ours.Metadata.Name}", ours, (_, problems) => { Check(ours, Problems.Of(ours, problems)); return []; });
    }

    /// <summary>Hosts of a port that speaks HTTP: of those that were there before the ones that are different.</summary>
    /// <param name="before">Null: there was none of the port.</param>
    /// <returns>Null: the port does not speak HTTP, or nobody wants it. Names of jobs that are gone or changed, and jobs that are new or changed.</returns>
    public static (DoorHosts Now, IEnumerable<string> Gone, IReadOnlyCollection<Job> Come)? Hosts(int number, MeshIndex index, DoorHosts? before)
    {
        var lookups = new MeshLookups(index);
        var port = DoorPort.Of(number, lookups, []);
        if (port.Kind is not (ServerKind.Http or ServerKind.Https))
            return null;
        var (now, gone, come) = DoorHosts.Of(port, lookups, before);
        return (now, gone.Select(NameOf), [.. come.Select(host => new Job(NameOf(host.Name), host, (asked, problems) => [host.Compile(asked, problems)]))]);

        string NameOf(string host) => $"frontdoor {number} {host}";
    }

    private static void Check(IngressClass ours, Problems problems)
    {
        foreach (var range in IngressClasses.ProxiesOf(ours).Where(range => !IPAddress.TryParse(range, out _) && !IPNetwork.TryParse(range, out _)))
            problems.Error($"metadata.annotations[{IngressClasses.TrustedProxies}]", $"'{range}' is neither an address nor a range such as 10.0.0.0/8");
        problems.UnsupportedIf(ours.Spec.Parameters is not null, "spec.parameters", "a class has no settings of its own");
    }

    private static void Check(Gateway gateway, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var problems = Problems.Of(gateway, diagnostics);
        if (gateway.Spec.Servers.Count == 0)
            problems.Error("spec.servers", "is missing; say which ports");
        if (!GatewayServers.IsSelected(gateway, lookups))
            problems.Error("spec.selector", $"{Listing.Of(gateway.Spec.Selector.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}: {label.Value}"))} selects no front door, so nothing of the Gateway is served. This mesh has one, with the labels {string.Join(", ", lookups.Settings.FrontDoorLabels.Select(label => $"{label.Key}: {label.Value}"))}: write one or both of them");
        foreach (var (i, server) in gateway.Spec.Servers.Index().Where(item => item.Item.Port.Number is <= 0 or > 65_535))
            problems.Error($"spec.servers[{i}].port.number", $"{server.Port.Number} is no port; 1 to 65535");
    }

    private static IEnumerable<ConfigUnit> Port(int port, MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        var door = DoorPort.Of(port, lookups, problems);
        if (door.Kind is not { } kind)
            yield break;
        var servers = door.Servers;
        var bind = servers.Count == 0 ? null : servers[0].Server.Bind;
        var (@namespace, labels) = (lookups.Settings.FrontDoorNamespace, lookups.Settings.FrontDoorLabels);
        var tokens = SecurityJobs.Tokens(@namespace, labels, lookups);
        var name = FrontDoorHost.TableOf(port);
        var listener = new ListenerConfig { Name = name, Address = string.IsNullOrEmpty(bind) ? "0.0.0.0" : bind, Port = port, Tls = Tls(door) };
        if (kind is ServerKind.Http or ServerKind.Https)
        {
            listener = listener with { RouteTable = name, Http = Http(tokens, lookups), ConnectionRoutes = door.Names is null ? [] : Passed(servers, port, lookups, problems) };
            var redirected = FrontDoorHost.Redirected(door);
            foreach (var (host, ingress) in redirected.IsEmpty ? [] : door.IngressNames().Where(pair => redirected.Any(covering => HostNames.Covers(covering, pair.Host))))
                Problems.Of(ingress, problems).Warn("spec.rules", $"a Gateway sends host '{host}' from port {port} to https as a whole, so no path of it is served there");
        }
        else
        {
            var connections = servers.SelectMany(server => Connections(server, port, lookups, problems)).ToValueList();
            if (connections.IsEmpty)
            {
                foreach (var server in servers)
                    Unheard(server, "so nothing is listened on", problems);
                yield break;
            }

            listener = listener with { Kind = kind == ServerKind.Passthrough ? ListenerKind.TlsPassthrough : ListenerKind.Tcp, ConnectionRoutes = connections };
        }

        if (door.Names is { } names)
            Elsewhere(servers, names, port, lookups, problems);
        yield return UnitCodec.Listener(new()
        {
            Listener = listener, ClientSecret = door.Names is null ? servers.FirstOrDefault()?.Tls?.ClientSecret : null, HostSecrets = door.Names?.Tls().Secrets ?? [],
            Policies = SecurityJobs.Policies(@namespace, labels, lookups), Tokens = tokens,
        });
    }

    private static void Unheard(GatewayServer server, string effect, List<MeshDiagnostic> problems)
        => Problems.Of(server.Gateway, problems).Warn(server.Field, $"no VirtualService has {(server.Kind == ServerKind.Passthrough ? "tls" : "tcp")} rules for it, {effect}");

    // The name that a client asks for leads to one server; what others have for it is never reached.
    private static void Elsewhere(List<GatewayServer> servers, TlsOwners names, int port, MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        foreach (var rules in lookups.GatewayRoutes().Where(rules => rules.Spec.Http.Count > 0))
        {
            foreach (var server in servers.Where(server => server.Kind == ServerKind.Https && MeshIndex.GatewaysOf(rules).Contains(MeshIndex.Name(server.Gateway))))
            {
                foreach (var domain in GatewayHosts.Domains(server.Gateway, server.Server, rules, lookups).Where(domain => !names.IsOf(server, domain)))
                    Problems.Of(rules, problems).Warn("spec.hosts", $"'{domain}' of port {port} has another kind of TLS by {names.OwnerOf(domain)}, so nothing is served for it by Gateway {MeshIndex.Name(server.Gateway)} {server.Field}");
            }
        }
    }

    private static ValueList<ConnectionRoute> Passed(IEnumerable<GatewayServer> servers, int port, MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        var all = new List<ConnectionRoute>();
        foreach (var server in servers.Where(server => server.Kind == ServerKind.Passthrough))
        {
            var own = Connections(server, port, lookups, problems).ToList();
            if (own.Count == 0)
                Unheard(server, "so its connections are closed", problems);
            all.AddRange(own);
        }

        return all.ToValueList();
    }

    // Those of gateways first: the first certificate is for clients that name no server.
    private static ListenerTls? Tls(DoorPort door)
    {
        if (door.Names is { } names)
            return names.Tls().Tls;
        if (door.Servers is [{ Tls: null }, ..] || door.Number != DoorPort.Https && door.Servers.Count == 0)
            return null;
        var settings = door.Servers.FirstOrDefault()?.Tls?.Settings ?? new ListenerTls();
        return settings with { Certificates = door.Servers.SelectMany(server => server.Tls!.Settings.Certificates).Concat(door.Certificates).Distinct().ToValueList() };
    }

    /// <summary>Whose word about the client is believed, and what no client may say: who it is, also by the fields that claims of tokens are written into.</summary>
    private static HttpSettings Http(ValueList<string> tokens, MeshLookups lookups)
    {
        var named = tokens.ToHashSet();
        var claims = new[] { lookups.Settings.RootNamespace, lookups.Settings.FrontDoorNamespace }.Distinct().SelectMany(lookups.Tokens).Where(policy => named.Contains(MeshIndex.Name(policy)))
            .SelectMany(policy => policy.Spec.JwtRules).SelectMany(rule => rule.OutputClaimToHeaders.Select(claim => claim.Header).Append(rule.OutputPayloadToHeader)).OfType<string>()
            .Where(HeaderTexts.IsToken).Select(name => name.ToLowerInvariant()).Distinct().Order(StringComparer.Ordinal);
        return HttpSettings.Default with
        {
            TrustedProxies = DoorPort.Proxies(lookups).ToValueList(),
            StripHeaders = HttpSettings.DefaultStripHeaders.Concat(claims).Distinct().ToValueList(),
        };
    }

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
                foreach (var route in ConnectionRules.Tcp(rules, gateway, port, resolver, problems, RuleLimits.Most).Where(route => route.Source is { Namespaces.IsEmpty: true, Labels.Count: 0 }))
                    yield return route;
                continue;
            }

            foreach (var route in ConnectionRules.Tls(rules, gateway, port, resolver, problems, RuleLimits.Most).Where(route => route.Source == SourceMatch.Any))
            {
                var names = route.ServerNames.SelectMany(name => domains.Select(domain => HostNames.Common(domain, name))).OfType<string>().Distinct().ToValueList();
                if (!names.IsEmpty)
                    yield return route with { ServerNames = names };
            }
        }
    }
}
