using Weft.Api.ApiExtensions;

namespace Weft.Api.FrontDoor;

/// <summary>Weft's own kinds, served as custom resources as Istio's are: not among <see cref="BuiltInKinds"/>.</summary>
public static class WeftKinds
{
    public static IReadOnlyList<Type> Types { get; } = [typeof(RateLimitPolicy), typeof(ApiKeyPolicy), typeof(BasicAuthPolicy), typeof(JwtPolicy)];

    /// <summary>Reads attributes: call it once at start and keep the answer.</summary>
    public static IReadOnlyList<KindInfo> All() => [.. Types.Select(KindInfo.Of)];

    /// <summary>As the server installs them.</summary>
    public static IReadOnlyList<PreinstalledKind> Preinstalled() =>
    [
        .. All().Select(kind => new PreinstalledKind(kind)
        {
            Columns =
            [
                new("Target", "string", ".spec.targetRefs[0].name", "The first of what it is for."),
                new("Age", "date", ".metadata.creationTimestamp"),
            ],
        }),
    ];
}
