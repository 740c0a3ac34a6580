using System.Globalization;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Chaos;

/// <summary>A hundred containers asked for at the same moment, all on one node.</summary>
[Collection(ContainerClusterCollection.Name)]
public sealed class HundredPodsTests(ContainerCluster cluster, ITestOutputHelper output)
{
    private const int Pods = 100;

    [Fact]
    public async Task A_hundred_pods_at_once_run_and_leave_nothing()
    {
        var node = Environment.MachineName.ToLowerInvariant();
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        // Afterwards the node has what it had: of other tests something may still be there.
        var before = await LeftAsync();
        var time = TimeProvider.System;
        var from = time.GetTimestamp();
        await ns.ApplyAsync($$"""
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: many}
            spec:
              replicas: {{Pods}}
              selector:
                matchLabels: {app: many}
              template:
                metadata:
                  labels: {app: many}
                spec:
                  nodeName: {{node}}
                  terminationGracePeriodSeconds: 1
                  containers: [{name: main, image: busybox, command: [sh, -c, "trap 'exit 0' TERM; sleep 100000 & wait"]}]
            """);
        (await ns.KubectlAsync("rollout", "status", "deployment/many", "--timeout=170s")).Succeeded();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"all run after {time.GetElapsedTime(from).TotalSeconds:0.0} s"));

        var seen = (await ns.GetAsync("{range .items[*]}{.status.phase} {.spec.nodeName} {.status.containerStatuses[0].restartCount} {.status.podIP}{\"\\n\"}{end}", "pods", "-l", "app=many")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Pods, seen.Distinct().Count()); // an address of its own for each
        Assert.All(seen, pod => Assert.StartsWith($"Running {node} 0 10.", pod, StringComparison.Ordinal));

        from = time.GetTimestamp();
        (await ns.KubectlAsync("delete", "deployment", "many", "--cascade=foreground", "--timeout=170s")).Succeeded();
        await Eventually.TrueAsync(async () => await ns.GetAsync("{.items[*].metadata.name}", "pods") == "", "the pods are gone");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"all gone after {time.GetElapsedTime(from).TotalSeconds:0.0} s"));
        await Eventually.TrueAsync(async () => (await LeftAsync()).Except(before).Count() == 0, "nothing of them is left on the machine");
    }

    /// <summary>Shims, links and mounts of the cluster.</summary>
    private async Task<IReadOnlyList<string>> LeftAsync()
    {
        var links = (await cluster.RunAsync("ip", ["-o", "link", "show", "type", "veth"])).Succeeded().Split('\n');
        return [.. MachineState.Take(cluster.Marks).Facts.Where(fact => fact.StartsWith("process ", StringComparison.Ordinal) || fact.StartsWith("mount ", StringComparison.Ordinal)), .. links.Select(link => link.Split(':')[0])];
    }
}
