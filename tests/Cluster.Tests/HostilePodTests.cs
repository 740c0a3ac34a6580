using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests;

/// <summary>Pods that take what they can get: processes, memory, files. Each time the node goes on to run and to end other pods.</summary>
[Collection(ContainerClusterCollection.Name)]
public sealed class HostilePodTests(ContainerCluster cluster)
{
    private static string Pod(string name, string script, string limits) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}} }
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 1
          containers: [{name: main, image: busybox, command: [sh, -c, "{{script}}"], resources: {limits: {cpu: 200m, memory: {{limits}} } } }]
        """;

    /// <summary>The pod's node runs a pod, answers in it, and takes both away.</summary>
    private static async Task NodeLivesAsync(TestNamespace ns, string hostile)
    {
        var node = await ns.GetAsync("{.spec.nodeName}", "pod/" + hostile);
        await ns.ApplyAsync($$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: honest}
            spec:
              nodeName: {{node}}
              terminationGracePeriodSeconds: 1
              containers: [{name: main, image: busybox, command: [sleep, "100000"]}]
            """);
        (await ns.KubectlAsync("wait", "--for=condition=Ready", "pod/honest", "--timeout=150s")).Succeeded();
        Assert.Equal("alive\n", (await ns.KubectlAsync("exec", "honest", "--", "echo", "alive")).Succeeded());
        (await ns.KubectlAsync("delete", "pod", hostile, "honest", "--timeout=120s")).Succeeded();
    }

    [Fact]
    public async Task A_fork_bomb_stays_in_its_pod()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync(Pod("bomb", "f() { f | f & }; echo lit; f; sleep 100000", "64Mi"));
        await ns.EventuallyAsync("it has begun", async () => (await ns.KubectlAsync("logs", "bomb")).Output.Contains("lit", StringComparison.Ordinal));
        await NodeLivesAsync(ns, "bomb");
    }

    [Fact]
    public async Task A_pod_that_takes_more_memory_than_its_limit_is_ended_and_says_so()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync(Pod("hog", "exec tail /dev/zero", "32Mi"));
        await ns.EventuallyAsync("it is ended", async () => await ns.GetAsync("{.status.containerStatuses[0].state.terminated.reason}", "pod/hog") == "OOMKilled");
        await NodeLivesAsync(ns, "hog");
    }

    [Theory]
    [InlineData("absolute", "/etc")]
    [InlineData("climbing", "../../../../../../../../../../etc")]
    public async Task A_sub_path_that_became_a_link_leads_nowhere(string name, string target)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync($$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: {{name}} }
            spec:
              restartPolicy: Never
              terminationGracePeriodSeconds: 1
              volumes: [{name: v, emptyDir: {} }]
              initContainers:
              - {name: swap, image: busybox, command: [ln, -s, "{{target}}", /v/sub], volumeMounts: [{name: v, mountPath: /v}]}
              containers:
              - {name: main, image: busybox, command: [sh, -c, "ls /m; echo x > /m/weft-was-here"], volumeMounts: [{name: v, mountPath: /m, subPath: sub}]}
            """);
        await ns.EventuallyAsync("the reason is told", async () =>
            (await ns.GetAsync("{.status.containerStatuses[*].state.waiting.message}{.status.containerStatuses[*].state.terminated.message}", "pod/" + name)).Contains("sub", StringComparison.Ordinal));
        Assert.False(File.Exists("/etc/weft-was-here"));
        await NodeLivesAsync(ns, name);
    }
}
