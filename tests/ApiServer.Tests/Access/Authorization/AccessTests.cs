using System.Text.Json.Nodes;
using Weft.ApiServer.Authentication;

namespace Weft.ApiServer.Tests.Access.Authorization;

public sealed class AccessTests : IAsyncLifetime
{
    private const string Rbac = "/apis/rbac.authorization.k8s.io/v1";
    private SecureServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await SecureServer.StartAsync();
        await Trees.PutRbacAsync(_server.Store, "rolebindings", "metadata: {name: boss, namespace: a}\nroleRef: {kind: ClusterRole, name: admin}\nsubjects: [{kind: User, name: boss}]");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_refusal_says_who_may_not_do_what_where()
    {
        using var bob = _server.As("bob");
        var answer = await bob.GetAsync("/api/v1/namespaces/a/pods");

        Assert.Equal(403, answer.Code);
        Assert.Equal("pods is forbidden: User \"bob\" cannot list resource \"pods\" in API group \"\" in the namespace \"a\"", answer.Message);
    }

    [Fact]
    public async Task Who_may_write_roles_cannot_grant_more_than_they_have()
    {
        using var boss = _server.As("boss");
        const string nodes = """{"metadata":{"name":"r"},"rules":[{"apiGroups":[""],"resources":["nodes"],"verbs":["get"]}]}""";
        const string pods = """{"metadata":{"name":"r"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]}""";
        var refused = await boss.PostAsync($"{Rbac}/namespaces/a/roles", nodes);

        Assert.Equal(403, refused.Code);
        Assert.Contains("is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\"]}", refused.Message, StringComparison.Ordinal);
        Assert.Equal(201, (await boss.PostAsync($"{Rbac}/namespaces/a/roles", pods)).Code);
        Assert.Equal(403, (await boss.SendAsync(HttpMethod.Patch, $"{Rbac}/namespaces/a/roles/r", """{"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}""")).Code);
        Assert.Equal(200, (await boss.SendAsync(HttpMethod.Patch, $"{Rbac}/namespaces/a/roles/r", """{"metadata":{"labels":{"x":"y"}}}""")).Code);
    }

    [Fact]
    public async Task Who_may_write_bindings_cannot_bind_more_than_they_have()
    {
        using var boss = _server.As("boss");
        static string Bind(string name, string role) =>
            $$"""{"metadata":{"name":"{{name}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"{{role}}"},"subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"eve"}]}""";
        const string path = $"{Rbac}/namespaces/a/rolebindings";

        Assert.Equal(403, (await boss.PostAsync(path, Bind("x", "cluster-admin"))).Code);
        Assert.Equal(404, (await boss.PostAsync(path, Bind("x", "no-such-role"))).Code);
        Assert.Equal(201, (await boss.PostAsync(path, Bind("x", "edit"))).Code);
        using var eve = _server.As("eve");
        Assert.Equal(200, (await eve.GetAsync("/api/v1/namespaces/a/secrets")).Code);

        await Trees.PutRbacAsync(_server.Store, "roles", "metadata: {name: binder, namespace: a}\nrules: [{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], resourceNames: [cluster-admin], verbs: [bind]}]");
        await Trees.PutRbacAsync(_server.Store, "rolebindings", "metadata: {name: binder, namespace: a}\nroleRef: {kind: Role, name: binder}\nsubjects: [{kind: User, name: boss}]");
        Assert.Equal(201, (await boss.PostAsync(path, Bind("y", "cluster-admin"))).Code);
    }

