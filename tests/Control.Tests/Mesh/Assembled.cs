using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Tests.Mesh;

/// <summary>Units as one configuration of the engine, so that its own validator says whether it would take them.</summary>
internal static class Assembled
{
    private static readonly DataSource Somewhere = new() { Inline = "from a Secret" };

    public static ProxyConfig Of(IEnumerable<ConfigUnit> units)
    {
        var read = units.Select(unit => (unit.Key.Name, Unit: UnitCodec.Read(unit))).ToList();
        var backends = read.Select(pair => pair.Unit).OfType<BackendsUnit>().ToList();
        var clusters = read.Select(pair => pair.Unit).OfType<ClusterUnit>().ToList();
        var doors = read.Select(pair => pair.Unit).OfType<ListenerUnit>().ToList();
        var policies = read.Where(pair => pair.Unit is PolicyUnit).ToDictionary(pair => pair.Name, pair => (PolicyUnit)pair.Unit);
        var tokens = read.Where(pair => pair.Unit is TokensUnit).ToDictionary(pair => pair.Name, pair => (TokensUnit)pair.Unit);
        var workloads = read.Where(pair => pair.Unit is WorkloadUnit).Select(pair => (pair.Name, Unit: (WorkloadUnit)pair.Unit)).ToList();
        var port = 20_000;
        var connections = read.Where(pair => pair.Unit is DestinationUnit).SelectMany(pair => ((DestinationUnit)pair.Unit).Ports.Where(p => !p.Connections.IsEmpty).Select(p => new ListenerConfig
        {
            Name = $"{pair.Name}:{p.Port}", Kind = p.Protocol == PortProtocol.Tcp ? ListenerKind.Tcp : ListenerKind.TlsPassthrough, Port = port++, ConnectionRoutes = p.Connections,
        }));
        var requests = read.Where(pair => pair.Unit is DestinationUnit).SelectMany(pair => ((DestinationUnit)pair.Unit).Ports.Where(p => p.Routes is not null).Select(p => new ListenerConfig
        {
            Name = $"{pair.Name}:{p.Port} http", Port = port++, RouteTable = p.Routes,
        }));
        var inbound = workloads.Select(workload => new ListenerConfig
        {
            Name = $"workload {workload.Name}", Port = port++, DefaultCluster = "unknown", Filters = Filters(workload.Unit.Policies, workload.Unit.Tokens, policies, tokens),
        });
        return new()
        {
            Listeners =
            [
                .. connections, .. requests, .. inbound,
                .. doors.Select(door => door.Listener with
                {
                    Filters = door.Listener.Kind == ListenerKind.Http ? Filters(door.Policies, door.Tokens, policies, tokens) : [],
                    Tls = door.Listener.Tls is not { } tls ? null : tls with
                    {
                        ClientAuthorities = door.ClientSecret is null ? null : Somewhere,
                        Hosts = tls.Hosts.Select((host, i) => door.HostSecrets.Any(clients => clients.Host == i) ? host with { ClientAuthorities = Somewhere } : host).ToValueList(),
                    },
                }),
            ],
            RouteTables =
            [
                .. read.Select(pair => pair.Unit).OfType<RouteTableConfig>().GroupBy(table => table.Name).Select(group => new RouteTableConfig { Name = group.Key, Hosts = group.SelectMany(table => table.Hosts).ToValueList() }),
                .. doors.Select(door => door.Listener.RouteTable).OfType<string>().Except(read.Select(pair => pair.Unit).OfType<RouteTableConfig>().Select(table => table.Name)).Select(name => new RouteTableConfig { Name = name }),
            ],
            Clusters = clusters.Select(unit => unit.Cluster with { Endpoints = Endpoints(unit, backends) }).ToValueList(),
            Certificates =
            [
                .. doors.SelectMany(door => door.Certificates).DistinctBy(certificate => certificate.Name),
                .. clusters.Select(unit => unit.Certificate).OfType<CertificateConfig>(),
                .. doors.Select(door => door.Listener.Tls).OfType<ListenerTls>().SelectMany(tls => tls.Certificates.Concat(tls.Hosts.SelectMany(host => host.Certificates))).Concat(clusters.Select(unit => unit.Secret == unit.Cluster.Tls?.Certificate ? unit.Secret : null).OfType<string>()).Distinct()
                    .Where(name => !name.StartsWith("file ", StringComparison.Ordinal)).Select(name => new CertificateConfig { Name = name, Chain = Somewhere, Key = Somewhere }),
            ],
            JwtProviders = tokens.Values.SelectMany(unit => unit.Providers).ToValueList(),
        };
    }

    private static ValueList<EndpointConfig> Endpoints(ClusterUnit cluster, List<BackendsUnit> backends) => backends.Where(unit => unit.Host == cluster.Host)
        .SelectMany(unit => unit.Ports).Where(port => port.Port == cluster.Port).SelectMany(port => port.Endpoints).Where(endpoint => cluster.Labels.IsSubsetOf(endpoint.Labels))
        .DistinctBy(endpoint => $"{endpoint.Address}:{endpoint.Port}").ToValueList();

    private static ValueList<FilterConfig> Filters(ValueList<string> names, ValueList<string> issuers, Dictionary<string, PolicyUnit> policies, Dictionary<string, TokensUnit> tokens)
    {
        var providers = issuers.SelectMany(name => tokens[name].Providers).Select(provider => provider.Name).ToValueList();
        var found = names.Select(name => policies[name]).ToList();
        var own = found.Select(unit => unit.Authorization).OfType<AuthorizationPolicyConfig>().ToValueList();
        return
        [
            .. providers.IsEmpty ? [] : new FilterConfig[] { new JwtFilter { Providers = providers, AllowMissing = true } },
            .. found.Select(unit => unit.External).OfType<FilterConfig>(),
            .. own.IsEmpty ? [] : new FilterConfig[] { new AuthorizationFilter { Policies = own } },
        ];
    }
}
