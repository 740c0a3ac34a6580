using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Strategies.Pods;

namespace Weft.ApiServer.Tests.Strategies;

public sealed class PodDefaultsTests
{
    private static readonly Subject Pods = Subject.Of("pods");

    [Fact]
    public void The_least_pod_gets_what_Kubernetes_gives_it()
    {
        var pod = Pods.Create(Subject.Parse("""{"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"nginx"}]}}"""));
        var expected = JsonNode.Parse("""
            {"containers":[{"name":"c","image":"nginx","imagePullPolicy":"Always","terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","resources":{}}],
             "restartPolicy":"Always","dnsPolicy":"ClusterFirst","terminationGracePeriodSeconds":30,"schedulerName":"default-scheduler","securityContext":{},"enableServiceLinks":true}
            """);
        Assert.True(JsonNode.DeepEquals(expected, pod["spec"]), pod["spec"]!.ToJsonString());
        Assert.Equal("""{"phase":"Pending","qosClass":"BestEffort"}""", pod["status"]!.ToJsonString());
    }

    [Theory]
    [InlineData("nginx", "Always")]
    [InlineData("nginx:latest", "Always")]
    [InlineData("nginx:1.25", "IfNotPresent")]
    [InlineData("host:5000/nginx", "Always")]
    [InlineData("host:5000/nginx:1", "IfNotPresent")]
    [InlineData("nginx@sha256:0000", "IfNotPresent")]
    public void An_image_that_may_change_is_pulled_always(string image, string policy) => Assert.Equal(policy, PodDefaults.PullPolicy(image));

    [Fact]
    public void Parts_of_a_pod_get_their_defaults()
    {
        var pod = Pods.Create(PodValidationTests.Good);
        var spec = pod["spec"]!;
        Assert.Equal("""{"httpGet":{"port":"http","path":"/","scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3}""", spec["containers"]![0]!["readinessProbe"]!.ToJsonString());
        Assert.Equal("TCP", spec["containers"]![0]!["ports"]![0]!["protocol"]!.GetValue<string>());
        Assert.Equal("v1", spec["containers"]![0]!["env"]![1]!["valueFrom"]!["fieldRef"]!["apiVersion"]!.GetValue<string>());
        Assert.Equal("""{"name":"data","emptyDir":{}}""", spec["volumes"]![0]!.ToJsonString());
        Assert.Equal(420, spec["volumes"]![1]!["configMap"]!["defaultMode"].AsInteger());
        Assert.Equal(3600, spec["volumes"]![2]!["projected"]!["sources"]![0]!["serviceAccountToken"]!["expirationSeconds"].AsInteger());
        Assert.Equal("1Gi", spec["containers"]![0]!["resources"]!["requests"]!["memory"]!.GetValue<string>());
    }

    [Fact]
    public void Defaults_do_not_change_what_already_has_them()
    {
        var once = Pods.Create(PodValidationTests.Good);
        var twice = once.DeepClone().AsObject();
        Pods.Resource.Strategy.Default(twice);
        Assert.True(JsonNode.DeepEquals(once, twice));
    }

    [Fact]
    public void Quantities_are_stored_in_canonical_form()
    {
        var pod = Pods.Create(Subject.With(PodValidationTests.Good, ("spec.containers[0].resources", """{"limits":{"cpu":0.5,"memory":"1024Mi"},"requests":{"cpu":"1000m"}}""")));
        Assert.Equal("""{"limits":{"cpu":"500m","memory":"1Gi"},"requests":{"cpu":"1","memory":"1Gi"}}""", pod["spec"]!["containers"]![0]!["resources"]!.ToJsonString());
    }

    [Fact]
    public void Wrong_shapes_are_left_to_the_schema()
    {
        foreach (var json in (string[])["""{"spec":[]}""", """{"spec":{"containers":{}}}""", """{"spec":{"containers":[1,{"resources":3,"ports":"x"}],"volumes":[null,{"name":[]}]}}""", """{"spec":"x","metadata":{}}""", "{}"])
        {
            foreach (var resource in Subject.Resources)
                resource.Strategy.Default(Subject.Parse(json));
        }
    }

    [Fact]
    public void Host_network_ports_are_ports_of_the_node()
    {
        var pod = Pods.Create(Subject.With(PodValidationTests.Good, ("spec.hostNetwork", "true")));
        Assert.Equal(80, pod["spec"]!["containers"]![0]!["ports"]![0]!["hostPort"].AsInteger());
    }

    [Theory]
    [InlineData("{}", "BestEffort")]
    [InlineData("""{"requests":{"cpu":"1"}}""", "Burstable")]
    [InlineData("""{"limits":{"cpu":"1"}}""", "Burstable")]
    [InlineData("""{"limits":{"cpu":"1","memory":"1Gi"}}""", "Guaranteed")]
    [InlineData("""{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"500m"}}""", "Burstable")]
    public void The_quality_of_service_follows_from_the_resources(string resources, string quality)
    {
        var pod = Pods.Create(Subject.With(Subject.Parse("""{"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"i"}]}}"""), ("spec.containers[0].resources", resources)));
        Assert.Equal(quality, pod["status"]!["qosClass"]!.GetValue<string>());
    }

    [Fact]
    public void A_gated_pod_says_so()
    {
        var pod = Pods.Create(Subject.With(PodValidationTests.Good, ("spec.schedulingGates", "[{\"name\":\"a\"}]")));
        Assert.Equal("SchedulingGated", pod["status"]!["conditions"]![0]!["reason"]!.GetValue<string>());
    }

    [Fact]
    public void A_client_cannot_set_the_status() =>
        Assert.Equal("Pending", Pods.Create(Subject.With(PodValidationTests.Good, ("status.phase", "\"Running\"")))["status"]!["phase"]!.GetValue<string>());

    [Fact]
    public void Suspicious_pods_give_warnings()
    {
        Assert.Empty(Pods.Warnings(PodValidationTests.Good));
        Assert.Contains("DNS label", Assert.Single(Pods.Warnings(Subject.With(PodValidationTests.Good, ("metadata.name", "\"a.b\"")))), StringComparison.Ordinal);
        Assert.StartsWith("spec.containers[0].env[2]: hides previous definition of \"A\"", Assert.Single(Pods.Warnings(Subject.With(PodValidationTests.Good, ("spec.containers[0].env[2]", "{\"name\":\"A\"}")))), StringComparison.Ordinal);
    }

    [Fact]
    public void Pods_are_selected_by_their_fields()
    {
        var fields = Pods.Resource.Strategy.SelectableFields;
        var pod = Subject.With(Pods.Create(PodValidationTests.Good), ("spec.nodeName", "\"n\""), ("status.podIP", "\"10.0.0.1\""));
        Assert.Equal(("n", "Pending", "10.0.0.1", "false", "Always", "default-scheduler", ""), (fields["spec.nodeName"](pod), fields["status.phase"](pod), fields["status.podIP"](pod),
            fields["spec.hostNetwork"](pod), fields["spec.restartPolicy"](pod), fields["spec.schedulerName"](pod), fields["spec.serviceAccountName"](pod)));
    }
}
