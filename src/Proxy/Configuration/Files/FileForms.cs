using Weft.Balancing;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Configuration.Files;

/// <summary>What is shorter in the file than in the model, by the record it becomes.</summary>
internal static class FileForms
{
    private delegate object? Form(FileBinder binder, FileNode node, string path);

    /// <summary>Kinds by the word that stands for them.</summary>
    public static IReadOnlyDictionary<string, Type> Kinds(Type type) => type.Name switch
    {
        nameof(FilterConfig) => new Dictionary<string, Type>
        {
            ["headers"] = typeof(HeaderFilter),
            ["query"] = typeof(QueryFilter),
            ["cors"] = typeof(CorsFilter),
            ["fault"] = typeof(FaultFilter),
            ["rateLimit"] = typeof(RateLimitFilter),
            ["maxBody"] = typeof(BodyLimitFilter),
            ["authorization"] = typeof(AuthorizationFilter),
            ["externalAuthorization"] = typeof(ExternalAuthorizationFilter),
            ["jwt"] = typeof(JwtFilter),
            ["apiKey"] = typeof(ApiKeyFilter),
            ["basicAuth"] = typeof(BasicAuthFilter),
        },
        nameof(LoadBalancer) => new Dictionary<string, Type>
        {
            ["roundRobin"] = typeof(RoundRobinBalancer),
            ["leastRequest"] = typeof(LeastRequestBalancer),
            ["leastTime"] = typeof(LeastTimeBalancer),
            ["random"] = typeof(RandomBalancer),
            ["ringHash"] = typeof(RingHashBalancer),
            ["maglev"] = typeof(MaglevBalancer),
        },
        nameof(HashPolicy) => new Dictionary<string, Type> { ["header"] = typeof(HeaderHash), ["cookie"] = typeof(CookieHash), ["source"] = typeof(SourceHash), ["query"] = typeof(QueryHash) },
        nameof(LimitKey) => new Dictionary<string, Type> { ["address"] = typeof(AddressKey), ["identity"] = typeof(IdentityKey), ["header"] = typeof(HeaderKey), ["path"] = typeof(PathKey) },
        nameof(HealthCheckConfig) => new Dictionary<string, Type> { ["http"] = typeof(HttpHealthCheck), ["tcp"] = typeof(TcpHealthCheck), ["grpc"] = typeof(GrpcHealthCheck) },
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no kinds"),
    };

    public static bool TryBind(FileBinder binder, Type type, FileNode node, string path, out object? value)
    {
        Form? form = type switch
        {
            _ when type == typeof(StringMatch) => MatchForms.Text,
            _ when type == typeof(RouteMatch) => MatchForms.Route,
            _ when type == typeof(ValueList<NamedMatch>) => MatchForms.Named,
            _ when type == typeof(ValueList<HeaderValue>) => Pairs,
            _ when type == typeof(ValueMap) => Map,
            _ when type == typeof(ValueList<LocalityWeight>) => Shares,
            _ when type == typeof(DataSource) => Source,
            _ when type == typeof(Locality) => Place,
            _ when type == typeof(EndpointConfig) => ClusterForms.Endpoint,
            _ when type == typeof(DnsDiscovery) => ClusterForms.Dns,
            _ when type == typeof(WeightedCluster) => ClusterForms.Target,
            _ when type == typeof(ListenerConfig) => ListenerForms.Listener,
            _ when type == typeof(ListenerTls) => ListenerForms.Tls,
            _ when type == typeof(ConnectionRoute) => ListenerForms.Connection,
            _ when type == typeof(VirtualHostConfig) => ListenerForms.Host,
            _ when type == typeof(RouteConfig) => RouteForms.Route,
            _ => null,
        };
        value = form?.Invoke(binder, node, path);
        return form is not null;
    }

    // `x-a: 1`; several values of a name as a list.
    private static object? Pairs(FileBinder binder, FileNode node, string path)
    {
        if (!binder.IsMapping(node, path, "names with their values"))
            return null;
        return node.Fields
            .SelectMany(f => binder.Bind<ValueList<string>>(f.Value, $"{path}.{f.Key}").Select(v => new HeaderValue(f.Key, v)))
            .ToValueList();
    }

    private static object? Map(FileBinder binder, FileNode node, string path)
        => binder.IsMapping(node, path, "names with their values") ? new ValueMap(node.Fields.Select(f => KeyValuePair.Create(f.Key, f.Value.Value))) : null;

    private static object? Source(FileBinder binder, FileNode node, string path)
        => node is { Kind: NodeKind.Scalar, IsNull: false } ? new DataSource { File = node.Value } : binder.Record(typeof(DataSource), node, path);

    // `eu/eu-1: 80`.
    private static object? Shares(FileBinder binder, FileNode node, string path)
        => binder.IsMapping(node, path, "places with their weights") ? node.Fields.Select(f => new LocalityWeight(f.Key, binder.Bind<int>(f.Value, $"{path}.{f.Key}"))).ToValueList() : null;

    // `region/zone/subzone`.
    private static object? Place(FileBinder binder, FileNode node, string path)
    {
        var parts = node.Value.Split('/');
        if (node.Kind == NodeKind.Scalar && parts.Length <= 3)
            return new Locality(parts[0], parts.ElementAtOrDefault(1), parts.ElementAtOrDefault(2));
        binder.Error(path, node, "must be region, region/zone or region/zone/subzone");
        return null;
    }
}
