using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Authorization;

/// <summary>Holds a node's writes to its own node object and the pods bound to it: one captured node must not take over others.</summary>
public sealed class NodeRestriction(StoredObjects objects) : IAdmission
{
    private const string MirrorAnnotation = "kubernetes.io/config.mirror";
    private const string RestrictedLabel = "node-restriction.kubernetes.io/";

    public string Name => "NodeRestriction";

    public ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request.Resource.Group.Length == 0 && NodeIdentity.NodeName(request.User) is { } node)
        {
            if (request.Resource.Resource == "nodes")
                CheckNode(request, node);
            else if (request.Resource.Resource == "pods")
                CheckPod(request, node);
        }

        return ValueTask.CompletedTask;
    }

    private static void CheckNode(AdmissionRequest request, string node)
    {
        var name = request.Object is { } tree ? Metadata.Name(tree) : request.Name;
        if (name != node || request.Operation == AdmissionOperation.Delete)
            throw Refuse(request, $"node \"{node}\" is not allowed to {request.Operation.ToString().ToLowerInvariant()} node \"{name}\"");
        if (request.Object is not { } next)
            return;

        var old = request.OldObject;
        if (!Same(Labels(next, RestrictedLabel), Labels(old, RestrictedLabel)))
            throw Refuse(request, $"is not allowed to modify labels with the prefix {RestrictedLabel}");
        // A node that owned itself to something non-existent would have the collector delete it, and could come back with other labels (CVE-2025-5187).
        if (!JsonNode.DeepEquals(next["metadata"]?["ownerReferences"], old?["metadata"]?["ownerReferences"]))
            throw Refuse(request, $"node \"{node}\" is not allowed to modify ownerReferences");
        if (old is not null && !JsonNode.DeepEquals((next["spec"] as JsonObject)?["taints"], (old["spec"] as JsonObject)?["taints"]))
            throw Refuse(request, $"node \"{node}\" is not allowed to modify taints");
    }

    private void CheckPod(AdmissionRequest request, string node)
    {
        if (request.Subresource == "eviction")
        {
            RequireOwn(request, node, objects.Get("", "pods", request.Namespace, request.Name));
            return;
        }

        switch (request.Operation, request.Subresource)
        {
            case (AdmissionOperation.Create, ""):
                CheckMirror(request, node, request.Object!);
                break;
            case (AdmissionOperation.Delete, ""):
                RequireOwn(request, node, request.OldObject ?? objects.Get("", "pods", request.Namespace, request.Name));
                break;
            case (AdmissionOperation.Update, "status"):
                RequireOwn(request, node, request.OldObject);
                if (!JsonNode.DeepEquals(request.Object?["metadata"]?["labels"], request.OldObject?["metadata"]?["labels"]))
                    throw Refuse(request, $"node \"{node}\" cannot update labels through pod status");
                break;
            default:
                throw Refuse(request, $"unexpected operation by node \"{node}\": {request.Operation} {request.Subresource}");
        }
    }

    private static void CheckMirror(AdmissionRequest request, string node, JsonObject pod)
    {
        if (Metadata.Text(pod["metadata"]?["annotations"] as JsonObject, MirrorAnnotation).Length == 0)
            throw Refuse(request, $"pod does not have \"{MirrorAnnotation}\" annotation, node \"{node}\" can only create mirror pods");
        var references = PodReferences.Read(pod);
        if (references.Node != node)
            throw Refuse(request, $"node \"{node}\" can only create pods with spec.nodeName set to itself");
        if (references.Secrets.Count > 0 || references.ConfigMaps.Count > 0 || references.ServiceAccount.Length > 0 || references.ProjectsToken
            || Metadata.Text(pod["spec"] as JsonObject, "serviceAccount").Length > 0)
            throw Refuse(request, $"node \"{node}\" can not create pods that reference secrets, configmaps, a service account or its tokens");
    }

    private static void RequireOwn(AdmissionRequest request, string node, JsonObject? pod)
    {
        if (pod is not null && Metadata.Text(pod["spec"] as JsonObject, "nodeName") != node)
            throw Refuse(request, $"node \"{node}\" can only write pods with spec.nodeName set to itself");
    }

    private static Dictionary<string, string> Labels(JsonObject? tree, string prefix) =>
        (tree?["metadata"]?["labels"] as JsonObject ?? []).Where(l => l.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(l => l.Key, l => l.Value?.ToString() ?? "");

    private static bool Same(Dictionary<string, string> a, Dictionary<string, string> b) => a.Count == b.Count && !a.Except(b).Any();

    private static ApiException Refuse(AdmissionRequest request, string why) => Statuses.Forbidden(request.Resource, request.Name, why);
}
