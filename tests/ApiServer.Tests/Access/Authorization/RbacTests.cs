using Weft.ApiServer.Authentication;
using Weft.ApiServer.Authorization;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Access.Authorization;

public sealed class RbacTests
{
    private static readonly RbacSnapshot Snapshot = new(
        [
            Role("reader", "", """
                rules:
                - {apiGroups: [""], resources: [pods], verbs: [get, list]}
                - {apiGroups: [apps], resources: ["*"], verbs: [get]}
                - {apiGroups: ["*"], resources: ["*/scale"], verbs: [update]}
                - {apiGroups: [""], resources: [secrets], resourceNames: [mine], verbs: [get, list]}
                - {nonResourceURLs: [/metrics, /healthz/*], verbs: [get]}
                """),
            Role("executor", "", """rules: [{apiGroups: [""], resources: [pods/exec], verbs: [create]}]"""),
            Role("all", "", """rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}, {nonResourceURLs: ["*"], verbs: ["*"]}]"""),
        ],
        [Role("local", "a", """rules: [{apiGroups: [""], resources: [configmaps], verbs: ["*"]}]""")],
        [
            Binding("readers", "", "ClusterRole", "reader", "- {kind: User, name: ann}\n- {kind: Group, name: dev}"),
            Binding("root", "", "ClusterRole", "all", "- {kind: User, name: root}"),
            Binding("broken", "", "ClusterRole", "gone", "- {kind: User, name: lost}"),
        ],
        [
            Binding("exec", "a", "ClusterRole", "executor", "- {kind: ServiceAccount, name: sa}"),
            Binding("exec-far", "a", "ClusterRole", "executor", "- {kind: ServiceAccount, name: sa, namespace: b}"),
            Binding("local", "a", "Role", "local", "- {kind: User, name: ann}"),
            Binding("wrong-kind", "a", "Role", "reader", "- {kind: User, name: eve}"),
        ],
        1);

    private static RoleFacts Role(string name, string ns, string rules) =>
        RoleFacts.Read(Trees.Yaml($"metadata: {{name: {name}, namespace: \"{ns}\"}}\n{rules}"));

    private static BindingFacts Binding(string name, string ns, string kind, string role, string subjects) =>
        BindingFacts.Read(Trees.Yaml($"metadata: {{name: {name}, namespace: \"{ns}\"}}\nroleRef: {{kind: {kind}, name: {role}}}\nsubjects:\n{subjects}"));

    [Theory]
    [InlineData("ann", "get", "", "pods", "", "a", "x", true)]
    [InlineData("ann", "list", "", "pods", "", "", "", true)]
    [InlineData("ann", "watch", "", "pods", "", "a", "", false)]
    [InlineData("ann", "get", "", "pods", "log", "a", "x", false)]
    [InlineData("ann", "create", "", "pods", "exec", "a", "x", false)]
    [InlineData("ann", "get", "apps", "deployments", "", "b", "x", true)]
    [InlineData("ann", "get", "apps", "deployments", "status", "b", "x", true)]
    [InlineData("ann", "get", "", "nodes", "", "", "x", false)]
    [InlineData("ann", "update", "apps", "deployments", "scale", "b", "x", true)]
    [InlineData("ann", "update", "apps", "deployments", "", "b", "x", false)]
    [InlineData("ann", "get", "", "secrets", "", "a", "mine", true)]
    [InlineData("ann", "get", "", "secrets", "", "a", "other", false)]
    [InlineData("ann", "list", "", "secrets", "", "a", "", false)]
    [InlineData("ann", "list", "", "secrets", "", "a", "mine", true)]
    [InlineData("ann", "delete", "", "configmaps", "", "a", "x", true)]
    [InlineData("ann", "delete", "", "configmaps", "", "b", "x", false)]
    [InlineData("ann", "list", "", "configmaps", "", "", "", false)]
    [InlineData("root", "whatever", "any.group", "things", "sub", "z", "x", true)]
    [InlineData("system:serviceaccount:a:sa", "create", "", "pods", "exec", "a", "x", true)]
    [InlineData("system:serviceaccount:a:sa", "create", "", "pods", "exec", "b", "x", false)]
    [InlineData("system:serviceaccount:b:sa", "create", "", "pods", "exec", "a", "x", true)]
    [InlineData("system:serviceaccount:c:sa", "create", "", "pods", "exec", "a", "x", false)]
    [InlineData("eve", "get", "", "pods", "", "a", "x", false)]
    [InlineData("nobody", "get", "", "pods", "", "a", "x", false)]
    public void A_resource_request_needs_a_rule(string user, string verb, string group, string resource, string sub, string ns, string name, bool allowed)
    {
        var attributes = new AccessAttributes(new UserInfo(user, []), verb)
        {
            Group = group, Resource = resource, Subresource = sub, Namespace = ns, Name = name,
        };

        Assert.Equal(allowed, Snapshot.Authorize(attributes).Allowed);
    }

