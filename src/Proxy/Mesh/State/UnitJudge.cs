using System.Net;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Configuration.Validation;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Mesh.State;

/// <summary>Whether a unit of the mesh can be used at all, whatever the others are. What passes here compiles.</summary>
internal static class UnitJudge
{
    private static readonly DataSource Somewhere = new() { Inline = "of a Secret" };

    /// <exception cref="UnitException">The first thing that is wrong with it.</exception>
    public static void Check(UnitKey key, object unit)
    {
        var errors = new ConfigErrors();
        switch (unit)
        {
            case DestinationUnit destination:
                Destination(destination, errors);
                break;
            case RouteTableConfig table:
                RouteValidator.Validate(table, "", KnownNames.Any, errors);
                Credentials(table, errors);
                break;
            case ClusterUnit cluster:
                ClusterValidator.Validate(cluster.Cluster, "cluster", KnownNames.Any, errors);
                errors.Require(cluster.Cluster.Name == key.Name, "cluster.name", $"'{cluster.Cluster.Name}' is not the unit's '{key.Name}'");
                break;
            case BackendsUnit backends:
                Backends(backends, errors);
                break;
            case WorkloadUnit workload:
                foreach (var (i, address) in workload.Addresses.Index())
                    errors.Require(IPAddress.TryParse(address, out _), $"addresses[{i}]", $"'{address}' is no IP address");
                break;
            case PolicyUnit policy:
                errors.Require(policy.Authorization is null != policy.External is null, "", "needs one of authorization, external");
                if (policy.Authorization is { } own)
                    FilterValidator.Validate(new AuthorizationFilter { Policies = [own] }, "authorization", KnownNames.Any, errors);
                if (policy.External is { } external)
                    FilterValidator.Validate(external, "external", KnownNames.Any, errors);
                break;
            case TokensUnit tokens:
                foreach (var (i, provider) in tokens.Providers.Index())
                    Provider(provider, $"providers[{i}]", errors);
                break;
            case ListenerUnit listener:
                Listener(listener, errors);
                break;
        }

        if (errors.All is [var first, ..])
            throw new UnitException(first.Path, errors.All.Count == 1 ? first.Message : $"{first.Message} (and {errors.All.Count - 1} more)");
    }

    private static void Credentials(RouteTableConfig table, ConfigErrors errors)
    {
        foreach (var filter in table.Hosts.SelectMany(host => host.Filters.Concat(host.Routes.SelectMany(route => route.Filters))))
        {
            var sources = filter switch
            {
                ApiKeyFilter keys => [keys.KeyFile],
                BasicAuthFilter users => [users.Users],
                JwtFilter tokens => tokens.Issuers.Select(issuer => issuer.Jwks),
                _ => Array.Empty<DataSource?>().AsEnumerable(),
            };
            errors.Require(filter is not (JwtFilter or ApiKeyFilter or BasicAuthFilter) || DoorTables.Has(table.Name), "filters", $"{filter.GetType().Name} is not for routes of the mesh; tokens belong to workloads");
            errors.Require(sources.All(source => source?.File is null), "filters", $"{filter.GetType().Name} names a file of this machine; give what is in it");
            // Providers by name are of workloads and listeners, which name them in units of their own.
            errors.Require(filter is not JwtFilter { Providers.IsEmpty: false }, "filters", "a JwtFilter of a route has issuers of its own");
        }
    }

    private static void Destination(DestinationUnit unit, ConfigErrors errors)
    {
        foreach (var (i, address) in unit.Addresses.Index())
            errors.Require(AddressRanges.IsRange(address), $"addresses[{i}]", $"'{address}' is neither an address nor a range");
        foreach (var (i, address) in unit.Shared.Index())
            errors.Require(IPAddress.TryParse(address, out _), $"shared[{i}]", $"'{address}' is no IP address");
        foreach (var (i, address) in (unit.Answer?.Addresses ?? []).Index())
            errors.Require(IPAddress.TryParse(address, out _), $"answer.addresses[{i}]", $"'{address}' is no IP address");
        errors.Unique(unit.Ports, port => $"{port.Port}", i => $"ports[{i}]", "port");
        foreach (var (i, port) in unit.Ports.Index())
        {
            errors.Port(port.Port, $"ports[{i}].port");
            foreach (var (j, route) in port.Connections.Index())
                ListenerValidator.Connection(route, $"ports[{i}].connections[{j}]", KnownNames.Any, errors);
        }
    }

    private static void Backends(BackendsUnit unit, ConfigErrors errors)
    {
        foreach (var (i, port) in unit.Ports.Index())
        {
            // Endpoints that stand twice are one, as when they are joined.
            var once = port.Endpoints.DistinctBy(endpoint => (endpoint.Address, endpoint.Port)).ToValueList();
            ClusterValidator.Validate(new ClusterConfig { Name = unit.Host, Endpoints = once }, $"ports[{i}]", KnownNames.Any, errors);
        }
    }

    private static void Provider(JwtProviderConfig provider, string path, ConfigErrors errors)
    {
        ConfigValidator.Provider(provider, path, errors);
        errors.Require(provider.Jwks?.File is null, $"{path}.jwks", "is a file of this machine; give the keys themselves");
    }

    private static void Listener(ListenerUnit unit, ConfigErrors errors)
    {
        var listener = unit.Listener;
        if (unit.ClientSecret is not null && listener.Tls is { } tls)
            listener = listener with { Tls = tls with { ClientAuthorities = Somewhere } };
        if (!unit.HostSecrets.IsEmpty && listener.Tls is { } named)
        {
            var hosts = unit.HostSecrets.Select(clients => clients.Host).ToHashSet();
            listener = listener with { Tls = named with { Hosts = named.Hosts.Select((host, i) => hosts.Contains(i) ? host with { ClientAuthorities = Somewhere } : host).ToValueList() } };
        }

        ListenerValidator.Validate(listener, "listener", KnownNames.Any, errors);
        errors.Require(listener.Filters.IsEmpty, "listener.filters", "are those of policies and tokens");
        errors.Require(listener.Kind != ListenerKind.Udp, "listener.kind", "is for TCP");
        foreach (var (i, certificate) in unit.Certificates.Index())
        {
            ConfigValidator.Source(certificate.Chain, $"certificates[{i}].chain", errors);
            ConfigValidator.Source(certificate.Key, $"certificates[{i}].key", errors);
        }
    }
}
