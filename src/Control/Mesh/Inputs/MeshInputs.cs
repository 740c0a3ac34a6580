using System.Collections.Immutable;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Api.FrontDoor;
using Weft.Api.Networking;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Inputs;

/// <summary>All that the compiler looks at. The order of the lists does not matter; an object that is the same instance as before is taken for unchanged.</summary>
public sealed record MeshInputs
{
    public MeshSettings Settings { get; init; } = new();

    public ImmutableArray<Service> Services { get; init; } = [];

    public ImmutableArray<EndpointSlice> Slices { get; init; } = [];

    public ImmutableArray<MeshWorkload> Workloads { get; init; } = [];

    public ImmutableArray<NodePlace> Nodes { get; init; } = [];

    public ImmutableArray<Istio.VirtualService> VirtualServices { get; init; } = [];

    public ImmutableArray<Istio.DestinationRule> DestinationRules { get; init; } = [];

    public ImmutableArray<Istio.ServiceEntry> ServiceEntries { get; init; } = [];

    public ImmutableArray<Istio.WorkloadEntry> WorkloadEntries { get; init; } = [];

    public ImmutableArray<Istio.Gateway> Gateways { get; init; } = [];

    public ImmutableArray<Istio.Sidecar> Sidecars { get; init; } = [];

    public ImmutableArray<Istio.PeerAuthentication> PeerAuthentications { get; init; } = [];

    /// <summary>The old form of peer authentications.</summary>
    public ImmutableArray<Istio.OldPolicy> OldPolicies { get; init; } = [];

    public ImmutableArray<Istio.RequestAuthentication> RequestAuthentications { get; init; } = [];

    public ImmutableArray<Istio.AuthorizationPolicy> AuthorizationPolicies { get; init; } = [];

    public ImmutableArray<Istio.Telemetry> Telemetries { get; init; } = [];

    public ImmutableArray<Ingress> Ingresses { get; init; } = [];

    public ImmutableArray<IngressClass> IngressClasses { get; init; } = [];

    public ImmutableArray<RateLimitPolicy> RateLimitPolicies { get; init; } = [];

    public ImmutableArray<ApiKeyPolicy> ApiKeyPolicies { get; init; } = [];

    public ImmutableArray<BasicAuthPolicy> BasicAuthPolicies { get; init; } = [];

    public ImmutableArray<JwtPolicy> JwtPolicies { get; init; } = [];

    /// <summary>Those that <see cref="DoorSecrets.Named"/> asks for, as far as they are there.</summary>
    public ImmutableArray<DoorSecret> Secrets { get; init; } = [];
}
