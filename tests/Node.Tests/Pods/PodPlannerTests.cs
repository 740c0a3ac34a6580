using Weft.Api.Core;
using Weft.Node.Pods;
using Weft.Node.Runtime;
using Weft.Testing;

namespace Weft.Node.Tests.Pods;

public sealed class PodPlannerTests
{
    private const string Two = """{"containers":[{"name":"a","command":["x"]},{"name":"b","command":["x"]}]}""";
    private const string Deleting = """{"deletionTimestamp":"2026-05-01T12:00:30Z","deletionGracePeriodSeconds":30}""";

    [Fact]
    public void A_new_pod_is_set_up_then_all_containers_start_together()
    {
        Assert.Equal("setup", World.Plan(World.Pod(Two), new PodObservation()));
        Assert.Equal("setup", World.Plan(World.Pod(Two), new PodObservation { Sandbox = World.Sandbox() }));
        Assert.Equal("start a#0, start b#0", World.Plan(World.Pod(Two), World.Seen()));
        Assert.Equal("", World.Plan(World.Pod(Two), World.Seen(World.Container("a", RunState.Running), World.Container("b", RunState.Running))));
    }

    [Fact]
    public void Init_containers_run_one_after_the_other_before_the_others()
    {
        var pod = World.Pod("""{"initContainers":[{"name":"i1"},{"name":"i2"}],"containers":[{"name":"a"}]}""");

        Assert.Equal("start i1#0", World.Plan(pod, World.Seen()));
        Assert.Equal("", World.Plan(pod, World.Seen(World.Container("i1", RunState.Running))));
        Assert.Equal("start i2#0", World.Plan(pod, World.Seen(World.Container("i1", RunState.Exited))));
        Assert.Equal("start a#0", World.Plan(pod, World.Seen(World.Container("i1", RunState.Exited), World.Container("i2", RunState.Exited))));
    }

    [Fact]
    public void A_sidecar_lets_the_next_begin_when_it_has_started_and_is_stopped_last()
    {
        var pod = World.Pod("""{"initContainers":[{"name":"side","restartPolicy":"Always"}],"containers":[{"name":"a"}]}""");
        var side = World.Container("side", RunState.Running);

        Assert.Equal("start side#0", World.Plan(pod, World.Seen()));
        Assert.Equal("", World.Plan(pod, World.Seen(side) with { Health = new Dictionary<string, ContainerHealth>() }));
        Assert.Equal("start a#0", World.Plan(pod, World.Seen(side)));

        var deleted = World.Pod("""{"initContainers":[{"name":"side","restartPolicy":"Always"}],"containers":[{"name":"a"}]}""", Deleting);
        Assert.Equal("kill a-0", World.Plan(deleted, World.Seen(side, World.Container("a", RunState.Running))));
        Assert.Equal("kill side-0", World.Plan(deleted, World.Seen(side, World.Container("a", RunState.Exited))));
    }

