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

    [Fact]
    public async Task A_log_flood_stays_within_its_bound_and_is_not_felt_by_others()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: flood}
            spec:
              terminationGracePeriodSeconds: 1
              containers: [{name: main, image: busybox, command: ["yes", "0123456789012345678901234567890123456789012345678901234567890123456789"]}]
            """);
        (await ns.KubectlAsync("wait", "--for=condition=Ready", "pod/flood", "--timeout=120s")).Succeeded();
        var node = await ns.GetAsync("{.spec.nodeName}", "pod/flood");
        await ns.ApplyAsync($$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: beside}
            spec:
              nodeName: {{node}}
              terminationGracePeriodSeconds: 1
              containers:
              - name: main
                image: busybox
                command: [sh, -c, "echo here > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"]
                livenessProbe: {httpGet: {path: /index.html, port: 8080}, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 3}
                readinessProbe: {exec: {command: [cat, /tmp/index.html]}, periodSeconds: 1, timeoutSeconds: 10}
            """);
        (await ns.KubectlAsync("wait", "--for=condition=Ready", "pod/beside", "--timeout=120s")).Succeeded();

        // Until the oldest file has been thrown away several times: without an end it would have grown beyond what is allowed.
        var logs = new FloodedLogs(cluster.DataDir, await ns.GetAsync("{.metadata.uid}", "pod/flood"));
        await ns.EventuallyAsync("the log has been rotated again and again", () => Task.FromResult(logs.Look() >= 12));
        Assert.InRange(logs.Most, 5 * FloodedLogs.FileBytes, FloodedLogs.Bound);

        Assert.Equal("0 true", await ns.GetAsync("{.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}", "pod/beside"));
        Assert.Equal("True", await ns.GetAsync("{.status.conditions[?(@.type=='Ready')].status}", "node/" + node));
        Assert.Equal(5, (await ns.KubectlAsync("logs", "flood", "--tail=5")).Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        await NodeLivesAsync(ns, "flood");
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
