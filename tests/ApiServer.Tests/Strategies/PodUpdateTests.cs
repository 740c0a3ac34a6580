using System.Text.Json.Nodes;

namespace Weft.ApiServer.Tests.Strategies;

public sealed class PodUpdateTests
{
    private static readonly Subject Pods = Subject.Of("pods");
    private static readonly JsonObject Old = Subject.With(Pods.Create(PodValidationTests.Good), ("status.phase", "\"Running\""), ("spec.tolerations", "[{\"key\":\"a\",\"operator\":\"Exists\",\"effect\":\"NoExecute\"}]"));

    [Theory]
    [InlineData("spec.containers[0].image", "\"nginx:1.26\"")]
    [InlineData("spec.initContainers[1].image", "\"other:1\"")]
    [InlineData("spec.activeDeadlineSeconds", "100")]
    [InlineData("spec.tolerations[1]", "{\"key\":\"b\",\"operator\":\"Exists\"}")]
    [InlineData("spec.tolerations[0].tolerationSeconds", "60")]
    [InlineData("metadata.labels", "{\"new\":\"label\"}")]
    public void Some_fields_can_change(string path, string json) => Assert.Empty(Pods.UpdateErrors(Subject.With(Old, (path, json)), Old));

    [Theory]
    [InlineData("spec.containers[0].command", "[\"a\"]", "spec: Forbidden: pod updates may not change fields other than")]
    [InlineData("spec.nodeName", "\"n\"", "spec: Forbidden: pod updates may not change fields other than")]
    [InlineData("spec.restartPolicy", "\"Never\"", "spec: Forbidden: pod updates may not change fields other than")]
    [InlineData("spec.containers[1]", "{\"name\":\"d\",\"image\":\"i\"}", "spec.containers: Forbidden: pod updates may not add or remove containers")]
    [InlineData("spec.tolerations", "[]", "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds")]
    [InlineData("spec.schedulingGates", "[{\"name\":\"g\"}]", "spec.schedulingGates[0]: Forbidden: only deletion is allowed, but found new scheduling gate 'g'")]
    public void Other_fields_cannot(string path, string json, string error) =>
        Assert.Contains(Pods.UpdateErrors(Subject.With(Old, (path, json)), Old), found => found.StartsWith(error, StringComparison.Ordinal));

    [Fact]
    public void A_deadline_can_only_come_nearer()
    {
        var old = Subject.With(Old, ("spec.activeDeadlineSeconds", "100"));
        Assert.Empty(Pods.UpdateErrors(Subject.With(old, ("spec.activeDeadlineSeconds", "50")), old));
        Assert.StartsWith("spec.activeDeadlineSeconds: Invalid value: 200: must be less than or equal to previous value", Pods.UpdateErrors(Subject.With(old, ("spec.activeDeadlineSeconds", "200")), old)[0], StringComparison.Ordinal);
        Assert.StartsWith("spec.activeDeadlineSeconds: Invalid value: null", Pods.UpdateErrors(Subject.With(old, ("spec.activeDeadlineSeconds", "-")), old)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Gates_can_be_taken_away_and_placement_narrowed_meanwhile()
    {
        var old = Subject.With(Old, ("spec.schedulingGates", "[{\"name\":\"a\"},{\"name\":\"b\"}]"), ("spec.nodeSelector", "{\"disk\":\"ssd\"}"));
        Assert.Empty(Pods.UpdateErrors(Subject.With(old, ("spec.schedulingGates", "[{\"name\":\"b\"}]"), ("spec.nodeSelector.zone", "\"a\"")), old));
        Assert.NotEmpty(Pods.UpdateErrors(Subject.With(old, ("spec.nodeSelector", "{}")), old));
    }

    [Fact]
    public void A_binding_sets_the_node_once()
    {
        var bound = Subject.With(Old, ("spec.nodeName", "\"n1\""));
        Assert.Empty(Pods.UpdateErrors(bound, Old, "binding"));
        Assert.NotEmpty(Pods.UpdateErrors(Subject.With(bound, ("spec.nodeName", "\"n2\"")), bound, "binding"));
    }

    [Fact]
    public void A_write_to_the_pod_keeps_the_status_and_a_write_to_the_status_keeps_the_rest()
    {
        var written = Subject.With(Old, ("status.phase", "\"Failed\""), ("spec.containers[0].image", "\"x:2\""), ("metadata.labels", "{}"), ("metadata.resourceVersion", "\"7\""));
        var main = Pods.Update(written, Old);
        Assert.Equal("Running", main["status"]!["phase"]!.GetValue<string>());
        Assert.Equal("x:2", main["spec"]!["containers"]![0]!["image"]!.GetValue<string>());

        var status = Pods.Update(written, Old, "status");
        Assert.Equal("Failed", status["status"]!["phase"]!.GetValue<string>());
        Assert.Equal("nginx:1.25", status["spec"]!["containers"]![0]!["image"]!.GetValue<string>());
        Assert.Equal("web", status["metadata"]!["labels"]!["app"]!.GetValue<string>());
        Assert.Equal("7", status["metadata"]!["resourceVersion"]!.GetValue<string>());
    }

    [Fact]
    public void Ephemeral_containers_are_added_through_their_subresource()
    {
        var written = Subject.With(Old, ("spec.ephemeralContainers", "[{\"name\":\"debug\",\"image\":\"sh\",\"targetContainerName\":\"c\"}]"), ("spec.containers[0].image", "\"x:2\""));
        var updated = Pods.Update(written, Old, "ephemeralcontainers");
        Assert.Equal("debug", updated["spec"]!["ephemeralContainers"]![0]!["name"]!.GetValue<string>());
        Assert.Equal("nginx:1.25", updated["spec"]!["containers"]![0]!["image"]!.GetValue<string>());
        Assert.Empty(Pods.UpdateErrors(written, Old, "ephemeralcontainers"));

        Assert.StartsWith("spec.ephemeralContainers: Forbidden: existing ephemeral containers", Pods.UpdateErrors(Old, updated, "ephemeralcontainers")[0], StringComparison.Ordinal);
        Assert.NotEmpty(Pods.UpdateErrors(Subject.With(updated, ("spec.ephemeralContainers[0].image", "\"bash\"")), updated, "ephemeralcontainers"));
        Assert.NotEmpty(Pods.UpdateErrors(Subject.With(Old, ("spec.ephemeralContainers", "[{\"name\":\"d\",\"image\":\"i\",\"targetContainerName\":\"gone\"}]")), Old, "ephemeralcontainers"));
    }

    [Theory]
    [InlineData("", "Running", null, null)]
    [InlineData("n", "Running", null, 30L)]
    [InlineData("n", "Running", 5L, 5L)]
    [InlineData("n", "Running", 0L, null)]
    [InlineData("n", "Running", -1L, 1L)]
    [InlineData("n", "Succeeded", 20L, null)]
    [InlineData("n", "Failed", null, null)]
    public void A_pod_that_runs_gets_its_grace(string node, string phase, long? requested, long? granted)
    {
        var pod = Subject.With(Old, ("spec.nodeName", $"\"{node}\""), ("status.phase", $"\"{phase}\""));
        Assert.Equal(granted, Pods.Resource.Strategy.GracePeriodSeconds(pod, requested));
    }
}
