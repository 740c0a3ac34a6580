using Weft.Proxy.Config.Model;

namespace Weft.Bench.Proxy;

/// <summary>What the proxy does to each request of the bench: what a user's would do.</summary>
internal static class BenchConfig
{
    // A bench is repeatable: the only chance in it is this.
#pragma warning disable RS0030
    public static Random Random => new(1);
#pragma warning restore RS0030

    /// <param name="tls">Files of certificate and key; null: plaintext.</param>
    public static ProxyConfig Create(int port, int upstream, (string Chain, string Key)? tls) => new()
    {
        Listeners = [new ListenerConfig { Name = "bench", Address = "0.0.0.0", Port = port, RouteTable = "bench", Tls = tls is null ? null : new ListenerTls { Certificates = ["bench"], Alpn = ["http/1.1"] } }],
        Certificates = tls is { } files ? [new CertificateConfig { Name = "bench", Chain = new DataSource { File = files.Chain }, Key = new DataSource { File = files.Key } }] : [],
        RouteTables =
        [
            new RouteTableConfig
            {
                Name = "bench",
                Hosts =
                [
                    new VirtualHostConfig
                    {
                        Name = "any", Domains = ["*"],
                        Routes =
                        [
                            new RouteConfig { Name = "admin", Matches = [new RouteMatch { Path = new PathMatch(PathMatchKind.Prefix, "/admin") }], Action = DirectResponse.NotFound },
                            new RouteConfig
                            {
                                Name = "all",
                                Action = new ForwardAction { Clusters = [new WeightedCluster { Cluster = "web" }] },
                                Filters = [new HeaderFilter { Request = new HeaderEdits { Set = [new("x-bench", "1")] }, Response = new HeaderEdits { Remove = ["x-powered-by"] } }],
                            },
                        ],
                    },
                ],
            },
        ],
        Clusters =
        [
            new ClusterConfig
            {
                Name = "web",
                LoadBalancer = new LeastRequestBalancer(),
                Endpoints = [new EndpointConfig { Address = "127.0.0.1", Port = upstream }, new EndpointConfig { Address = "127.0.0.2", Port = upstream }],
            },
        ],
    };
}
