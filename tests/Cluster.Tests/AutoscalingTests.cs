using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests;

/// <summary>Autoscalers and `kubectl top` over what pods really use.</summary>
[Collection(ClusterCollection.Name)]
public sealed class AutoscalingTests(WeftCluster cluster)
{
    public static TheoryData<string> Kubectls => [.. WeftCluster.Kubectls];

    // Held to a fifth of a core each, so that the machine stays usable: that is twice of what they request.
    private const string Burner = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: load}
        data: {burn: "yes"}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: burner}
        spec:
          replicas: 1
          selector: {matchLabels: {app: burner}}
          template:
            metadata: {labels: {app: burner}}
            spec:
              runtimeClassName: process
              terminationGracePeriodSeconds: 1
              volumes: [{name: load, configMap: {name: load}}]
              containers:
              - name: main
                image: host
                command: [/bin/sh, -c, "while true; do if grep -q yes /load/burn; then i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; else sleep 1; fi; done"]
                resources: {requests: {cpu: 100m}, limits: {cpu: 200m}}
                volumeMounts: [{name: load, mountPath: /load}]
        ---
        apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata: {name: burner}
        spec:
          scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: burner}
          minReplicas: 1
          maxReplicas: 3
          metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
          behavior: {scaleDown: {stabilizationWindowSeconds: 15}}
        """;

    [Fact]
    public async Task A_deployment_that_burns_CPU_grows_and_shrinks_again()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[^1]);
        await ns.ApplyAsync(Burner);
        await ns.RolledOutAsync("burner");

        await ns.EventuallyAsync("kubectl top pods shows what the pod burns", async () => MilliCores((await ns.KubectlAsync("top", "pods", "--no-headers")).Output) is > 100 and <= 300);
        Assert.Matches(@"(?m)^\S+\s+\d+m\s+\d+%\s+\d+Mi\s+\d+%\s*$", (await ns.KubectlAsync("top", "nodes", "--no-headers")).Succeeded());
        Assert.Matches(@"(?m)^burner-\S+\s+main\s+\d+m\s+\d+Mi\s*$", (await ns.KubectlAsync("top", "pods", "--containers", "--no-headers", "-l", "app=burner")).Succeeded());

        await ns.EventuallyAsync("three copies", async () => await ns.GetAsync("{.spec.replicas}", "deployment/burner") == "3");
        Assert.Contains("SuccessfulRescale", (await ns.KubectlAsync("get", "events", "--field-selector=involvedObject.kind=HorizontalPodAutoscaler")).Succeeded(), StringComparison.Ordinal);

        (await ns.KubectlAsync("patch", "configmap", "load", "--type=merge", "-p", """{"data":{"burn":"no"}}""")).Succeeded();
        // Upwards it may go on for a look, while the last figures are still of burning pods.
        await ns.EventuallyAsync("the pods are idle", async () => (await ns.GetAsync("{.status.currentMetrics[0].resource.current.averageUtilization}", "hpa/burner")) is { Length: > 0 } percent && int.Parse(percent) < 40);
        await ns.EventuallyAsync("one copy", async () => await ns.GetAsync("{.spec.replicas}", "deployment/burner") == "1");
        Assert.Equal("True True", await ns.GetAsync("{.status.conditions[?(@.type=='AbleToScale')].status} {.status.conditions[?(@.type=='ScalingActive')].status}", "hpa/burner"));
    }

    [Fact]
    public async Task A_pod_of_an_image_is_measured_too()
    {
        await ClusterImages.ImportAsync(cluster);
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[^1]);
        await ns.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: busy}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - name: main
                image: busybox:1
                command: [sh, -c, "while true; do :; done"]
                resources: {limits: {cpu: 200m}}
            """);
        await ns.EventuallyAsync("its figures", async () => MilliCores((await ns.KubectlAsync("top", "pod", "busy", "--no-headers")).Output) is > 50 and <= 300);
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Kubectl_makes_shows_and_describes_autoscalers(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        await ns.ApplyAsync(TestNamespace.Deployment("web", replicas: 2));
        (await ns.KubectlAsync("autoscale", "deployment", "web", "--min=3", "--max=5", "--cpu-percent=70")).Succeeded();
        await ns.EventuallyAsync("as many as the least", async () => await ns.GetAsync("{.spec.replicas}", "deployment/web") == "3");

        // Without requests there is no share of them.
        await ns.EventuallyAsync("why it is not active", async () => (await ns.GetAsync("{.status.conditions[?(@.type=='ScalingActive')].reason}", "hpa/web")) == "FailedGetResourceMetric");
        var row = (await ns.KubectlAsync("get", "hpa", "web", "--no-headers")).Succeeded();
        Assert.Matches(@"^web\s+Deployment/web\s+cpu: <unknown>/70%\s+3\s+5\s+3\s+", row);
        var described = (await ns.KubectlAsync("describe", "hpa", "web")).Succeeded();
        Assert.Matches(@"Min replicas:\s+3", described);
        // 1.20 reads v1 for lack of v2beta2, and says it in the words of v1.
        Assert.Matches(@"resource cpu on pods|Target CPU utilization:\s+70%", described);
        Assert.Contains("FailedGetResourceMetric", described, StringComparison.Ordinal);
        Assert.Equal("70", (await ns.KubectlAsync("get", "horizontalpodautoscalers.v1.autoscaling", "web", "-o", "jsonpath={.spec.targetCPUUtilizationPercentage}")).Succeeded());
    }

    // `NAME 203m 1Mi`
    private static int? MilliCores(string line) =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var cpu, ..] && cpu.EndsWith('m') && int.TryParse(cpu[..^1], out var milli) ? milli : null;
}
