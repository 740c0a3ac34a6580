using Weft.Grpc;
using Weft.Node.Images;
using Weft.Node.Runtime.Cri.Wire;

namespace Weft.Node.Runtime.Cri;

/// <param name="gate">Waits until containerd answers.</param>
internal sealed class CriImages(CriClient client, Func<CancellationToken, Task> gate, CriPaths paths) : IImages
{
    public async Task<ImageInfo?> FindAsync(string image, CancellationToken cancellationToken) =>
        (await CallAsync(() => client.ImageStatusAsync(image, cancellationToken), cancellationToken)).Image is { } found ? Info(found) : null;

    public async Task<ImageInfo> PullAsync(string image, IReadOnlyList<RegistryCredential> credentials, CancellationToken cancellationToken)
    {
        RuntimeException? refused = null;
        foreach (var auth in credentials.Select(c => (AuthConfig?)new AuthConfig { Username = c.UserName, Password = c.Password, ServerAddress = Server(image) }).DefaultIfEmpty(null))
        {
            try
            {
                var pulled = await CallAsync(() => client.PullImageAsync(image, auth, cancellationToken), cancellationToken);
                return await FindAsync(pulled.ImageRef, cancellationToken) ?? throw new RuntimeException(RuntimeError.Image, $"image '{image}' was pulled and is gone again");
            }
            catch (RuntimeException e)
            {
                refused = auth is { Password.Length: > 0 } && e.Message.Contains(auth.Password, StringComparison.Ordinal)
                    ? new RuntimeException(RuntimeError.Image, e.Message.Replace(auth.Password, "***", StringComparison.Ordinal))
                    : e;
            }
        }
        throw refused!;
    }

    // containerd reads it as a URL, and gives the password to no other host, a mirror say: what a docker configuration calls its servers would be refused
    // (`127.0.0.1:5000`) or match none (`reg.example.com`). Which credential is the image's was decided before.
    private static string Server(string image) =>
        ImageName.Parse(image)?.Domain is not { } registry ? "" : "https://" + (registry == "docker.io" ? "registry-1.docker.io" : registry);

    public async Task<IReadOnlyList<ImageInfo>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await CallAsync(() => client.ListImagesAsync(cancellationToken), cancellationToken)).Images.Select(Info)];

    public async Task RemoveAsync(string imageId, CancellationToken cancellationToken) =>
        await CallAsync(() => client.RemoveImageAsync(imageId, cancellationToken), cancellationToken);

    public async Task<ImageStoreUsage> UsageAsync(CancellationToken cancellationToken)
    {
        var usage = await CallAsync(() => client.ImageFsInfoAsync(cancellationToken), cancellationToken);
        return new(usage.ImageFilesystems.Sum(f => (long)(f.UsedBytes?.Value ?? 0)), paths.Root);
    }

    private ImageInfo Info(Image image) => new(
        image.Id, [.. image.RepoTags], [.. image.RepoDigests], (long)image.Size,
        image.Uid?.Value, image.Username.Length > 0 ? image.Username : null,
        image.Pinned || image.RepoTags.Contains(paths.Options.SandboxImage));

    private async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        await gate(cancellationToken);
        try
        {
            return await call();
        }
        catch (GrpcException e)
        {
            throw new RuntimeException(RuntimeError.Image, e.Message, e);
        }
    }
}
