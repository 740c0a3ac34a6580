using System.Net;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Jwt;
using Weft.Proxy.Telemetry.Access.Text;

namespace Weft.Proxy.Configuration.Validation;

/// <summary>Everything that is wrong with a configuration, at once. What passes here compiles.</summary>
internal static class ConfigValidator
{
    // Requests wait for it.
    private static readonly TimeSpan MaxFetchTimeout = TimeSpan.FromMinutes(1);

    public static IReadOnlyList<ConfigError> Validate(ProxyConfig config)
    {
        var errors = new ConfigErrors();
        var known = new KnownNames(config);
        errors.Unique(config.Listeners, l => l.Name, i => $"listeners[{i}].name", "listener");
        errors.Unique(config.Listeners, l => l.Port == 0 ? $"{Socket(l)} {l.Name}" : Socket(l), i => $"listeners[{i}].port", "the address");
        errors.Unique(config.RouteTables, t => t.Name, i => $"routeTables[{i}].name", "route table");
        errors.Unique(config.Clusters, c => c.Name, i => $"clusters[{i}].name", "cluster");
        errors.Unique(config.Certificates, c => c.Name, i => $"certificates[{i}].name", "certificate");
        errors.Unique(config.JwtProviders, p => p.Name, i => $"jwtProviders[{i}].name", "provider");
        errors.NotNegative(config.DrainTimeout, "drainTimeout");
        errors.NotNegative(config.LoopTimeout, "loopTimeout");
        errors.AtLeast(config.Loops, 0, "loops");
        if (config.Overload is { } overload)
        {
            errors.AtLeast(overload.MaxRequests, 0, "overload.maxRequests");
            errors.AtLeast(overload.MaxMemoryBytes, 0, "overload.maxMemoryBytes");
            errors.NotNegative(overload.MaxLoopDelay, "overload.maxLoopDelay");
            errors.NotNegative(overload.RetryAfter, "overload.retryAfter");
        }

        errors.Fraction(config.AccessLog.Fraction, "accessLog.fraction");
        errors.Require(config.AccessLog.Template is null || config.AccessLog.Format == AccessLogFormat.Text, "accessLog.template", "is for format: text; JSON has fields of its own");
        if (config.AccessLog.Template is { } template)
            errors.Compiles(() => LogTemplate.Parse(template), "accessLog.template");
        foreach (var (i, listener) in config.Listeners.Index())
            ListenerValidator.Validate(listener, $"listeners[{i}]", known, errors);
        foreach (var (i, table) in config.RouteTables.Index())
            RouteValidator.Validate(table, $"routeTables[{i}]", known, errors);
        foreach (var (i, cluster) in config.Clusters.Index())
            ClusterValidator.Validate(cluster, $"clusters[{i}]", known, errors);
        foreach (var (i, certificate) in config.Certificates.Index())
        {
            errors.Name(certificate.Name, $"certificates[{i}].name");
            Source(certificate.Chain, $"certificates[{i}].chain", errors);
            Source(certificate.Key, $"certificates[{i}].key", errors);
        }

        foreach (var (i, provider) in config.JwtProviders.Index())
            Provider(provider, $"jwtProviders[{i}]", errors);
        if (config.Tracing is { } tracing)
        {
            errors.Compiles(() => TracingAddress.Of(tracing), "tracing.endpoint");
            errors.Fraction(tracing.Fraction, "tracing.fraction");
            errors.Name(tracing.ServiceName, "tracing.serviceName");
            foreach (var (i, header) in tracing.Headers.Index())
            {
                FilterValidator.OwnHeader(header.Name, $"tracing.headers[{i}].name", errors);
                Source(header.Value ?? new DataSource(), $"tracing.headers[{i}].value", errors);
            }
        }

        if (config.Admin is { } admin)
        {
            errors.Port(admin.Port, "admin.port");
            errors.Require(IPAddress.TryParse(admin.Address, out _), "admin.address", $"'{admin.Address}' is no IP address");
        }

        return errors.All;
    }

    internal static void Source(DataSource source, string path, ConfigErrors errors)
        => errors.Require(source.File is null != source.Inline is null, path, "needs one of file, inline");

