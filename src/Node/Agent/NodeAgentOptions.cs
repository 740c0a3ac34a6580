namespace Weft.Node.Agent;

public sealed record NodeAgentOptions
{
    public required string NodeName { get; init; }

    /// <summary>Survives reboots: logs, emptyDir volumes, addresses given out. Not visible to pods.</summary>
    public required string DataDir { get; init; }

    /// <summary>Namespaces, sockets, secrets in memory. Keep it short: below it are socket paths, which have at most 107 bytes.</summary>
    public required string RunDir { get; init; }

    /// <summary>Pods of this node get their addresses from here; its first address is the host's end of every pod's link.</summary>
    public required string PodCidr { get; init; }

    /// <summary>All pods of all nodes: traffic to it keeps its source address. Default: the node's own range.</summary>
    public string? ClusterCidr { get; init; }

    /// <summary>Addresses of services; its first one is the API's. Null: Kubernetes' usual 10.96.0.0/16, and a clean-up that does not know leaves it alone.</summary>
    public string? ServiceCidr { get; init; }

    /// <summary>Addresses of LoadBalancer services, which the node takes on its loopback interface.</summary>
    public string LoadBalancerPool => LoadBalancerPoolOf(ServiceCidr ?? "10.96.0.0/16");

    /// <summary>The addresses of LoadBalancer services in a cluster with these of services.</summary>
    public static string LoadBalancerPoolOf(string serviceCidr) => Network.Services.ServiceNetwork.PoolOf(serviceCidr);

    /// <summary>Lower-case letters, digits and `-`; names cgroups, the nft table and CNI state, so that clusters on one machine do not meet.</summary>
    public required string ClusterName { get; init; }

    /// <summary>Where the API server listens on this machine; pods are told (KUBERNETES_SERVICE_HOST and _PORT). Null: they are not.</summary>
    public int? ApiPort { get; init; }

    /// <summary>The address that the node is known by. Default: that of the interface of the default route.</summary>
    public string? NodeIp { get; init; }

    /// <summary>Addresses of the cluster's DNS; empty: pods ask as the machine does.</summary>
    public IReadOnlyList<string> DnsServers { get; init; } = [];

    /// <summary>Where this node's proxy is told of meshed pods. Null: the cluster's mesh is off, and nothing is captured.</summary>
    public string? MeshSocket { get; init; }

    /// <summary>Where this node's proxy answers questions about requests. Null: the mesh is off.</summary>
    public string? InspectionSocket { get; init; }

    public string ClusterDomain { get; init; } = "cluster.local";
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>How often the node says that it lives. The kubelet's period; a quarter of the cluster's grace when that is shorter.</summary>
    public TimeSpan LeasePeriod { get; init; } = DefaultLeasePeriod;

    public static readonly TimeSpan DefaultLeasePeriod = TimeSpan.FromSeconds(10);

    /// <summary>Further directories that no pod may look into: the server's own data.</summary>
    public IReadOnlyList<string> HiddenPaths { get; init; } = [];

    /// <summary>Where containers' images are asked for first: the cluster's own registry. Null: only where their names say.</summary>
    public Runtime.Cri.RegistryMirror? ImageMirror { get; init; }

    /// <summary>The kubelet's default.</summary>
    public int MaxPods { get; init; } = 110;
    public string Version { get; init; } = "v1.33.0+weft";
}
