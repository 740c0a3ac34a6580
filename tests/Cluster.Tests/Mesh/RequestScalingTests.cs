using System.Text.Json.Nodes;
using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Autoscalers by the requests per second that the mesh counts.</summary>
[Collection(ChangingMeshCollection.Name)]
public sealed class RequestScalingTests(MeshCluster cluster)
{
    // Of docs/guide/telemetry.md, but for the name.
    private static string Autoscaler(string workload, string metric) => $$"""
        apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata: {name: {{workload}} }
        spec:
          scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{workload}} }
          minReplicas: 1
          maxReplicas: 3
          metrics:
          - {{metric}}
          behavior: {scaleDown: {stabilizationWindowSeconds: 0} }
        """;

    [Fact]
    public async Task Under_load_a_deployment_grows_and_without_it_shrinks()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        var ns = mesh.Namespace;
        // By pods, and by the whole service.
        await ns.ApplyAsync(Autoscaler("web-v1", "{type: Pods, pods: {metric: {name: requests_per_second}, target: {type: AverageValue, averageValue: '5'} } }"));
        await ns.ApplyAsync(Autoscaler("web-v2", "{type: Object, object: {metric: {name: requests_per_second}, describedObject: {apiVersion: v1, kind: Service, name: web}, target: {type: AverageValue, averageValue: '5'} } }"));

        await mesh.ClientAsync("rm -f /tmp/stop; nohup sh -c 'while [ ! -e /tmp/stop ]; do curl -s -o /dev/null --rate 40/s \"http://web/?n=[1-80]\" || sleep 0.1; done' >/dev/null 2>&1 &");
        try
        {
            await ns.EventuallyAsync("three copies of each", async () => await ns.GetAsync("{.items[*].spec.replicas}", "deployments") is var counts && counts.Split(' ').Count(count => count == "3") == 2);
            var values = await MetricAsync($"namespaces/{ns.Name}/pods/*/requests_per_second?labelSelector=version%3Dv1");
            Assert.All(values, value => Assert.Equal("Pod", value!["describedObject"]!["kind"]!.GetValue<string>()));
            Assert.Single(await MetricAsync($"namespaces/{ns.Name}/services/web/requests_per_second"));
            Assert.Contains("pods metric requests_per_second above target", (await ns.KubectlAsync("get", "events", "--field-selector=involvedObject.kind=HorizontalPodAutoscaler")).Succeeded(), StringComparison.Ordinal);
        }
        finally
        {
            await mesh.ClientAsync("touch /tmp/stop");
        }

        await ns.EventuallyAsync("one copy of each", async () => (await ns.GetAsync("{.items[*].spec.replicas}", "deployments")).Split(' ').All(count => count == "1"));
        Assert.Equal("True True", await ns.GetAsync("{.status.conditions[?(@.type=='AbleToScale')].status} {.status.conditions[?(@.type=='ScalingActive')].status}", "hpa/web-v1"));
    }

    private async Task<JsonArray> MetricAsync(string path) =>
        JsonNode.Parse((await cluster.KubectlAsync("get", "--raw", "/apis/custom.metrics.k8s.io/v1beta2/" + path)).Succeeded())!["items"]!.AsArray();
}
