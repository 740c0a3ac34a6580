using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Authorization;

/// <summary>Holds a node's writes to its own node object, its lease and the pods bound to it: one captured node must not take over others.</summary>
public sealed class NodeRestriction(StoredObjects objects) : IAdmission
{
    private const string MirrorAnnotation = "kubernetes.io/config.mirror";
    private const string LeaseNamespace = "kube-node-lease";

    public string Name => "NodeRestriction";

    public ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (NodeIdentity.NodeName(request.User) is { } node)
        {
            switch (request.Resource.Group, request.Resource.Resource)
            {
                case ("", "nodes"):
                    CheckNode(request, node);
                    break;
                case ("", "pods"):
                    CheckPod(request, node);
                    break;
                case ("", "persistentvolumes"):
                    CheckVolume(request, node);
                    break;
                case ("coordination.k8s.io", "leases"):
                    CheckLease(request, node);
                    break;
            }
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
        if (NodeLabels.Changed(next, old).FirstOrDefault(key => !NodeLabels.MaySet(key)) is { } label)
            throw Refuse(request, $"node \"{node}\" is not allowed to set or remove its label {label}");
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

    // The agent has removed the directory of a local volume: it takes off the finalizer that waited for that, and changes nothing else.
    private static void CheckVolume(AdmissionRequest request, string node)
    {
        const string finalizer = "weft.dev/local-volume";
        if (request is not { Operation: AdmissionOperation.Update, Object: { } next, OldObject: { } old })
            throw Refuse(request, $"node \"{node}\" may not create or delete volumes");
        var kept = Metadata.Strings(old["metadata"] as JsonObject, "finalizers").Where(name => name != finalizer);
        var isOwn = (old["spec"]?["nodeAffinity"]?["required"]?["nodeSelectorTerms"] as JsonArray)?.OfType<JsonObject>()
            .SelectMany(term => (term["matchExpressions"] as JsonArray)?.OfType<JsonObject>() ?? [])
            .Any(one => Metadata.Text(one, "key") == "kubernetes.io/hostname" && Metadata.Strings(one, "values").Contains(node)) == true;
        if (!isOwn || !kept.SequenceEqual(Metadata.Strings(next["metadata"] as JsonObject, "finalizers")) || !JsonNode.DeepEquals(Rest(next), Rest(old)))
            throw Refuse(request, $"node \"{node}\" may only take the finalizer {finalizer} off its own volumes");

        static JsonObject Rest(JsonObject tree)
        {
            var copy = (JsonObject)tree.DeepClone();
            foreach (var name in (ReadOnlySpan<string>)["finalizers", "managedFields", "resourceVersion"])
                (copy["metadata"] as JsonObject)?.Remove(name);
            return copy;
        }
    }

    // The lease says that its node lives: a second one, or another's, would keep a dead node alive.
    private static void CheckLease(AdmissionRequest request, string node)
    {
        var name = request.Object is { } tree ? Metadata.Name(tree) : request.Name;
        if (request.Namespace != LeaseNamespace || name != node)
            throw Refuse(request, $"node \"{node}\" may only write its own lease, \"{node}\" in namespace {LeaseNamespace}");
    }

    private static void CheckMirror(AdmissionRequest request, string node, JsonObject pod)
    {
        if (Metadata.Text(pod["metadata"]?["annotations"] as JsonObject, MirrorAnnotation).Length == 0)
            throw Refuse(request, $"pod does not have \"{MirrorAnnotation}\" annotation, node \"{node}\" can only create mirror pods");
        var references = PodReferences.Read(pod);
        if (references.Node != node)
            throw Refuse(request, $"node \"{node}\" can only create pods with spec.nodeName set to itself");
        if (references.Secrets.Count > 0 || references.ConfigMaps.Count > 0 || references.ServiceAccount.Length > 0 || references.ProjectsToken || references.Claims.Count > 0
            || Metadata.Text(pod["spec"] as JsonObject, "serviceAccount").Length > 0)
            throw Refuse(request, $"node \"{node}\" can not create pods that reference secrets, configmaps, claims, a service account or its tokens");
    }

    private static void RequireOwn(AdmissionRequest request, string node, JsonObject? pod)
    {
        if (pod is not null && Metadata.Text(pod["spec"] as JsonObject, "nodeName") != node)
            throw Refuse(request, $"node \"{node}\" can only write pods with spec.nodeName set to itself");
    }

    private static ApiException Refuse(AdmissionRequest request, string why) => Statuses.Forbidden(request.Resource, request.Name, why);
}
