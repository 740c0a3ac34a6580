namespace Weft.Api.Istio;

/// <summary>Istio's kinds, and the one that only old manifests have. They are served as custom resources, whose schemas come from these types: not among <see cref="BuiltInKinds"/>.</summary>
public static class IstioKinds
{
    public static IReadOnlyList<Type> Types { get; } =
    [
        typeof(VirtualService), typeof(DestinationRule), typeof(ServiceEntry), typeof(WorkloadEntry), typeof(Gateway), typeof(Sidecar),
        typeof(PeerAuthentication), typeof(RequestAuthentication), typeof(AuthorizationPolicy), typeof(Telemetry), typeof(OldPolicy),
    ];

    /// <summary>Reads attributes: call it once at start and keep the answer. <see cref="KindInfo.OlderVersions"/> has the further versions, with the same schema.</summary>
    public static IReadOnlyList<KindInfo> All() => [.. Types.Select(KindInfo.Of)];
}
