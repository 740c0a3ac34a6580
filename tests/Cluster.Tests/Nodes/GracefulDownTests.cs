using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Nodes;

/// <summary>Two nodes on a network of their own, as other tests of down leave none.</summary>
public sealed class GracefulCluster : NetworkCluster
{
    protected override IReadOnlyList<string> UpArguments => ["--nodes", "2"];
}

/// <summary>`weft down --graceful` as an init would call it, seen by kubectl after the next start.</summary>
public sealed class GracefulDownTests(GracefulCluster cluster) : IClassFixture<GracefulCluster>
{
    [Fact]
    public async Task The_pods_of_every_node_end_with_their_grace_and_say_why_after_the_next_start()
    {
        await ApplyAsync($$"""
            apiVersion: scheduling.k8s.io/v1
            kind: PriorityClass
            metadata: {name: important}
            value: 1000
            ---
            {{Pod("near", Environment.MachineName.ToLowerInvariant(), "")}}
            ---
            {{Pod("far", Environment.MachineName.ToLowerInvariant() + "-2", "  priorityClassName: important\n")}}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: process-user}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "weft:process-user"}
            subjects:
            - {kind: Group, apiGroup: rbac.authorization.k8s.io, name: "system:serviceaccounts:default"}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web}
            spec:
              replicas: 2
              selector: {matchLabels: {app: web} }
              template:
                metadata: {labels: {app: web} }
                spec:
                  runtimeClassName: process
                  containers:
                  - {name: main, image: host, command: [sleep, "100000"]}
            """);
        (await cluster.KubectlAsync("wait", "--for=condition=Ready", "pod/near", "pod/far", "--timeout=120s")).Succeeded();
        (await cluster.KubectlAsync("rollout", "status", "deployment/web", "--timeout=120s")).Succeeded();

        var said = (await cluster.WeftAsync("down", "--graceful", "--grace-by-priority", "0=5,1000=20")).Succeeded();

        Assert.Contains("this node: the pods have ended", said, StringComparison.Ordinal);
        Assert.Contains("node 2: the pods have ended", said, StringComparison.Ordinal);
        (await cluster.WeftAsync("up")).Succeeded();
        foreach (var name in new[] { "near", "far" })
        {
            // Its trap ended it with 7: it was asked, and had time.
            Assert.Equal("Failed|Terminated|Pod was terminated in response to imminent node shutdown.|7",
                (await cluster.KubectlAsync("get", "pod", name, "-o", "jsonpath={.status.phase}|{.status.reason}|{.status.message}|{.status.containerStatuses[0].state.terminated.exitCode}")).Succeeded());
        }

        // Owners make other pods, and the nodes take them again.
        (await cluster.KubectlAsync("rollout", "status", "deployment/web", "--timeout=120s")).Succeeded();
        Assert.Equal("True True", (await cluster.KubectlAsync("get", "nodes", "-o", "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}")).Succeeded());
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused_before_anything_ends()
    {
        var refused = await cluster.WeftAsync("down", "--graceful", "--grace", "5", "--critical-grace", "10");
        Assert.Equal((1, "weft down: --critical-grace is a part of --grace: it cannot be longer, and neither is negative\n"), (refused.ExitCode, refused.Error));
        (await cluster.KubectlAsync("get", "nodes")).Succeeded();
    }

    private Task ApplyAsync(string yaml) => Eventually.TrueAsync(async () => (await cluster.RunKubectlAsync(WeftCluster.Kubectls[0], yaml, "apply", "-f", "-")).ExitCode == 0, "the manifests apply");

    private static string Pod(string name, string node, string more) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}}
        spec:
          runtimeClassName: process
          nodeSelector: {kubernetes.io/hostname: {{node}}}
        {{more}}  containers:
          - name: main
            image: host
            command: ["/bin/sh", "-c", "trap 'exit 7' TERM; while true; do sleep 0.05; done"]
        """;
}
