using System.Text.Json.Nodes;
using Weft.Api.FrontDoor;
using Weft.Api.GatewayApi;
using Weft.Api.Istio;
using Weft.Api.Joining;
using Weft.Api.Streams.Tunnels;
using Weft.Api.Withdrawals;
using Weft.ApiServer.Nodes;

namespace Weft.ApiServer.Authorization;

/// <summary>The roles and bindings that every cluster has, with Kubernetes' names and meaning, for the kinds that exist here.</summary>
internal static class BootstrapRoles
{
    private const string Aggregate = "rbac.authorization.k8s.io/aggregate-to-";
    private static readonly string[] Read = ["get", "list", "watch"];
    private static readonly string[] Write = ["create", "delete", "deletecollection", "patch", "update"];
    private static readonly string[] All = ["*"];

    internal static IReadOnlyList<JsonObject> ClusterRoles() =>
    [
        Role("cluster-admin", Rule(All, All, All), Paths(All, "*")),
        Aggregated("admin", "admin"),
        Aggregated("edit", "edit"),
        Aggregated("view", "view"),
        Part("admin", AdminPart()),
        Part("edit", EditPart()),
        Part("view", ViewPart()),
        // What metrics-server brings with it.
        Labelled(Role("system:aggregated-metrics-reader", Rule(Read, ["metrics.k8s.io"], ["nodes", "pods"])), "view"),
        // What Istio's installation brings with it. Statuses are the mesh's own to write.
        Labelled(Role("weft:istio-edit", [.. MeshResources().Select(group => Rule(Write, [group.Key], [.. group.Where(resource => !IsOperators(group.Key, resource))]))]), "edit"),
        Labelled(Role("weft:istio-view", [.. MeshResources().Select(group => Rule(Read, [group.Key], [.. group, .. group.Select(resource => resource + "/status")]))]), "view"),

        Role("system:basic-user",
            Rule(["create"], ["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]),
            Rule(["create"], ["authentication.k8s.io"], ["selfsubjectreviews"])),
        Role("system:discovery", Paths(["get"],
            "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/")),
        Role("system:public-info-viewer", Paths(["get"], "/healthz", "/livez", "/readyz", "/version", "/version/")),
        Role("system:monitoring", Paths(["get"], "/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/readyz", "/readyz/*")),
        Role("system:service-account-issuer-discovery", Paths(["get"], "/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks", "/openid/v1/jwks/")),
        Role("system:auth-delegator",
            Rule(["create"], ["authentication.k8s.io"], ["tokenreviews"]),
            Rule(["create"], ["authorization.k8s.io"], ["subjectaccessreviews"])),

        // Not bound to the group system:nodes: the node authorizer gives nodes their rights, narrower. Kept because tools look for it.
        Role("system:node", NodePart()),
        Role("weft:node", Paths(["get"], TunnelPaths.Orders, TunnelPaths.Orders + "/*", JoinPaths.Cluster, WithdrawalPaths.Prefix + "*"), Paths(["post"], JoinPaths.Renew, JoinPaths.Proxy)),
        Role("weft:join", Paths(["get", "post"], JoinPaths.Join, JoinPaths.Authority)),
        Role("weft:join-authority", Paths(["get"], JoinPaths.Authority)),
        Role("system:kube-scheduler", SchedulerPart()),
        // A node's proxy has an identity of its own: it parses what strangers send, and must not be able to act as the node.
        Role("weft:proxy", Paths(["get"], "/weft.dev/config/v1", "/weft.dev/certificates/v1")),
        .. ControllerRoles.Roles().Select(r => Role(r.Name, [.. r.Rules])),
    ];

    internal static IReadOnlyList<JsonObject> ClusterRoleBindings() =>
    [
        Binding("cluster-admin", "cluster-admin", Group("system:masters")),
        Binding("system:basic-user", "system:basic-user", Group("system:authenticated")),
        Binding("system:discovery", "system:discovery", Group("system:authenticated")),
        Binding("system:public-info-viewer", "system:public-info-viewer", Group("system:authenticated"), Group("system:unauthenticated")),
        Binding("system:monitoring", "system:monitoring", Group("system:monitoring")),
        Binding("system:service-account-issuer-discovery", "system:service-account-issuer-discovery", Group("system:serviceaccounts")),
        Binding("system:kube-scheduler", "system:kube-scheduler", User("system:kube-scheduler")),
        Binding("system:node", "system:node"),
        Binding("weft:node", "weft:node", Group(NodeIdentity.Group)),
        Binding("weft:join", "weft:join", Group("system:bootstrappers")),
        Binding("weft:join-authority", "weft:join-authority", Group("system:authenticated"), Group("system:unauthenticated")),
        Binding("weft:proxy", "weft:proxy", Group("system:nodes"), Group(NodeJoin.ProxyGroup)),
        .. ControllerRoles.Roles().Select(r => Binding(r.Name, r.Name, ServiceAccount("kube-system", r.Account))),
    ];

    // What is of the whole cluster (ServiceMesh, GatewayClass) is its administrators'.
    private static IEnumerable<IGrouping<string, string>> MeshResources() =>
        MeshKinds.All().Concat(WeftKinds.Preinstalled()).Concat(GatewayKinds.Preinstalled()).Where(kind => kind.Kind.Namespaced).GroupBy(kind => kind.Kind.Kind.Group, kind => kind.Kind.Plural);

    // In the roles that the Gateway API has in mind, routes are the applications' and a Gateway is the cluster operators': it opens ports to the outside.
    private static bool IsOperators(string group, string resource) => (group, resource) == (GatewayKinds.Group, "gateways");

    private static JsonObject[] AdminPart() =>
    [
        Rule([.. Write, .. Read], ["rbac.authorization.k8s.io"], ["rolebindings", "roles"]),
        Rule(["create"], ["authorization.k8s.io"], ["localsubjectaccessreviews"]),
    ];

    private static JsonObject[] EditPart() =>
    [
        Rule(Read, [""], ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"]),
        Rule(["impersonate"], [""], ["serviceaccounts"]),
        Rule(Write, [""], ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"]),
        Rule(["create"], [""], ["pods/eviction"]),
        Rule(Write, [""], ["configmaps", "events", "persistentvolumeclaims", "replicationcontrollers", "replicationcontrollers/scale", "secrets", "serviceaccounts", "services", "services/proxy"]),
        Rule(["create"], [""], ["serviceaccounts/token"]),
        Rule(Write, ["apps"],
            ["daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets", "replicasets/scale", "statefulsets", "statefulsets/scale"]),
        Rule(Write, ["autoscaling"], ["horizontalpodautoscalers"]),
        Rule(Write, ["batch"], ["cronjobs", "jobs"]),
        Rule(Write, ["networking.k8s.io"], ["ingresses", "networkpolicies"]),
        Rule(Write, ["policy"], ["poddisruptionbudgets"]),
        Rule([.. Write, .. Read], ["coordination.k8s.io"], ["leases"]),
    ];

    private static JsonObject[] ViewPart() =>
    [
        Rule(Read, [""],
            [
                "configmaps", "endpoints", "persistentvolumeclaims", "persistentvolumeclaims/status", "pods", "replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts",
                "services", "services/status",
            ]),
        Rule(Read, [""],
            ["bindings", "events", "limitranges", "namespaces/status", "pods/log", "pods/status", "replicationcontrollers/status", "resourcequotas", "resourcequotas/status"]),
        Rule(Read, [""], ["namespaces"]),
        Rule(Read, ["discovery.k8s.io"], ["endpointslices"]),
        Rule(Read, ["apps"],
            [
                "controllerrevisions", "daemonsets", "daemonsets/status", "deployments", "deployments/scale", "deployments/status", "replicasets", "replicasets/scale", "replicasets/status",
                "statefulsets", "statefulsets/scale", "statefulsets/status",
            ]),
        Rule(Read, ["autoscaling"], ["horizontalpodautoscalers", "horizontalpodautoscalers/status"]),
        Rule(Read, ["batch"], ["cronjobs", "cronjobs/status", "jobs", "jobs/status"]),
        Rule(Read, ["networking.k8s.io"], ["ingresses", "ingresses/status", "networkpolicies"]),
        Rule(Read, ["policy"], ["poddisruptionbudgets", "poddisruptionbudgets/status"]),
    ];

    private static JsonObject[] NodePart() =>
    [
        Rule(["create"], ["authentication.k8s.io"], ["tokenreviews"]),
        Rule(["create"], ["authorization.k8s.io"], ["localsubjectaccessreviews", "subjectaccessreviews"]),
        Rule(Read, [""], ["services"]),
        Rule(["create", "get", "list", "watch", "patch", "update"], [""], ["nodes"]),
        Rule(["patch", "update"], [""], ["nodes/status"]),
        Rule(["create", "patch", "update"], ["", "events.k8s.io"], ["events"]),
        Rule(["get", "list", "watch", "create", "delete"], [""], ["pods"]),
        Rule(["patch", "update"], [""], ["pods/status"]),
        Rule(["create"], [""], ["pods/eviction"]),
        Rule(Read, [""], ["configmaps", "secrets"]),
        Rule(["create"], [""], ["serviceaccounts/token"]),
        Rule(["create", "delete", "get", "patch", "update"], ["coordination.k8s.io"], ["leases"]),
        Rule(Read, ["discovery.k8s.io"], ["endpointslices"]),
        Rule(Read, ["node.k8s.io"], ["runtimeclasses"]),
    ];

    private static JsonObject[] SchedulerPart() =>
    [
        Rule(["create", "patch", "update"], ["", "events.k8s.io"], ["events"]),
        Rule(["create", "get", "list", "watch", "update", "patch"], ["coordination.k8s.io"], ["leases"]),
        Rule(Read, [""], ["nodes", "namespaces"]),
        Rule(["delete", "get", "list", "watch"], [""], ["pods"]),
        Rule(["create"], [""], ["bindings", "pods/binding"]),
        Rule(["patch", "update"], [""], ["pods/status"]),
        Rule(Read, [""], ["persistentvolumeclaims", "persistentvolumes", "replicationcontrollers", "services"]),
        Rule(["get", "list", "patch", "update", "watch"], [""], ["persistentvolumeclaims"]),
        Rule(Read, ["storage.k8s.io"], ["storageclasses"]),
        Rule(Read, ["apps"], ["replicasets", "statefulsets"]),
        Rule(Read, ["scheduling.k8s.io"], ["priorityclasses"]),
        Rule(Read, ["policy"], ["poddisruptionbudgets"]),
        Rule(Read, ["node.k8s.io"], ["runtimeclasses"]),
        Rule(["create"], ["authentication.k8s.io"], ["tokenreviews"]),
        Rule(["create"], ["authorization.k8s.io"], ["subjectaccessreviews"]),
    ];

    internal static JsonObject Rule(string[] verbs, string[] groups, string[] resources) =>
        new PolicyRule { Verbs = verbs, ApiGroups = groups, Resources = resources }.ToJson();

    private static JsonObject Paths(string[] verbs, params string[] paths) => new PolicyRule { Verbs = verbs, NonResourceUrls = paths }.ToJson();

    private static JsonObject Role(string name, params JsonNode[] rules) => new()
    {
        ["kind"] = "ClusterRole",
        ["apiVersion"] = "rbac.authorization.k8s.io/v1",
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject() },
        ["rules"] = new JsonArray([.. rules]),
    };

    private static JsonObject Part(string to, JsonObject[] rules) => Labelled(Role("system:aggregate-to-" + to, [.. rules]), to);

    private static JsonObject Labelled(JsonObject role, string to)
    {
        role["metadata"]!["labels"]![Aggregate + to] = "true";
        return role;
    }

    private static JsonObject Aggregated(string name, string label)
    {
        var role = Role(name);
        // view is part of edit, and edit of admin.
        var into = name switch { "view" => "edit", "edit" => "admin", _ => null };
        if (into is not null)
            role["metadata"]!["labels"]![Aggregate + into] = "true";
        role["aggregationRule"] = new JsonObject
        {
            ["clusterRoleSelectors"] = new JsonArray(new JsonObject { ["matchLabels"] = new JsonObject { [Aggregate + label] = "true" } }),
        };
        return role;
    }

    private static JsonObject Binding(string name, string role, params JsonNode[] subjects)
    {
        var binding = new JsonObject
        {
            ["kind"] = "ClusterRoleBinding",
            ["apiVersion"] = "rbac.authorization.k8s.io/v1",
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject() },
            ["roleRef"] = new JsonObject { ["apiGroup"] = Rbac.Group, ["kind"] = "ClusterRole", ["name"] = role },
        };
        if (subjects.Length > 0)
            binding["subjects"] = new JsonArray(subjects);
        return binding;
    }

    private static JsonObject Group(string name) => new() { ["apiGroup"] = Rbac.Group, ["kind"] = "Group", ["name"] = name };

    private static JsonObject User(string name) => new() { ["apiGroup"] = Rbac.Group, ["kind"] = "User", ["name"] = name };

    private static JsonObject ServiceAccount(string ns, string name) => new() { ["kind"] = "ServiceAccount", ["name"] = name, ["namespace"] = ns };
}
