using System.Text.Json.Nodes;
using Weft.Api.FrontDoor;
using Weft.Api.Istio;

namespace Weft.ApiServer.Authorization;

/// <summary>One role for each controller, bound to its service account in kube-system: a controller can do its own work and nothing else.</summary>
internal static class ControllerRoles
{
    internal static IEnumerable<(string Name, string Account, JsonObject[] Rules)> Roles()
    {
        yield return Controller("deployment-controller",
            On("apps", "deployments", "get", "list", "watch", "update", "patch"),
            On("apps", "deployments/status", "update", "patch"),
            On("apps", "deployments/finalizers", "update"),
            On("apps", "replicasets", "create", "delete", "get", "list", "patch", "update", "watch"),
            On("", "pods", "get", "list", "update", "patch", "watch"));
        yield return Controller("replicaset-controller",
            On("apps", "replicasets", "get", "list", "watch", "update", "patch"),
            On("apps", "replicasets/status", "update", "patch"),
            On("apps", "replicasets/finalizers", "update"),
            On("", "pods", "create", "delete", "get", "list", "patch", "watch"));
        yield return Controller("statefulset-controller",
            On("apps", "statefulsets", "get", "list", "watch"),
            On("apps", "statefulsets/status", "update", "patch"),
            On("apps", "statefulsets/finalizers", "update"),
            On("apps", "controllerrevisions", "create", "delete", "get", "list", "patch", "update", "watch"),
            On("", "pods", "create", "delete", "get", "list", "patch", "update", "watch"),
            On("", "pods/finalizers", "update"),
            On("", "persistentvolumeclaims", "create", "delete", "get", "list", "patch", "update", "watch"));
        yield return Controller("daemon-set-controller",
            On("apps", "daemonsets", "get", "list", "watch"),
            On("apps", "daemonsets/status", "update", "patch"),
            On("apps", "daemonsets/finalizers", "update"),
            On("apps", "controllerrevisions", "create", "delete", "get", "list", "patch", "update", "watch"),
            On("", "nodes", "get", "list", "watch"),
            On("", "pods", "create", "delete", "get", "list", "patch", "watch"));
        yield return Controller("job-controller",
            On("batch", "jobs", "delete", "get", "list", "patch", "update", "watch"),
            On("batch", "jobs/status", "update", "patch"),
            On("batch", "jobs/finalizers", "update"),
            On("", "pods", "create", "delete", "get", "list", "patch", "watch"));
        yield return Controller("cronjob-controller",
            On("batch", "cronjobs", "get", "list", "update", "watch"),
            On("batch", "cronjobs/status", "update", "patch"),
            On("batch", "cronjobs/finalizers", "update"),
            On("batch", "jobs", "create", "delete", "get", "list", "patch", "update", "watch"));
        yield return Controller("disruption-controller",
            On("apps", "deployments", "get", "list", "watch"),
            On("apps", "replicasets", "get", "list", "watch"),
            On("apps", "statefulsets", "get", "list", "watch"),
            On("", "replicationcontrollers", "get", "list", "watch"),
            On("", "pods", "get", "list", "watch"),
            On("policy", "poddisruptionbudgets", "get", "list", "watch"),
            On("policy", "poddisruptionbudgets/status", "update", "patch"));
        yield return Controller("horizontal-pod-autoscaler",
            On("autoscaling", "horizontalpodautoscalers", "get", "list", "watch"),
            On("autoscaling", "horizontalpodautoscalers/status", "update", "patch"),
            BootstrapRoles.Rule(["get", "update"], ["*"], ["*/scale"]),
            On("", "pods", "get", "list", "watch"),
            On("metrics.k8s.io", "pods", "get", "list"),
            BootstrapRoles.Rule(["get", "list"], ["custom.metrics.k8s.io", "external.metrics.k8s.io"], ["*"]));
        yield return Controller("replication-controller",
            On("", "replicationcontrollers", "get", "list", "watch"),
            On("", "replicationcontrollers/status", "update", "patch"),
            On("", "replicationcontrollers/finalizers", "update"),
            On("", "pods", "create", "delete", "get", "list", "patch", "watch"));
        yield return Controller("endpoint-controller",
            On("", "pods", "get", "list", "watch"),
            On("", "services", "get", "list", "watch"),
            On("", "endpoints", "create", "delete", "get", "list", "update", "patch", "watch"),
            On("", "endpoints/restricted", "create"));
        yield return Controller("endpointslice-controller",
            On("", "nodes", "get", "list", "watch"),
            On("", "pods", "get", "list", "watch"),
            On("", "services", "get", "list", "watch"),
            On("", "services/finalizers", "update"),
            On("discovery.k8s.io", "endpointslices", "create", "delete", "get", "list", "update", "patch", "watch"));
        yield return Controller("service-controller",
            On("", "services", "get", "list", "watch"),
            On("", "services/status", "patch", "update"));
        // It reads by the shared caches; of Secrets, which no cache holds, those that objects of the mesh name, and of ConfigMaps the mesh's own.
        yield return Controller("mesh-controller",
        [
            .. MeshKinds.All().Concat(WeftKinds.Preinstalled()).GroupBy(kind => kind.Kind.Kind.Group).Select(group => BootstrapRoles.Rule(["patch"], [group.Key], [.. group.Select(kind => kind.Kind.Plural + "/status")])),
            On("", "secrets", "get", "list", "watch"),
            // The mesh configuration, and what is wrong with it.
            On("", "configmaps", "get", "list", "watch"),
        ]);
        yield return Controller("front-door-controller",
            On("", "namespaces", "create", "get", "list", "watch"),
            On("", "services", "create", "delete", "get", "list", "patch", "update", "watch"),
            On("", "services/finalizers", "update"),
            On("", "nodes", "get", "list", "watch"),
            On("discovery.k8s.io", "endpointslices", "create", "delete", "get", "list", "update", "patch", "watch"),
            On("networking.k8s.io", "ingresses", "get", "list", "watch"),
            On("networking.k8s.io", "ingresses/status", "patch", "update"),
            On("networking.k8s.io", "ingressclasses", "create", "get", "list", "watch"));
        yield return Controller("namespace-controller",
            On("", "namespaces", "delete", "get", "list", "watch"),
            On("", "namespaces/finalize", "update"),
            On("", "namespaces/status", "update", "patch"),
            BootstrapRoles.Rule(["delete", "deletecollection", "get", "list"], ["*"], ["*"]));
        yield return Controller("generic-garbage-collector",
            BootstrapRoles.Rule(["delete", "get", "list", "patch", "update", "watch"], ["*"], ["*"]));
        yield return Controller("resourcequota-controller",
            BootstrapRoles.Rule(["list", "watch"], ["*"], ["*"]),
            On("", "resourcequotas", "get"),
            On("", "resourcequotas/status", "update", "patch"));
        yield return Controller("node-controller",
            On("", "nodes", "delete", "get", "list", "patch", "update", "watch"),
            On("", "nodes/status", "patch", "update"),
            On("", "pods/status", "patch", "update"),
            On("", "pods", "delete", "get", "list", "watch"),
            On("coordination.k8s.io", "leases", "get", "list", "watch"));
        yield return Controller("node-ipam-controller",
            On("", "nodes", "get", "list", "patch", "watch"));
        yield return Controller("service-account-controller",
            On("", "serviceaccounts", "create", "get", "list", "watch"),
            On("", "namespaces", "get", "list", "watch"));
        yield return Controller("root-ca-cert-publisher",
            On("", "configmaps", "create", "get", "list", "watch", "update", "patch"),
            On("", "namespaces", "get", "list", "watch"));
        yield return Controller("persistent-volume-binder",
            On("", "persistentvolumes", "create", "delete", "get", "list", "patch", "update", "watch"),
            On("", "persistentvolumes/status", "patch", "update"),
            On("", "persistentvolumeclaims", "get", "list", "patch", "update", "watch"),
            On("", "persistentvolumeclaims/status", "patch", "update"),
            On("storage.k8s.io", "storageclasses", "get", "list", "watch"),
            On("", "nodes", "get", "list", "watch"),
            On("", "pods", "get", "list", "watch"));
        yield return Controller("ephemeral-volume-controller",
            On("", "pods", "get", "list", "watch"),
            On("", "pods/finalizers", "update"),
            On("", "persistentvolumeclaims", "create", "get", "list", "watch"));
        yield return Controller("pod-garbage-collector",
            On("", "pods", "delete", "list", "watch"),
            On("", "pods/status", "patch"),
            On("", "nodes", "get", "list"));
        yield return Controller("clusterrole-aggregation-controller",
            On("rbac.authorization.k8s.io", "clusterroles", "escalate", "get", "list", "patch", "update", "watch"));
        yield return Controller("custom-resource-definition-controller",
            On("apiextensions.k8s.io", "customresourcedefinitions", "get", "list", "watch", "patch", "update"),
            On("apiextensions.k8s.io", "customresourcedefinitions/status", "patch", "update"));
    }

    private static (string, string, JsonObject[]) Controller(string account, params JsonObject[] rules) =>
        ("system:controller:" + account, account, [.. rules, BootstrapRoles.Rule(["create", "patch", "update"], ["", "events.k8s.io"], ["events"])]);

    private static JsonObject On(string group, string resource, params string[] verbs) => BootstrapRoles.Rule(verbs, [group], [resource]);
}
