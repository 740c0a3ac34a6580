using System.Text;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests;

/// <summary>Pods that take what they can get: processes, memory, log space, names. Each time the node goes on to run and to end other pods.</summary>
[Collection(ContainerClusterCollection.Name)]
public sealed class HostilePodTests(ContainerCluster cluster)
{
    private static string Pod(string name, string script, string limits, string more = "") => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}} }
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 1
          containers: [{name: main, image: busybox, command: [sh, -c, "{{script}}"], resources: {limits: {cpu: 200m, memory: {{limits}} } }{{more}} }]
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
    public async Task A_flood_of_log_lines_is_kept_within_bounds()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync(Pod("flood", "while :; do head -c 1048576 /dev/zero | tr '\\\\0' 'x' | fold -w 4000; done", "64Mi"));
        var uid = await ns.GetAsync("{.metadata.uid}", "pod/flood");
        await ns.EventuallyAsync("the oldest lines go", async () => await Task.FromResult(Files(uid).Any(file => file.Name.EndsWith(".log.4", StringComparison.Ordinal))));

        Assert.True(Files(uid).Count <= 5);
        Assert.Equal(3, (await ns.KubectlAsync("logs", "flood", "--tail=3")).Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        await NodeLivesAsync(ns, "flood");
        await ns.EventuallyAsync("its files go with it", async () => await Task.FromResult(Files(uid).Count == 0));
    }

    private List<FileInfo> Files(string uid)
    {
        try
        {
            return [.. new DirectoryInfo(cluster.DataDir).EnumerateFiles("*.log*", SearchOption.AllDirectories).Where(file => file.FullName.Contains(uid, StringComparison.Ordinal))];
        }
        catch (DirectoryNotFoundException)
        {
            return [new("changing")];   // removed while it was listed: asked again
        }
    }

    [Fact]
    public async Task Thousands_of_variables_arrive_and_what_is_too_large_is_refused_by_name()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        var variables = string.Concat(Enumerable.Range(0, 4000).Select(i => $"{{name: V{i}, value: \"{i}\"}},"));
        (await ns.InputAsync(Pod("many", "env | grep -c ^V", "64Mi", $", env: [{variables}]"), "create", "-f", "-")).Succeeded();
        await ns.EventuallyAsync("it ended", async () => await ns.GetAsync("{.status.phase}", "pod/many") == "Succeeded");
        Assert.Equal("4000\n", (await ns.KubectlAsync("logs", "many")).Succeeded());

        var annotated = Pod("annotated", "id", "64Mi").Replace("{name: annotated}", $"{{name: annotated, annotations: {{a: \"{new string('x', 300 * 1024)}\"}}}}", StringComparison.Ordinal);
        var refused = await ns.InputAsync(annotated, "create", "-f", "-");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("metadata.annotations: Too long", refused.Error, StringComparison.Ordinal);

        var wide = new StringBuilder();
        for (var i = 0; i < 20000; i++)
            wide.Append($"{{name: W{i}, value: \"{new string('x', 90)}\"}},");
        Assert.NotEqual(0, (await ns.InputAsync(Pod("wide", "id", "64Mi", $", env: [{wide}]"), "create", "-f", "-")).ExitCode);
        await NodeLivesAsync(ns, "many");
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