    [Theory]
    [InlineData("/metrics", "get", true)]
    [InlineData("/metrics", "post", false)]
    [InlineData("/metrics/x", "get", false)]
    [InlineData("/healthz/etcd", "get", true)]
    [InlineData("/healthz", "get", false)]
    [InlineData("/openapi/v2", "get", false)]
    public void A_path_needs_a_rule_of_its_own(string path, string verb, bool allowed) =>
        Assert.Equal(allowed, Snapshot.Authorize(new AccessAttributes(new UserInfo("x", ["dev"]), verb) { Path = path }).Allowed);

    [Fact]
    public void The_reason_names_binding_role_and_subject()
    {
        Assert.Equal(
            "RBAC: allowed by ClusterRoleBinding \"readers\" of ClusterRole \"reader\" to Group \"dev\"",
            Snapshot.Authorize(new AccessAttributes(new UserInfo("x", ["dev"]), "get") { Resource = "pods" }).Reason);
        Assert.Equal(
            "RBAC: allowed by RoleBinding \"exec/a\" of ClusterRole \"executor\" to ServiceAccount \"sa/a\"",
            Snapshot.Authorize(new AccessAttributes(new UserInfo("system:serviceaccount:a:sa", []), "create") { Resource = "pods", Subresource = "exec", Namespace = "a" }).Reason);
        Assert.Equal(
            "RBAC: clusterrole.rbac.authorization.k8s.io \"gone\" not found",
            Snapshot.Authorize(new AccessAttributes(new UserInfo("lost", []), "get") { Resource = "pods" }).Reason);
        Assert.Equal("", Snapshot.Authorize(new AccessAttributes(new UserInfo("nobody", []), "get") { Resource = "pods" }).Reason);
    }

    [Theory]
    [InlineData("""{verbs: [get], apiGroups: [""], resources: [pods]}""", true)]
    [InlineData("""{verbs: [get, list], apiGroups: [""], resources: [pods]}""", true)]
    [InlineData("""{verbs: [get, delete], apiGroups: [""], resources: [pods]}""", false)]
    [InlineData("""{verbs: ["*"], apiGroups: [""], resources: [pods]}""", false)]
    [InlineData("""{verbs: [get], apiGroups: [""], resources: [pods/log]}""", false)]
    [InlineData("""{verbs: [get], apiGroups: [apps], resources: ["*", anything/at-all]}""", true)]
    [InlineData("""{verbs: [get], apiGroups: ["*"], resources: [pods]}""", false)]
    [InlineData("""{verbs: [get], apiGroups: [""], resources: [secrets], resourceNames: [mine]}""", true)]
    [InlineData("""{verbs: [get], apiGroups: [""], resources: [secrets], resourceNames: [mine, other]}""", false)]
    [InlineData("""{verbs: [get], apiGroups: [""], resources: [secrets]}""", false)]
    [InlineData("""{verbs: [update], apiGroups: [x], resources: [things/scale]}""", true)]
    [InlineData("""{verbs: [get], nonResourceURLs: [/healthz/x, /healthz/*]}""", true)]
    [InlineData("""{verbs: [get], nonResourceURLs: ["*"]}""", false)]
    [InlineData("""{verbs: [get], nonResourceURLs: [/healthz]}""", false)]
    public void Nobody_can_grant_what_they_do_not_hold(string rule, bool covered)
    {
        var held = Snapshot.RulesOf(new UserInfo("ann", []), "");
        var wanted = PolicyRule.ReadAll(Trees.Yaml($"rules: [{rule}]"));

        Assert.Equal(covered, RuleCoverage.Missing(held, wanted).Count == 0);
        Assert.Empty(RuleCoverage.Missing(Snapshot.RulesOf(new UserInfo("root", []), ""), wanted));
    }
}
