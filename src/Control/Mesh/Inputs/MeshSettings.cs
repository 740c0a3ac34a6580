using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Inputs;

/// <summary>What holds for the whole mesh (Istio's MeshConfig).</summary>
public sealed record MeshSettings
{
    /// <summary>Of service names: `web.shop.svc.cluster.local`.</summary>
    public string ClusterDomain { get; init; } = "cluster.local";

    /// <summary>Of identities: `spiffe://cluster.local/ns/shop/sa/web`.</summary>
    public string TrustDomain { get; init; } = "cluster.local";

    /// <summary>Whose policies are for all namespaces, as Istio's manifests have it.</summary>
    public string RootNamespace { get; init; } = "istio-system";

    /// <summary>Where no PeerAuthentication says otherwise.</summary>
    public Proxy.Config.Units.MutualTls MutualTls { get; init; }

    /// <summary>False: traffic to hosts that the mesh does not know is refused (REGISTRY_ONLY), where no Sidecar says otherwise.</summary>
    public bool AllowAny { get; init; } = true;

    /// <summary>Whether near endpoints go first where outlier detection is on (Istio: localityLbSetting.enabled).</summary>
    public bool LocalityFailover { get; init; } = true;

    /// <summary>Labels that a Gateway's selector finds the front door by: those of Istio's own gateway.</summary>
    public ValueMap FrontDoorLabels { get; init; } = new([new("istio", "ingressgateway"), new("app", "istio-ingressgateway")]);

    /// <summary>Namespace of the front door as a client of services and as the place of policies for it.</summary>
    public string FrontDoorNamespace { get; init; } = "istio-system";

    /// <summary>Ranges of proxies in front of the front door, whose X-Forwarded-* is believed, beside those that the IngressClass names.</summary>
    public ValueList<string> TrustedProxies { get; init; } = [];

    /// <summary>Ranges from which pods and services get their addresses: no host of a service entry may have a range that overlaps them. Empty: they are not known.</summary>
    public ValueList<string> ClusterRanges { get; init; } = [];

    /// <summary>Range from which services of the type LoadBalancer get their addresses: nobody may claim one of them as an external address. Null: it is not known.</summary>
    public string? LoadBalancerPool { get; init; }

    /// <summary>Who decides for policies with the action CUSTOM.</summary>
    public ValueList<AuthorizerSettings> Authorizers { get; init; } = [];

    /// <summary>Receivers of traces, metrics and logs, and what they get where no Telemetry says otherwise.</summary>
    public TelemetrySettings Telemetry { get; init; } = new();
}

/// <summary>Istio's extension providers `envoyExtAuthzHttp` and `envoyExtAuthzGrpc`.</summary>
public sealed record AuthorizerSettings
{
    public string Name { get; init; } = "";

    /// <summary>Host of the mesh: `authz.shop.svc.cluster.local`.</summary>
    public string Service { get; init; } = "";

    public int Port { get; init; }

    public AuthorizerProtocol Protocol { get; init; }

    public string PathPrefix { get; init; } = "";

    /// <summary>Istio's default: 600 s; a caller that waits so long has gone.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    public bool FailOpen { get; init; }

    public int ErrorStatus { get; init; } = 403;

    public ValueList<string> RequestHeaders { get; init; } = ["authorization", "cookie"];

    public ValueList<string> UpstreamHeaders { get; init; } = [];

    public ValueList<string> ClientHeaders { get; init; } = ["www-authenticate", "location", "set-cookie", "content-type"];
}
