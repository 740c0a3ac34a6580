using System.Text.Json.Nodes;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Strategies;

/// <summary>One autoscaler, two versions: nothing is lost on the way.</summary>
public sealed class AutoscalerFormsTests
{
    private const string V1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
    private const string V2 = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
    private const string Annotation = "autoscaling.alpha.kubernetes.io/";

    [Fact]
    public async Task What_v1_has_no_field_for_survives_a_client_of_v1()
    {
        await using var server = await TestServer.StartAsync();
        var created = (await server.PostAsync(V2, StrategyCases.Good["horizontalpodautoscalers.autoscaling@v2"].ToJsonString())).Expect(201);
        const string Status = """
            {"status":{"currentReplicas":3,"desiredReplicas":4,"lastScaleTime":"2026-01-02T03:04:05Z",
             "conditions":[{"type":"AbleToScale","status":"True","reason":"ReadyForNewScale","message":"m","lastTransitionTime":"2026-01-02T03:04:05Z"}],
             "currentMetrics":[{"type":"Resource","resource":{"name":"cpu","current":{"averageUtilization":61,"averageValue":"610m"}}},
              {"type":"External","external":{"metric":{"name":"queue"},"current":{"averageValue":"7"}}}]}}
            """;
        var before = (await server.PatchAsync(V2 + "/web/status", "merge-patch+json", Status)).Expect(200);

        var old = (await server.GetAsync(V1 + "/web")).Expect(200);
        Assert.Equal(("autoscaling/v1", 50, 61, 2), (Text(old.Body, "apiVersion"), Number(old.Body, "spec", "targetCPUUtilizationPercentage"),
            Number(old.Body, "status", "currentCPUUtilizationPercentage"), Number(old.Body, "spec", "minReplicas")));
        Assert.Null(old.Body["spec"]!["metrics"]);
        Assert.Null(old.Body["status"]!["conditions"]);
        var metrics = JsonNode.Parse(old.Metadata["annotations"]![Annotation + "metrics"]!.GetValue<string>())!.AsArray();
        Assert.Equal("""{"type":"ContainerResource","containerResource":{"name":"memory","container":"c","targetAverageValue":"100Mi"}}""", metrics[0]!.ToJsonString());
        Assert.Equal("""{"type":"External","external":{"metricName":"queue","metricSelector":{"matchLabels":{"a":"b"}},"targetAverageValue":"30"}}""", metrics[3]!.ToJsonString());

        // Read and written back by a client that knows v1 alone, with one field changed.
        var changed = old.Body;
        changed["spec"]!["maxReplicas"] = 12;
        (await server.PutAsync(V1 + "/web", changed.ToJsonString())).Expect(200);
        var after = (await server.GetAsync(V2 + "/web")).Expect(200);
        var expected = before.Body["spec"]!.DeepClone();
        expected["maxReplicas"] = 12;
        Assert.True(JsonNode.DeepEquals(expected, after.Body["spec"]), $"expected {expected}\nfound {after.Body["spec"]}");
        // The average beside the CPU's utilization has no place in v1, as in Kubernetes; the controller writes it anew.
        Assert.Equal(before.Body["status"]!["conditions"]!.ToJsonString(), after.Body["status"]!["conditions"]!.ToJsonString());
        Assert.Equal(before.Body["status"]!["currentMetrics"]![1]!.ToJsonString(), after.Body["status"]!["currentMetrics"]![1]!.ToJsonString());
        Assert.DoesNotContain(Annotation, after.Text, StringComparison.Ordinal);
        Assert.Equal(created.Metadata["uid"]!.GetValue<string>(), after.Metadata["uid"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_v1_client_that_drops_annotations_changes_metrics_but_not_the_status()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(V2, StrategyCases.Good["horizontalpodautoscalers.autoscaling@v2"].ToJsonString())).Expect(201);
        (await server.PatchAsync(V2 + "/web/status", "merge-patch+json", """{"status":{"conditions":[{"type":"AbleToScale","status":"True"}]}}""")).Expect(200);
        var old = (await server.GetAsync(V1 + "/web")).Body;
        old["metadata"]!.AsObject().Remove("annotations");
        (await server.PutAsync(V1 + "/web", old.ToJsonString())).Expect(200);

        var after = (await server.GetAsync(V2 + "/web")).Body;
        Assert.Single(after["spec"]!["metrics"]!.AsArray());
        Assert.Equal("AbleToScale", after["status"]!["conditions"]![0]!["type"]!.GetValue<string>());
    }

    [Fact]
    public async Task Annotations_cannot_bring_in_what_v2_would_refuse()
    {
        await using var server = await TestServer.StartAsync();
        JsonObject With(string name, string json)
        {
            var good = StrategyCases.Good["horizontalpodautoscalers.autoscaling@v1"].DeepClone().AsObject();
            good["metadata"]!["annotations"] = new JsonObject { [Annotation + name] = json };
            return good;
        }

        foreach (var (name, json) in ((string, string)[])
            [("metrics", """[{"type":"Resource","resource":{"name":{"a":1},"targetAverageValue":"1"}}]"""), ("metrics", """[{"type":"Resource","resource":{"name":"cpu","targetAverageValue":[]}}]"""),
             ("metrics", "{"), ("metrics", """[{"type":"Resource","type":"Pods"}]"""), ("behavior", """{"scaleUp":{},"scaleUp":{}}"""), ("behavior", """{"scaleUp":{"policies":[{"type":"Pods","value":"x","periodSeconds":1}]}}"""), ("behavior", """{"scaleUp":{"policies":[]}}""")])
            (await server.PostAsync(V1, With(name, json).ToJsonString())).Expect(422);

        // A status is nobody's to set at creation, and what nobody knows is cut off.
        (await server.PostAsync(V1, With("conditions", """[{"type":"AbleToScale","status":"True"}]""").ToJsonString())).Expect(201);
        var stored = (await server.GetAsync(V2 + "/web")).Body;
        Assert.Null(stored["status"]!["conditions"]);
        (await server.DeleteAsync(V1 + "/web")).Expect(200);
        (await server.PostAsync(V1, With("behavior", """{"scaleDown":{"policies":[{"type":"Pods","value":1,"periodSeconds":60}],"luck":7}}""").ToJsonString())).Expect(201);
        Assert.DoesNotContain("luck", (await server.GetAsync(V2 + "/web")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_metric_the_CPU_counts()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(V1, """{"metadata":{"name":"web"},"spec":{"scaleTargetRef":{"kind":"Deployment","name":"web"},"maxReplicas":3}}""")).Expect(201);
        var spec = (await server.GetAsync(V2 + "/web")).Body["spec"]!;
        Assert.Equal("""[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":80}}}]""", spec["metrics"]!.ToJsonString());
        Assert.Equal(1, spec["minReplicas"]!.GetValue<int>());
        Assert.Null(spec["behavior"]);
    }

    [Fact]
    public void A_behavior_is_completed()
    {
        var spec = Subject.Of("horizontalpodautoscalers", "autoscaling", "v2").Create(
            Subject.With(StrategyCases.Good["horizontalpodautoscalers.autoscaling@v2"], ("spec.behavior", """{"scaleUp":{"selectPolicy":"Min"}}""")))["spec"]!;
        Assert.Equal("""{"selectPolicy":"Min","stabilizationWindowSeconds":0,"policies":[{"type":"Pods","value":4,"periodSeconds":15},{"type":"Percent","value":100,"periodSeconds":15}]}""", spec["behavior"]!["scaleUp"]!.ToJsonString());
        Assert.Equal("""{"selectPolicy":"Max","policies":[{"type":"Percent","value":100,"periodSeconds":15}]}""", spec["behavior"]!["scaleDown"]!.ToJsonString());
    }

    [Fact]
    public void None_at_all_needs_a_metric_that_can_bring_the_first_back()
    {
        var subject = Subject.Of("horizontalpodautoscalers", "autoscaling", "v2");
        var good = Subject.With(StrategyCases.Good["horizontalpodautoscalers.autoscaling@v2"], ("spec.minReplicas", "0"));
        Assert.Empty(subject.CreateErrors(good));
        Assert.Equal(["spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas"],
            subject.CreateErrors(Subject.With(good, ("spec.metrics", "-"))));
    }

    private static string Text(JsonObject tree, string name) => tree[name]!.GetValue<string>();

    private static int Number(JsonObject tree, string parent, string name) => tree[parent]![name]!.GetValue<int>();
}
