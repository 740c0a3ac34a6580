using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Admission;

/// <summary>
/// Claims without a class get the default one (DefaultStorageClass), and claims and volumes a finalizer that keeps them while they are in use
/// (StorageObjectInUseProtection).
/// </summary>
internal sealed class StorageAdmission(StoredObjects objects) : IAdmission
{
    private const string DefaultClass = "storageclass.kubernetes.io/is-default-class";
    private const string OldDefaultClass = "storageclass.beta.kubernetes.io/is-default-class";

    public string Name => "DefaultStorageClass";

    public async ValueTask MutateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request is not { Operation: AdmissionOperation.Create, Subresource: "", Resource.Group: "", Object: { } tree })
            return;
        switch (request.Resource.Resource)
        {
            case "persistentvolumeclaims":
                Protect(tree, "kubernetes.io/pvc-protection");
                if (tree["spec"] is JsonObject spec && spec["storageClassName"] is null && await FindDefaultAsync(cancellationToken) is { } name)
                    spec["storageClassName"] = name;
                break;
            case "persistentvolumes":
                Protect(tree, "kubernetes.io/pv-protection");
                break;
        }
    }

    private async ValueTask<string?> FindDefaultAsync(CancellationToken cancellationToken)
    {
        var (classes, _) = await objects.ListAsync("storage.k8s.io", "storageclasses", "", cancellationToken);
        // Of several defaults the newest counts, as in Kubernetes.
        return classes.Where(IsDefault)
            .OrderByDescending(item => item["metadata"]?["creationTimestamp"].AsText() ?? "", StringComparer.Ordinal)
            .ThenBy(Metadata.Name, StringComparer.Ordinal)
            .Select(Metadata.Name).FirstOrDefault();
    }

    private static bool IsDefault(JsonObject item) => item["metadata"]?["annotations"] is JsonObject annotations
        && (Metadata.Text(annotations, DefaultClass) == "true" || Metadata.Text(annotations, OldDefaultClass) == "true");

    private static void Protect(JsonObject tree, string finalizer)
    {
        var metadata = Metadata.Of(tree);
        var present = Metadata.Strings(metadata, "finalizers");
        if (!present.Contains(finalizer))
            Metadata.SetStrings(metadata, "finalizers", [.. present, finalizer]);
    }
}
