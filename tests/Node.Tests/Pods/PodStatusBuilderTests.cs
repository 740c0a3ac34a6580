using System.Text.Json.Nodes;
using Weft.Api.Core;
using Weft.Node.Pods;
using Weft.Node.Runtime;

namespace Weft.Node.Tests.Pods;

public sealed class PodStatusBuilderTests
{
    private static PodStatus Build(Pod pod, PodObservation seen) => PodStatusBuilder.Build(pod, seen, World.Node, World.Now);

    private static string Condition(PodStatus status, string type) => status.Conditions.Single(c => c.Type == type) is var c && c.Reason is null ? c.Status : $"{c.Status} {c.Reason}";

    [Fact]
    public void A_running_pod_is_ready_with_addresses()
    {
        var status = Build(World.Pod("""{"containers":[{"name":"a","image":"i"}]}"""), World.Seen(World.Container("a", RunState.Running)));

        Assert.Equal(("Running", "10.1.0.5", "192.0.2.1"), (status.Phase, status.PodIP, status.HostIP));
        Assert.Equal(("True", "True", "True", "True"), (Condition(status, "Ready"), Condition(status, "ContainersReady"), Condition(status, "Initialized"), Condition(status, "PodScheduled")));
        Assert.Equal("a-0", status.ContainerStatuses[0].ContainerID);
        Assert.Equal(World.Now, status.StartTime);
    }

    [Fact]
    public void A_pod_before_its_containers_is_pending_and_says_why()
    {
        var status = Build(World.Pod("""{"initContainers":[{"name":"i"}],"containers":[{"name":"a"}]}"""), World.Seen(World.Container("i", RunState.Running)));

        Assert.Equal("Pending", status.Phase);
        Assert.Equal("False ContainersNotInitialized", Condition(status, "Initialized"));
        Assert.Equal("False ContainersNotReady", Condition(status, "Ready"));
        Assert.Equal("PodInitializing", status.ContainerStatuses[0].State!.Waiting!.Reason);
        Assert.Equal("ContainerCreating", Build(World.Pod("""{"containers":[{"name":"a"}]}"""), World.Seen()).ContainerStatuses[0].State!.Waiting!.Reason);
    }

    [Fact]
    public void A_crash_loop_shows_the_wait_and_the_last_end()
    {
        var seen = World.Seen(World.Container("a", RunState.Exited, attempt: 0, exitCode: 1), World.Container("a", RunState.Exited, attempt: 1, exitCode: 3));

        var container = Build(World.Pod("""{"containers":[{"name":"a"}]}"""), seen).ContainerStatuses[0];

        Assert.Equal(("CrashLoopBackOff", 3, 1), (container.State!.Waiting!.Reason, container.LastState!.Terminated!.ExitCode, container.RestartCount));
        Assert.StartsWith("back-off 10s restarting failed container=a pod=web_default(u1)", container.State.Waiting.Message);
    }

    [Theory]
    [InlineData(0, "Succeeded", "PodCompleted")]
    [InlineData(2, "Failed", "PodFailed")]
    public void A_pod_that_ended_has_its_phase_from_its_exit_codes(int exitCode, string phase, string reason)
    {
        var status = Build(World.Pod("""{"restartPolicy":"Never","containers":[{"name":"a"}]}"""), World.Seen(World.Container("a", RunState.Exited, exitCode: exitCode)));

        Assert.Equal((phase, "False " + reason), (status.Phase, Condition(status, "Ready")));
        Assert.NotNull(status.ContainerStatuses[0].State!.Terminated);
    }

    [Fact]
    public void A_terminal_phase_never_changes_and_survives_the_records()
    {
        var pod = World.Pod("""{"restartPolicy":"Never","containers":[{"name":"a"}]}""");
        var ended = Build(pod, World.Seen(World.Container("a", RunState.Exited)));

        var later = Build(pod with { Status = ended }, new PodObservation());

        Assert.Equal("Succeeded", later.Phase);
        Assert.Equal(0, later.ContainerStatuses[0].State!.Terminated!.ExitCode);
        Assert.Null(StatusPatch.Create(pod with { Status = ended }, later with { PodIP = ended.PodIP, PodIPs = ended.PodIPs, Conditions = ended.Conditions, ContainerStatuses = ended.ContainerStatuses }));
    }

