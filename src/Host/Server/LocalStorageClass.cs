using Weft.Api.Storage;
using Weft.Client;

namespace Weft.Host.Server;

/// <summary>The default StorageClass `local`: a claim without a class gets a directory of the node that its first pod runs on.</summary>
internal static class LocalStorageClass
{
    private const string DefaultClass = "storageclass.kubernetes.io/is-default-class";

    internal static async Task EnsureAsync(KubeClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.For<StorageClass>().CreateAsync(null, new StorageClass
            {
                Metadata = new() { Name = "local", Annotations = new Dictionary<string, string> { [DefaultClass] = "true" } },
                Provisioner = "weft.dev/local",
                ReclaimPolicy = "Delete",
                VolumeBindingMode = "WaitForFirstConsumer",
            }, cancellationToken);
        }
        catch (ApiStatusException there) when (there.IsAlreadyExists)
        {
            // From an earlier start; what its owner changed stays, also that it is no longer the default.
        }
    }
}
