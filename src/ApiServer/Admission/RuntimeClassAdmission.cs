using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Admission;

/// <summary>
/// A pod's RuntimeClass must exist; its overhead and scheduling constraints become the pod's. A class whose name or handler runs commands of the host also needs the
/// right `use` on it: of the user who creates the pod, or of the pod's service account. Most pods are made by controllers, which act for everybody and so must not
/// hold the right themselves: for those the service account decides, as it did for Kubernetes' pod security policies.
/// </summary>
internal sealed class RuntimeClassAdmission(StoredObjects objects, IAuthorizer authorizer) : IAdmission
{
    private const string Group = "node.k8s.io";
    private const string ProcessHandler = "process";

    public string Name => "RuntimeClass";

    public ValueTask MutateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        // It belongs to the cluster as its own namespaces do: without it no process pod could be made until the next start.
        if (request is { Operation: AdmissionOperation.Delete, Resource: { Group: Group, Resource: "runtimeclasses" }, Name: ProcessHandler })
            throw Statuses.Forbidden(request.Resource, request.Name, "this runtime class may not be deleted; who may use it is what role bindings decide");
        if (PodAdmission.NewPodSpec(request) is not { } spec || Metadata.Text(spec, "runtimeClassName") is not { Length: > 0 } name)
            return ValueTask.CompletedTask;

        var found = objects.Get(Group, "runtimeclasses", "", name) ?? throw PodAdmission.Refuse(request, $"pod rejected: RuntimeClass \"{name}\" not found");
        AddOverhead(request, spec, found);
        AddScheduling(request, spec, found, name);
        return ValueTask.CompletedTask;
    }

    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (PodAdmission.NewPodSpec(request) is not { } spec || Metadata.Text(spec, "runtimeClassName") is not { Length: > 0 } name
            || !RunsOnHost(name))
            return;

        var account = PodAdmission.ServiceAccountOf(spec);
        var asAccount = new UserInfo(ServiceAccountNames.User(request.Namespace, account), ServiceAccountNames.Groups(request.Namespace));
        if (await MayUseAsync(request.User, request.Namespace, name, cancellationToken) || await MayUseAsync(asAccount, request.Namespace, name, cancellationToken))
            return;
        throw PodAdmission.Refuse(request,
            $"RuntimeClass \"{name}\" runs commands of the host: neither user \"{request.User.Name}\" nor service account \"{account}\" has the right to use it in namespace \"{request.Namespace}\" "
            + $"(grant it with: kubectl create rolebinding process-user -n {request.Namespace} --clusterrole=weft:process-user --serviceaccount={request.Namespace}:{account})");
    }

    // The node runs by the name of the class, and the handler is what a class of any name says of itself: either is enough to ask.
    private bool RunsOnHost(string name) => name == ProcessHandler || objects.Get(Group, "runtimeclasses", "", name)?["handler"].AsText() == ProcessHandler;

    private async ValueTask<bool> MayUseAsync(UserInfo user, string ns, string name, CancellationToken cancellationToken)
    {
        var attributes = new AccessAttributes(user, "use") { Group = Group, Version = "v1", Resource = "runtimeclasses", Namespace = ns, Name = name };
        return (await authorizer.AuthorizeAsync(attributes, cancellationToken)).Allowed;
    }

    private static void AddOverhead(AdmissionRequest request, JsonObject spec, JsonObject found)
    {
        var overhead = found.At("overhead", "podFixed") as JsonObject;
        if (spec["overhead"] is JsonObject { Count: > 0 } stated && !JsonNode.DeepEquals(stated, overhead))
            throw PodAdmission.Refuse(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
        if (overhead is not null)
            spec["overhead"] = overhead.DeepClone();
    }

    private static void AddScheduling(AdmissionRequest request, JsonObject spec, JsonObject found, string name)
    {
        if (found.At("scheduling", "nodeSelector") is JsonObject selector)
        {
            if (spec["nodeSelector"] is not JsonObject own)
                spec["nodeSelector"] = own = [];
            foreach (var (key, value) in selector)
            {
                if (own[key] is { } there && !JsonNode.DeepEquals(there, value))
                    throw PodAdmission.Refuse(request, $"pod rejected: conflict: runtimeClass.scheduling.nodeSelector[{key}] of \"{name}\" differs from the pod's");
                own[key] = value?.DeepClone();
            }
        }
        foreach (var toleration in found.At("scheduling", "tolerations") as JsonArray ?? [])
        {
            var tolerations = PodAdmission.List(spec, "tolerations");
            if (!tolerations.Any(own => JsonNode.DeepEquals(own, toleration)))
                tolerations.Add(toleration?.DeepClone());
        }
    }
}