    [Fact]
    public async Task Access_reviews_answer_as_the_server_would()
    {
        using var boss = _server.As("boss");
        using var admin = _server.As("admin", UserInfo.Masters);
        async Task<bool> MayAsync(Caller caller, string kind, string spec) =>
            (await caller.PostAsync($"/apis/authorization.k8s.io/v1/{kind}", $"{{\"spec\":{spec}}}")).Expect(201).Body["status"]!["allowed"]!.GetValue<bool>();

        Assert.True(await MayAsync(boss, "selfsubjectaccessreviews", """{"resourceAttributes":{"namespace":"a","verb":"create","resource":"pods"}}"""));
        Assert.False(await MayAsync(boss, "selfsubjectaccessreviews", """{"resourceAttributes":{"namespace":"b","verb":"create","resource":"pods"}}"""));
        Assert.False(await MayAsync(boss, "selfsubjectaccessreviews", """{"resourceAttributes":{"verb":"create","resource":"pods"}}"""));
        Assert.True(await MayAsync(boss, "selfsubjectaccessreviews", """{"nonResourceAttributes":{"path":"/api","verb":"get"}}"""));
        Assert.False(await MayAsync(boss, "selfsubjectaccessreviews", """{"nonResourceAttributes":{"path":"/metrics","verb":"get"}}"""));
        Assert.True(await MayAsync(admin, "subjectaccessreviews", """{"user":"boss","resourceAttributes":{"namespace":"a","verb":"get","resource":"secrets"}}"""));
        Assert.True(await MayAsync(admin, "namespaces/a/localsubjectaccessreviews", """{"user":"boss","resourceAttributes":{"namespace":"a","verb":"get","resource":"secrets"}}"""));
        Assert.Equal(400, (await admin.PostAsync("/apis/authorization.k8s.io/v1/namespaces/a/localsubjectaccessreviews",
            """{"spec":{"user":"boss","resourceAttributes":{"namespace":"b","verb":"get","resource":"secrets"}}}""")).Code);
        Assert.Equal(403, (await boss.PostAsync("/apis/authorization.k8s.io/v1/subjectaccessreviews", """{"spec":{"user":"x","resourceAttributes":{"verb":"get"}}}""")).Code);
        Assert.Equal(422, (await boss.PostAsync("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", """{"spec":{}}""")).Code);
    }

    [Fact]
    public async Task The_rules_review_lists_what_the_caller_may_do()
    {
        using var boss = _server.As("boss");
        var status = (await boss.PostAsync("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", """{"spec":{"namespace":"a"}}""")).Expect(201).Body["status"]!;

        Assert.False(status["incomplete"]!.GetValue<bool>());
        Assert.Contains((JsonArray)status["resourceRules"]!, r => ((JsonArray)r!["resources"]!).Any(x => x!.ToString() == "rolebindings"));
        Assert.Contains((JsonArray)status["nonResourceRules"]!, r => ((JsonArray)r!["nonResourceURLs"]!).Any(x => x!.ToString() == "/healthz"));
    }

