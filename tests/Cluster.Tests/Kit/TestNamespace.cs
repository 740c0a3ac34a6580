using Weft.Testing;

namespace Weft.Cluster.Tests.Kit;

/// <summary>A namespace whose pods may be process pods, with kubectl bound to it. Deleted at the end, and that is waited for.</summary>
internal sealed class TestNamespace : IAsyncDisposable
{
    private readonly WeftCluster _cluster;
    private readonly string _kubectl;

    private TestNamespace(WeftCluster cluster, string kubectl, string name)
    {
        _cluster = cluster;
        _kubectl = kubectl;
        Name = name;
    }

    internal string Name { get; }

    internal static async Task<TestNamespace> CreateAsync(WeftCluster cluster, string kubectl)
    {
        var created = new TestNamespace(cluster, kubectl, "t-" + Path.GetRandomFileName()[..8].ToLowerInvariant());
        await created.ApplyAsync($$"""
            apiVersion: v1
            kind: Namespace
            metadata:
              name: {{created.Name}}
            ---
            {{ProcessUser(created.Name)}}
            """);
        return created;
    }

    /// <summary>Lets the pods of a namespace be process pods.</summary>
    internal static string ProcessUser(string name) => $$"""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata:
          name: process-user
          namespace: {{name}}
        rules:
        - apiGroups: [node.k8s.io]
          resources: [runtimeclasses]
          resourceNames: [process]
          verbs: [use]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata:
          name: process-user
          namespace: {{name}}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: process-user}
        subjects:
        - {kind: Group, apiGroup: rbac.authorization.k8s.io, name: "system:serviceaccounts:{{name}}"}
        """;

    internal Task<CommandResult> KubectlAsync(params string[] arguments) => _cluster.RunKubectlAsync(_kubectl, null, ["-n", Name, .. arguments]);

    internal async Task<string> ApplyAsync(string yaml) => (await _cluster.RunKubectlAsync(_kubectl, yaml, "-n", Name, "apply", "-f", "-")).Succeeded();

    internal Task<CommandResult> InputAsync(string input, params string[] arguments) => _cluster.RunKubectlAsync(_kubectl, input, ["-n", Name, .. arguments]);

    internal async Task<string> GetAsync(string jsonPath, params string[] what) =>
        (await KubectlAsync(["get", .. what, "-o", "jsonpath=" + jsonPath])).Succeeded();

    internal Task EventuallyAsync(string what, Func<Task<bool>> holds) => Eventually.TrueAsync(holds, what, null);

    /// <summary>A Deployment of `sleep`, or of the given shell script.</summary>
    internal static string Deployment(string name, int replicas = 1, string script = "exec sleep 100000", string more = "") => $$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: {{name}}
        spec:
          replicas: {{replicas}}
          selector:
            matchLabels:
              app: {{name}}
          template:
            metadata:
              labels:
                app: {{name}}
            spec:
              runtimeClassName: process
              terminationGracePeriodSeconds: 1
              containers:
              - name: main
                image: host
                command: ["/bin/sh", "-c", "{{script}}"]
        {{more}}
        """;

    internal async Task RolledOutAsync(string name) => (await KubectlAsync("rollout", "status", "deployment/" + name, "--timeout=120s")).Succeeded();

    internal async Task<string> FirstPodAsync(string app) => (await GetAsync("{.items[*].metadata.name}", "pods", "-l", "app=" + app)).Split(' ')[0];

    public async ValueTask DisposeAsync() => (await _cluster.KubectlAsync("delete", "namespace", Name, "--timeout=120s")).Succeeded();
}