    internal static void Provider(JwtProviderConfig provider, string path, ConfigErrors errors)
    {
        errors.Name(provider.Name, $"{path}.name");
        errors.Name(provider.Issuer, $"{path}.issuer");
        errors.Require(provider.Jwks is null || provider.JwksUri is null, path, "has one of jwks, jwksUri; with neither, the issuer's own document says where its keys are");
        errors.Require(provider.Jwks is not null || provider.JwksUri is not null || DiscoveryDocument.AddressOf(provider.Issuer) is not null, $"{path}.issuer",
            "is no address with https or http, at which its keys could be looked for; say jwks or jwksUri");
        if (provider.Jwks is { } keys)
            Source(keys, $"{path}.jwks", errors);
        if (provider.JwksUri is { } uri)
            errors.Require(KeyAddress.Read(uri) is not null, $"{path}.jwksUri", "is no address with https or http and without a password");
        // The set is fetched from its address, past the clusters: a setting that does nothing would be a lie.
        errors.Require(provider.JwksCluster is null, $"{path}.jwksCluster", "is not supported; the key set is fetched from jwksUri itself");
        errors.Require(provider.CacheDuration > TimeSpan.Zero, $"{path}.cacheDuration", "must be above zero");
        errors.Require(provider.FetchTimeout > TimeSpan.Zero && provider.FetchTimeout <= MaxFetchTimeout, $"{path}.fetchTimeout", "must be above zero, and a minute at most");
        errors.NotNegative(provider.ClockSkew, $"{path}.clockSkew");
        foreach (var name in provider.FromHeaders.Select(h => h.Name))
            errors.Require(FilterValidator.IsToken(name), $"{path}.fromHeaders", $"'{name}' is no name of a field");
        foreach (var name in provider.ClaimHeaders.Select(h => h.Header).Concat(provider.PayloadHeader is { } payload ? [payload] : []))
            FilterValidator.OwnHeader(name, path, errors);
    }

    // UDP and TCP ports are apart.
    private static string Socket(ListenerConfig listener) => $"{listener.Address}:{listener.Port}{(listener.Kind == ListenerKind.Udp ? " (udp)" : "")}";
}

/// <summary>What can be referred to.</summary>
/// <param name="any">Everything: who refers to what is not there is answered at each request (503, 404).</param>
internal sealed class KnownNames(ProxyConfig config, bool any = false)
{
    public static readonly KnownNames Any = new(ProxyConfig.Empty, any: true);

    private readonly Dictionary<string, ClusterConfig> _clusters = config.Clusters.DistinctBy(c => c.Name).ToDictionary(c => c.Name);
    private readonly HashSet<string> _tables = [.. config.RouteTables.Select(t => t.Name)];
    private readonly HashSet<string> _certificates = [.. config.Certificates.Select(c => c.Name)];
    private readonly HashSet<string> _providers = [.. config.JwtProviders.Select(p => p.Name)];

    public void Cluster(string name, string? subset, string path, ConfigErrors errors)
    {
        if (any)
            return;
        if (!_clusters.TryGetValue(name, out var cluster))
            errors.Add(path, $"there is no cluster '{name}'{Known(_clusters.Keys)}");
        else if (subset is not null && !cluster.Subsets.Any(s => s.Name == subset))
            errors.Add(path, $"cluster '{name}' has no subset '{subset}'{Known(cluster.Subsets.Select(s => s.Name))}");
    }

    public void Table(string name, string path, ConfigErrors errors) => errors.Require(any || _tables.Contains(name), path, $"there is no route table '{name}'{Known(_tables)}");

    public void Certificate(string name, string path, ConfigErrors errors) => errors.Require(any || _certificates.Contains(name), path, $"there is no certificate '{name}'{Known(_certificates)}");

    public void Provider(string name, string path, ConfigErrors errors) => errors.Require(any || _providers.Contains(name), path, $"there is no JWT provider '{name}'{Known(_providers)}");

    private static string Known(IEnumerable<string> names)
    {
        var some = names.Order(StringComparer.Ordinal).Take(8).ToList();
        return some.Count == 0 ? "" : $"; known are {string.Join(", ", some)}";
    }
}