    [Fact]
    public async Task A_node_reads_only_what_its_pods_use_and_writes_only_its_own()
    {
        await Trees.PutAsync(_server.Store, "", "secrets", "metadata: {name: used, namespace: a, uid: s1}");
        await Trees.PutAsync(_server.Store, "", "secrets", "metadata: {name: other, namespace: a, uid: s2}");
        await Trees.PutAsync(_server.Store, "", "configmaps", "metadata: {name: env, namespace: a, uid: c1}");
        await Trees.PutAsync(_server.Store, "", "nodes", "metadata: {name: n1, uid: node-1}\nspec: {}");
        await Trees.PutAsync(_server.Store, "", "nodes", "metadata: {name: n2, uid: node-2}\nspec: {}");
        await Trees.PutAsync(_server.Store, "", "pods", """
            metadata: {name: p, namespace: a, uid: pod-1}
            spec:
              nodeName: n1
              volumes: [{name: v, secret: {secretName: used}}]
              containers: [{name: c, image: x, envFrom: [{configMapRef: {name: env}}]}]
            """);
        using var n1 = _server.As("system:node:n1", "system:nodes");
        using var n2 = _server.As("system:node:n2", "system:nodes");

        Assert.Equal(200, (await n1.GetAsync("/api/v1/namespaces/a/secrets/used")).Code);
        Assert.Equal(200, (await n1.GetAsync("/api/v1/namespaces/a/configmaps/env")).Code);
        Assert.Equal(403, (await n1.GetAsync("/api/v1/namespaces/a/secrets/other")).Code);
        Assert.Equal(403, (await n1.GetAsync("/api/v1/namespaces/a/secrets")).Code);
        Assert.Equal(403, (await n2.GetAsync("/api/v1/namespaces/a/secrets/used")).Code);
        Assert.Equal(200, (await n1.GetAsync("/api/v1/namespaces/a/secrets?fieldSelector=metadata.name%3Dused")).Code);

        Assert.Equal(200, (await n1.SendAsync(HttpMethod.Patch, "/api/v1/nodes/n1", """{"metadata":{"labels":{"x":"y"}}}""")).Code);
        Assert.Equal(403, (await n1.SendAsync(HttpMethod.Patch, "/api/v1/nodes/n2", """{"metadata":{"labels":{"x":"y"}}}""")).Code);
        Assert.Equal(403, (await n1.SendAsync(HttpMethod.Patch, "/api/v1/nodes/n1", """{"metadata":{"labels":{"node-restriction.kubernetes.io/x":"y"}}}""")).Code);
        Assert.Equal(403, (await n1.SendAsync(HttpMethod.Patch, "/api/v1/nodes/n1", """{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"1"}]}}""")).Code);
        Assert.Equal(403, (await n1.SendAsync(HttpMethod.Patch, "/api/v1/nodes/n1", """{"spec":{"taints":[{"key":"k","effect":"NoSchedule"}]}}""")).Code);
        Assert.Equal(403, (await n1.DeleteAsync("/api/v1/nodes/n1")).Code);
        Assert.Equal(403, (await n2.SendAsync(HttpMethod.Patch, "/api/v1/namespaces/a/pods/p/status", """{"status":{"phase":"Running"}}""")).Code);
        Assert.Equal(200, (await n1.SendAsync(HttpMethod.Patch, "/api/v1/namespaces/a/pods/p/status", """{"status":{"phase":"Running"}}""")).Code);
        Assert.Equal(403, (await n2.DeleteAsync("/api/v1/namespaces/a/pods/p")).Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("serviceAccountName: robot,")]
    [InlineData("serviceAccount: robot,")]
    [InlineData("volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: token}}]}}],")]
    public async Task A_node_gets_no_token_by_a_mirror_pod_that_it_makes_itself(string fields)
    {
        await Trees.PutAsync(_server.Store, "", "nodes", "metadata: {name: n1, uid: node-1}\nspec: {}");
        foreach (var account in new[] { "default", "robot" })
            await Trees.PutAsync(_server.Store, "", "serviceaccounts", $"metadata: {{name: {account}, namespace: a, uid: sa-{account}}}");
        using var n1 = _server.As("system:node:n1", "system:nodes");
        var pod = Trees.Yaml($"metadata: {{name: m, annotations: {{kubernetes.io/config.mirror: x}}}}\nspec: {{{fields} nodeName: n1, containers: [{{name: c, image: x}}]}}");
        var made = await n1.PostAsync("/api/v1/namespaces/a/pods", pod.ToJsonString());
        Assert.True(made.Code == (fields.Length == 0 ? 201 : 403), made.Text);

        const string request = """{"spec":{"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"m"}}}""";
        foreach (var account in new[] { "default", "robot" })
        {
            Assert.Equal(403, (await n1.PostAsync($"/api/v1/namespaces/a/serviceaccounts/{account}/token", request)).Code);
            Assert.Equal(403, (await n1.GetAsync($"/api/v1/namespaces/a/serviceaccounts/{account}")).Code);
        }
        // Nobody else gets one that is bound to it either.
        using var admin = _server.As("admin", UserInfo.Masters);
        Assert.Equal(fields.Length == 0 ? 400 : 404, (await admin.PostAsync("/api/v1/namespaces/a/serviceaccounts/default/token", request)).Code);
    }

    [Fact]
    public async Task A_node_writes_its_own_lease_alone()
    {
        await Trees.PutAsync(_server.Store, "", "namespaces", "metadata: {name: kube-node-lease, uid: ns-1}\nstatus: {phase: Active}");
        using var n1 = _server.As("system:node:n1", "system:nodes");
        const string leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

        Assert.Equal(403, (await n1.PostAsync(leases, """{"metadata":{"name":"n2"}}""")).Code);
        Assert.Equal(403, (await n1.PostAsync(leases, """{"metadata":{"generateName":"n1"}}""")).Code);
        (await n1.PostAsync(leases, """{"metadata":{"name":"n1"}}""")).Expect(201);
        Assert.Equal(200, (await n1.SendAsync(HttpMethod.Patch, $"{leases}/n1", """{"spec":{"holderIdentity":"n1"}}""")).Code);
        Assert.Equal(403, (await n1.PostAsync("/apis/coordination.k8s.io/v1/namespaces/a/leases", """{"metadata":{"name":"n1"}}""")).Code);
    }

    [Theory]
    [InlineData("kubernetes.io/hostname", 200)]
    [InlineData("beta.kubernetes.io/arch", 200)]
    [InlineData("node.kubernetes.io/instance-type", 200)]
    [InlineData("topology.kubernetes.io/zone", 200)]
    [InlineData("plain", 200)]
    [InlineData("example.com/anything", 200)]
    [InlineData("notkubernetes.io/anything", 200)]
    [InlineData("node-restriction.kubernetes.io/x", 403)]
    [InlineData("node-role.kubernetes.io/control-plane", 403)]
    [InlineData("kubernetes.io/else", 403)]
    [InlineData("x.k8s.io/y", 403)]
    public async Task A_node_sets_of_kubernetes_labels_only_those_that_describe_it(string label, int expected)
    {
        await Trees.PutAsync(_server.Store, "", "nodes", "metadata: {name: n1, uid: node-1, labels: {kubernetes.io/kept: by-others}}\nspec: {}");
        using var n1 = _server.As("system:node:n1", "system:nodes");
        using var n2 = _server.As("system:node:n2", "system:nodes");
        using var admin = _server.As("admin", UserInfo.Masters);
        var patch = "{\"metadata\":{\"labels\":{\"LABEL\":\"v\"}}}".Replace("LABEL", label, StringComparison.Ordinal);

        Assert.Equal(expected, (await n1.SendAsync(HttpMethod.Patch, "/api/v1/nodes/n1", patch)).Code);
        // The status keeps its hands off labels, whoever writes it.
        (await n2.PostAsync("/api/v1/nodes", """{"metadata":{"name":"n2"}}""")).Expect(201);
        await n2.SendAsync(HttpMethod.Patch, "/api/v1/nodes/n2/status", patch);
        Assert.Null((await n2.GetAsync("/api/v1/nodes/n2")).Metadata["labels"]?[label]);
        Assert.Equal(200, (await admin.DeleteAsync("/api/v1/nodes/n2")).Code);
        Assert.Equal(expected == 200 ? 201 : expected, (await n2.PostAsync("/api/v1/nodes", patch.Replace("\"metadata\":{", "\"metadata\":{\"name\":\"n2\",", StringComparison.Ordinal))).Code);
        // What an administrator has set, the node cannot take off.
        Assert.Equal(200, (await admin.SendAsync(HttpMethod.Patch, "/api/v1/nodes/n1", patch)).Code);
        Assert.Equal(expected, (await n1.SendAsync(HttpMethod.Patch, "/api/v1/nodes/n1", patch.Replace("\"v\"", "null", StringComparison.Ordinal))).Code);
    }
}
