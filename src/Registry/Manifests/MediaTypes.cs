namespace Weft.Registry.Manifests;

/// <summary>Names of the OCI image specification and of docker's before it.</summary>
public static class MediaTypes
{
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";

    public static bool IsIndex(string type) => type is OciIndex or DockerIndex;

    public static bool IsManifest(string type) => IsIndex(type) || type is OciManifest or DockerManifest;

    /// <summary>Layers that are never pushed, because their licence forbids it.</summary>
    internal static bool IsForeign(string? type) =>
        type is not null && (type.Contains(".nondistributable.", StringComparison.Ordinal) || type.Contains(".foreign.", StringComparison.Ordinal));

    /// <summary>Without parameters: `application/json; charset=utf-8` is `application/json`.</summary>
    internal static string? Bare(string? contentType) => contentType?.Split(';', 2)[0].Trim().ToLowerInvariant();
}
