using System.Runtime.CompilerServices;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.Authorization;

/// <summary>
/// What a node agent may do: its own node and lease, the pods, and of secrets, config maps and service accounts only those that a pod on it uses.
/// Which pods and nodes it may write is narrowed further by <see cref="NodeRestriction"/>, which sees the objects.
/// </summary>
public sealed class NodeAuthorizer(IStore store) : IAuthorizer
{
    // Hangs on the store's own entries: a changed pod is another entry, and each is read once.
    private readonly ConditionalWeakTable<Entry, PodReferences> _references = [];

    private static readonly string[] Reading = ["get", "list", "watch"];

    public ValueTask<AccessDecision> AuthorizeAsync(AccessAttributes attributes, CancellationToken cancellationToken)
    {
        if (NodeIdentity.NodeName(attributes.User) is not { } node || !attributes.IsResource)
            return new(new AccessDecision(false, ""));
        return (attributes.Group, attributes.Resource) switch
        {
            ("", "secrets") or ("", "configmaps") or ("", "serviceaccounts") or ("", "persistentvolumeclaims") => ReferencedAsync(attributes, node, cancellationToken),
            _ => new(ByRule(attributes, node) ? new AccessDecision(true, "") : new AccessDecision(false, "")),
        };
    }

    private static bool ByRule(AccessAttributes a, string node)
    {
        var reads = Reading.Contains(a.Verb) && a.Subresource.Length == 0;
        var writes = a.Verb is "create" or "update" or "patch";
        return (a.Group, a.Resource) switch
        {
            ("", "nodes") => reads
                || (a.Subresource.Length == 0 && a.Verb == "create")
                || (a.Subresource is "" or "status" && a.Verb is "update" or "patch" && a.Name == node),
            // Reading all pods is what Kubernetes lets nodes do, too, as long as the selector of a list is not part of the question.
            ("", "pods") => reads || (a.Subresource, a.Verb) is ("", "create") or ("", "delete") or ("status", "update") or ("status", "patch") or ("eviction", "create"),
            // A volume holds no secrets; of its own volumes a node takes off one finalizer (NodeRestriction).
            ("", "persistentvolumes") => reads || (a.Subresource.Length == 0 && a.Verb == "patch"),
            ("coordination.k8s.io", "leases") => a.Namespace == "kube-node-lease"
                && (a.Verb == "create" || (a.Name == node && a.Verb is "get" or "update" or "patch" or "delete")),
            ("" or "events.k8s.io", "events") => writes && a.Subresource.Length == 0,
            ("", "services" or "endpoints" or "namespaces") or ("discovery.k8s.io", "endpointslices") or ("node.k8s.io", "runtimeclasses")
                or ("scheduling.k8s.io", "priorityclasses")
                or ("networking.k8s.io", "networkpolicies")
                or ("networking.istio.io", "virtualservices" or "destinationrules") => reads,
            ("authentication.k8s.io", "tokenreviews") or ("authorization.k8s.io", "subjectaccessreviews") => a.Verb == "create",
            _ => false,
        };
    }

    private async ValueTask<AccessDecision> ReferencedAsync(AccessAttributes a, string node, CancellationToken cancellationToken)
    {
        var isToken = a is { Resource: "serviceaccounts", Subresource: "token", Verb: "create" };
        if (!isToken && (a.Subresource.Length > 0 || !Reading.Contains(a.Verb)))
            return new AccessDecision(false, "");
        // A list or watch carries a name when its field selector asks for one object.
        if (a.Name.Length == 0 || a.Namespace.Length == 0)
            return new AccessDecision(false, "nodes may only read objects by name that a pod on them uses");

        var page = await store.ListAsync($"/registry/core/pods/{a.Namespace}/", cancellationToken: cancellationToken);
        var used = page.Entries.Select(e => _references.GetValue(e, Read)).Any(pod => pod.Node == node && a.Resource switch
        {
            "secrets" => pod.Secrets.Contains(a.Name),
            // The cluster's trust root is in every pod's projected volume, whoever wrote it.
            "persistentvolumeclaims" => pod.Claims.Contains(a.Name),
            "configmaps" => pod.ConfigMaps.Contains(a.Name) || a.Name == "kube-root-ca.crt",
            _ => pod.ServiceAccount.Length > 0 && pod.ServiceAccount == a.Name,
        });
        return used ? new AccessDecision(true, "") : new AccessDecision(false, $"no relationship found between node '{node}' and this object");
    }

    private static PodReferences Read(Entry entry) => PodReferences.Read(Envelope.Read(entry.Value).Parse(0));
}