    [Theory]
    [InlineData("Always", 0, true)]
    [InlineData("Always", 1, true)]
    [InlineData("OnFailure", 0, false)]
    [InlineData("OnFailure", 1, true)]
    [InlineData("Never", 0, false)]
    [InlineData("Never", 1, false)]
    public void An_ended_container_starts_again_as_the_restart_policy_says(string policy, int exitCode, bool restarts)
    {
        var pod = World.Pod($$"""{"restartPolicy":"{{policy}}","containers":[{"name":"a"},{"name":"b"}]}""");

        var plan = World.Plan(pod, World.Seen(World.Container("a", RunState.Exited, exitCode: exitCode), World.Container("b", RunState.Running)));

        Assert.Equal(restarts ? "start a#1" : "", plan);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 10)]
    [InlineData(3, 20)]
    [InlineData(6, 160)]
    [InlineData(7, 300)]
    [InlineData(500, 300)]
    public void Restarts_wait_ten_seconds_doubling_to_five_minutes(int crashes, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), RestartRules.Delay(crashes));

    [Fact]
    public void A_container_in_back_off_wakes_the_worker_when_it_is_over()
    {
        var pod = World.Pod("""{"containers":[{"name":"a"}]}""");
        var seen = World.Seen(World.Container("a", RunState.Exited, attempt: 2, exitCode: 1, endedAgo: TimeSpan.FromSeconds(5)));

        var plan = PodPlanner.Plan(pod, seen, World.Now);

        Assert.Empty(plan.Steps);
        Assert.Equal(World.Now.AddSeconds(15), plan.WakeAt);
        Assert.Equal("start a#3", string.Join(",", PodPlanner.Plan(pod, seen, World.Now.AddSeconds(15)).Steps.Select(World.Text)));
    }

    [Fact]
    public void Ten_minutes_of_running_forget_earlier_crashes()
    {
        Assert.Equal(1, RestartRules.Count(7, World.Container("a", RunState.Exited, ran: TimeSpan.FromMinutes(10))));
        Assert.Equal(8, RestartRules.Count(7, World.Container("a", RunState.Exited, ran: TimeSpan.FromMinutes(9))));
    }

    [Fact]
    public void A_failed_probe_kills_and_a_container_being_stopped_is_left_alone()
    {
        var pod = World.Pod("""{"containers":[{"name":"a"}]}""");
        var seen = World.Seen(World.Container("a", RunState.Running)) with { Health = new Dictionary<string, ContainerHealth> { ["a-0"] = new(true, true, "it failed its liveness probe") } };

        Assert.Equal("kill a-0", World.Plan(pod, seen));
        Assert.Equal("", World.Plan(pod, seen with { Stopping = new HashSet<string> { "a-0" } }));
    }

    [Fact]
    public void A_deleted_pod_is_killed_torn_down_and_finished_in_that_order()
    {
        var pod = World.Pod(Two, Deleting);

        Assert.Equal("kill a-0, kill b-0", World.Plan(pod, World.Seen(World.Container("a", RunState.Running), World.Container("b", RunState.Running))));
        Assert.Equal("", World.Plan(pod, World.Seen(World.Container("a", RunState.Running)) with { Stopping = new HashSet<string> { "a-0" } }));
        Assert.Equal("teardown, finish", World.Plan(pod, World.Seen(World.Container("a", RunState.Exited), World.Container("b", RunState.Exited))));
        Assert.Equal("finish", World.Plan(pod, new PodObservation()));
    }

    [Fact]
    public void A_pod_that_has_ended_is_torn_down_but_its_containers_stay_for_their_logs()
    {
        var pod = World.Pod("""{"restartPolicy":"Never","containers":[{"name":"a"}]}""");
        var seen = World.Seen(World.Container("a", RunState.Exited));

        Assert.Equal("teardown", World.Plan(pod, seen));
        Assert.Equal("", World.Plan(pod, seen with { Sandbox = World.Sandbox(ready: false) }));
        // Even when the records are gone: what the API knows to have ended does not start again.
        Assert.Equal("", World.Plan(pod with { Status = new() { Phase = "Succeeded" } }, new PodObservation()));
    }

    [Fact]
    public void A_failed_init_container_ends_a_pod_that_never_restarts()
    {
        var pod = World.Pod("""{"restartPolicy":"Never","initContainers":[{"name":"i"}],"containers":[{"name":"a"}]}""");

        Assert.Equal("teardown", World.Plan(pod, World.Seen(World.Container("i", RunState.Exited, exitCode: 1))));
        Assert.Equal("start i#1", World.Plan(pod with { Spec = pod.Spec with { RestartPolicy = "OnFailure" } }, World.Seen(World.Container("i", RunState.Exited, exitCode: 1))));
    }

    [Fact]
    public void A_pod_beyond_its_deadline_is_killed()
    {
        var pod = World.Pod("""{"activeDeadlineSeconds":60,"containers":[{"name":"a"}]}""", status: new() { StartTime = World.Now.AddSeconds(-59) });
        var seen = World.Seen(World.Container("a", RunState.Running));

        Assert.Equal(World.Now.AddSeconds(1), PodPlanner.Plan(pod, seen, World.Now).WakeAt);
        Assert.Equal("kill a-0", string.Join(",", PodPlanner.Plan(pod, seen, World.Now.AddSeconds(1)).Steps.Select(World.Text)));
    }

    [Fact]
    public void After_a_reboot_counting_goes_on_from_what_the_api_remembers()
    {
        var pod = World.Pod("""{"containers":[{"name":"a"}]}""", status: new() { ContainerStatuses = [new() { Name = "a", RestartCount = 4, ContainerID = "process://old" }] });

        Assert.Equal("start a#5", World.Plan(pod, World.Seen()));
    }

    [Fact]
    public void Only_the_last_two_attempts_are_kept()
    {
        var pod = World.Pod("""{"containers":[{"name":"a"}]}""");

        Assert.Equal("forget a-0", World.Plan(pod, World.Seen(
            World.Container("a", RunState.Exited), World.Container("a", RunState.Exited, attempt: 1), World.Container("a", RunState.Running, attempt: 2))));
    }

    [Fact]
    public void Once_its_steps_are_done_a_plan_has_none_and_never_starts_what_runs()
    {
        var random = Seeded.Random(11);
        for (var round = 0; round < 2000; round++)
        {
            var pod = World.Pod($$"""
                {"restartPolicy":"{{(new[] { "Always", "OnFailure", "Never" })[random.Next(3)]}}",
                 "initContainers":[{"name":"i"},{"name":"s","restartPolicy":"Always"}],"containers":[{"name":"a"},{"name":"b"}]}
                """, random.Next(4) == 0 ? Deleting : null);
            var seen = Random(random);
            for (var pass = 0; ; pass++)
            {
                Assert.True(pass < 20, "the plan does not come to rest");
                var plan = PodPlanner.Plan(pod, seen, World.Now);
                Assert.Equal(plan.Steps.Length, plan.Steps.Select(World.Text).Distinct().Count());
                if (plan.Steps.Length == 0 || plan.Steps.Any(s => s is PodStep.Finish))
                    break;
                foreach (var step in plan.Steps)
                {
                    if (step is PodStep.Start start)
                        Assert.DoesNotContain(seen.Containers, c => c.Name == start.Container && c.State != RunState.Exited);
                    seen = Apply(seen, step);
                }
            }
        }
    }

    private static PodObservation Random(Random random)
    {
        var containers = new List<ContainerInfo>();
        foreach (var name in new[] { "i", "s", "a", "b" }.Where(_ => random.Next(3) > 0))
            containers.Add(World.Container(name, (RunState)random.Next(1, 3), random.Next(3), random.Next(2), endedAgo: TimeSpan.FromSeconds(random.Next(400))));
        return World.Seen([.. containers]) with { Sandbox = random.Next(5) == 0 ? null : World.Sandbox(random.Next(5) > 0), VolumesReady = random.Next(5) > 0 };
    }

    private static PodObservation Apply(PodObservation seen, PodStep step)
    {
        switch (step)
        {
            case PodStep.SetUp:
                return seen with { Sandbox = World.Sandbox(), VolumesReady = true, Containers = seen.Sandbox is { Ready: true } ? seen.Containers : [] };
            case PodStep.Start start:
                var container = World.Container(start.Container, RunState.Running, start.Attempt);
                return seen with { Containers = [.. seen.Containers, container], Health = new Dictionary<string, ContainerHealth>(seen.Health) { [container.Id] = new(true, true, null) } };
            case PodStep.Kill kill:
                return seen with { Containers = [.. seen.Containers.Select(c => c.Id == kill.ContainerId ? c with { State = RunState.Exited, FinishedAt = World.Now } : c)] };
            case PodStep.Forget forget:
                return seen with { Containers = [.. seen.Containers.Where(c => c.Id != forget.ContainerId)] };
            default:
                return seen with { Sandbox = World.Sandbox(ready: false) };
        }
    }
}
