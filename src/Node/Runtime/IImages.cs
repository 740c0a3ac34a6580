namespace Weft.Node.Runtime;

/// <summary>The images that a runtime has on this machine.</summary>
internal interface IImages
{
    /// <summary>By name as a pod gives it (`nginx`, `quay.io/a/b:1`, `x@sha256:...`) or by id; null when it is not here.</summary>
    Task<ImageInfo?> FindAsync(string image, CancellationToken cancellationToken);

    /// <summary>Fetches it, or finds that what is here is what the registry has. Credentials are tried in order; none: without.</summary>
    /// <exception cref="RuntimeException">With <see cref="RuntimeError.Image"/>: why, in the registry's words, never with a credential in them.</exception>
    Task<ImageInfo> PullAsync(string image, IReadOnlyList<RegistryCredential> credentials, CancellationToken cancellationToken);

    Task<IReadOnlyList<ImageInfo>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Unknown ids are fine.</summary>
    Task RemoveAsync(string imageId, CancellationToken cancellationToken);

    /// <summary>Bytes that images take, and the directory that they lie in.</summary>
    Task<ImageStoreUsage> UsageAsync(CancellationToken cancellationToken);
}

/// <param name="Id">`sha256:` and the digest of its configuration.</param>
/// <param name="Names">Full names with tag.</param>
/// <param name="Digests">Full names with digest: the first is a status' `imageID`.</param>
/// <param name="Uid">The image's user, when it is a number, whatever number the image says; null: not set, or a name.</param>
/// <param name="UserName">The image's user, when it is a name.</param>
/// <param name="Pinned">The runtime needs it itself; never removed.</param>
internal sealed record ImageInfo(
    string Id, IReadOnlyList<string> Names, IReadOnlyList<string> Digests, long Bytes, long? Uid, string? UserName, bool Pinned);

/// <param name="Server">Host and port that it is meant for, as in a docker configuration.</param>
internal sealed record RegistryCredential(string Server, string UserName, string Password)
{
    /// <summary>Without the password: a record prints all its parts.</summary>
    public override string ToString() => $"{UserName} at {Server}";
}

internal sealed record ImageStoreUsage(long Bytes, string Directory);
