using Weft.Api;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Admission;

/// <summary>Nothing is created in a namespace that does not exist or is being deleted, and the cluster's own namespaces stay.</summary>
internal sealed class NamespaceLifecycle(StoredObjects objects) : IAdmission
{
    private static readonly string[] Immortal = ["default", "kube-system", "kube-public"];
    private static readonly GroupVersionResource Namespaces = new("", "v1", "namespaces");

    public string Name => "NamespaceLifecycle";

    public ValueTask MutateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request is { Operation: AdmissionOperation.Delete, Resource: { Group: "", Resource: "namespaces" } } && Immortal.Contains(request.Name))
            throw Statuses.Forbidden(Namespaces, request.Name, "this namespace may not be deleted");
        if (request.Operation != AdmissionOperation.Create || request.Namespace.Length == 0 || request.Resource is { Group: "", Resource: "namespaces" })
            return ValueTask.CompletedTask;

        var found = objects.Get("", "namespaces", "", request.Namespace) ?? throw Statuses.NotFound(Namespaces, request.Namespace);
        if (Metadata.IsBeingDeleted(found))
        {
            throw Statuses.Forbidden(request.Resource, request.Name, $"unable to create new content in namespace {request.Namespace} because it is being terminated",
                new StatusCause { Reason = "NamespaceTerminating", Message = $"namespace {request.Namespace} is being terminated", Field = "metadata.namespace" });
        }
        return ValueTask.CompletedTask;
    }
}
