namespace Weft.Node.Runtime;

/// <summary>The images of the node, whenever its image runtime is there.</summary>
internal sealed class NodeImages(PodRuntimes runtimes) : IImages
{
    public Task<ImageInfo?> FindAsync(string image, CancellationToken cancellationToken) => Images().FindAsync(image, cancellationToken);

    public Task<ImageInfo> PullAsync(string image, IReadOnlyList<RegistryCredential> credentials, CancellationToken cancellationToken) => Images().PullAsync(image, credentials, cancellationToken);

    public Task<IReadOnlyList<ImageInfo>> ListAsync(CancellationToken cancellationToken) => Images().ListAsync(cancellationToken);

    public Task RemoveAsync(string imageId, CancellationToken cancellationToken) => Images().RemoveAsync(imageId, cancellationToken);

    public Task<ImageStoreUsage> UsageAsync(CancellationToken cancellationToken) => Images().UsageAsync(cancellationToken);

    private IImages Images() => runtimes.Images is ImageRuntimeState.Ready ready ? ready.Images : throw new RuntimeException(RuntimeError.Image, "the container runtime of this node is not there yet");
}
