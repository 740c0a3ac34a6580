using Weft.Registry.Names;

namespace Weft.Cli.Images.Archives;

/// <summary>What has to be pushed so that an image is there: blobs first, then manifests in their order, the last one under the names.</summary>
/// <param name="Names">As the archive has them; none: the user must say.</param>
internal sealed record ImagePlan(IReadOnlyList<ImageReference> Names, IReadOnlyList<PlannedBlob> Blobs, IReadOnlyList<PlannedManifest> Manifests);

/// <param name="File">Its name in the archive.</param>
internal sealed record PlannedBlob(Digest Digest, long Length, string File);

internal sealed record PlannedManifest(Digest Digest, string MediaType, byte[] Content);
