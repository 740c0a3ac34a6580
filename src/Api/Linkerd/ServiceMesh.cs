using Weft.Api.Istio;
using Weft.Api.Schemas;

namespace Weft.Api.Linkerd;

/// <summary>Settings of service discovery, as manifests in the wild have them; no version of Linkerd has the kind. One for the whole cluster.</summary>
[Kind("linkerd.io", "v1alpha1", "ServiceMesh", Plural = "servicemeshes", ClusterScoped = true, DefinitionPrefix = "io.linkerd.v1alpha1")]
public sealed record ServiceMesh : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The settings.</summary>
    public ServiceMeshSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>The settings.</summary>
public sealed record ServiceMeshSpec
{
    /// <summary>The settings.</summary>
    public ServiceMeshConfig? Config { get; init; }
}

/// <summary>The settings.</summary>
public sealed record ServiceMeshConfig
{
    /// <summary>Of services.</summary>
    public ServiceMeshServices? Service { get; init; }
}

/// <summary>Settings of services.</summary>
public sealed record ServiceMeshServices
{
    /// <summary>How services are found.</summary>
    public ServiceMeshDiscovery? Discovery { get; init; }
}

/// <summary>How services are found.</summary>
public sealed record ServiceMeshDiscovery
{
    /// <summary>False: nothing of this object has an effect. Services are found by the cluster's own names in any case.</summary>
    public bool? Enabled { get; init; }

    /// <summary>By names.</summary>
    public ServiceMeshDns? Dns { get; init; }
}

/// <summary>Finding services by names.</summary>
public sealed record ServiceMeshDns
{
    /// <summary>False: the domain has no effect.</summary>
    public bool? Enabled { get; init; }

    /// <summary>One more zone in which the cluster's names are: web.shop.svc.linkerd.local besides web.shop.svc.cluster.local.</summary>
    public string? Domain { get; init; }
}