    [Fact]
    public void A_deadline_gives_its_reason()
    {
        var pod = World.Pod("""{"activeDeadlineSeconds":1,"containers":[{"name":"a"}]}""", status: new() { StartTime = World.Now.AddSeconds(-5) });

        var status = Build(pod, World.Seen(World.Container("a", RunState.Exited, exitCode: 137)));

        Assert.Equal(("Failed", "DeadlineExceeded"), (status.Phase, status.Reason));
    }

    [Fact]
    public void A_readiness_gate_holds_readiness_back()
    {
        var pod = World.Pod("""{"readinessGates":[{"conditionType":"x/y"}],"containers":[{"name":"a"}]}""");

        Assert.Equal("False ReadinessGatesNotReady", Condition(Build(pod, World.Seen(World.Container("a", RunState.Running))), "Ready"));
        var open = pod with { Status = new() { Conditions = [new() { Type = "x/y", Status = "True" }] } };
        Assert.Equal("True", Condition(Build(open, World.Seen(World.Container("a", RunState.Running))), "Ready"));
    }

    [Fact]
    public void Times_of_conditions_stay_while_their_value_does()
    {
        var pod = World.Pod("""{"containers":[{"name":"a"}]}""");
        var first = Build(pod, World.Seen(World.Container("a", RunState.Running)));

        var later = PodStatusBuilder.Build(pod with { Status = first }, World.Seen(World.Container("a", RunState.Running)), World.Node, World.Now.AddHours(1));

        Assert.Equal(first.Conditions, later.Conditions);
        Assert.Null(StatusPatch.Create(pod with { Status = first }, later));
    }

    [Fact]
    public void A_patch_names_only_what_changed_and_takes_away_what_went()
    {
        var pod = World.Pod("""{"containers":[{"name":"a"}]}""");
        var before = Build(pod, World.Seen());
        var after = Build(pod with { Status = before }, World.Seen(World.Container("a", RunState.Running)));

        var patch = StatusPatch.Create(pod with { Status = before }, after)!;

        Assert.Equal("u1", (string)patch["metadata"]!["uid"]!);
        var status = patch["status"]!.AsObject();
        Assert.Equal(["conditions", "containerStatuses", "phase"], status.Select(p => p.Key).Order());
        var ready = status["conditions"]!.AsArray().Single(c => (string)c!["type"]! == "Ready")!.AsObject();
        Assert.True(ready.ContainsKey("reason") && ready["reason"] is null);

        var moved = StatusPatch.Create(pod with { Status = after }, after with { PodIP = "10.1.0.6", PodIPs = [new() { Ip = "10.1.0.6" }], StartTime = null })!["status"]!;
        Assert.Equal("""[{"$patch":"replace"},{"ip":"10.1.0.6"}]""", moved["podIPs"]!.ToJsonString());
        Assert.True(moved.AsObject().ContainsKey("startTime") && moved["startTime"] is null);
    }

    [Theory]
    [InlineData("""{"containers":[{"name":"a"}]}""", "BestEffort")]
    [InlineData("""{"containers":[{"name":"a","resources":{"requests":{"cpu":"1"}}}]}""", "Burstable")]
    [InlineData("""{"containers":[{"name":"a","resources":{"limits":{"cpu":"1","memory":"1Gi"}}}]}""", "Guaranteed")]
    [InlineData("""{"containers":[{"name":"a","resources":{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"500m","memory":"1Gi"}}}]}""", "Burstable")]
    public void Quality_of_service_follows_requests_and_limits(string spec, string expected) => Assert.Equal(expected, PodShape.QosClass(World.Pod(spec)));
}
