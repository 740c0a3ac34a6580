using Weft.Api.Autoscaling;
using Weft.Control.Workloads;

namespace Weft.Control.Tests.Workloads.Autoscaling;

public sealed class AutoscalingPlannerTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    // Target 50% of one core each: ceil(used / target), within a tenth of the target nothing.
    [InlineData(new[] { 500 }, 1)]
    [InlineData(new[] { 1000 }, 2)]
    [InlineData(new[] { 1001 }, 2)]
    [InlineData(new[] { 1020 }, 3)]
    [InlineData(new[] { 550, 550 }, 2)]
    [InlineData(new[] { 560, 560 }, 3)]
    [InlineData(new[] { 450, 450 }, 2)]
    [InlineData(new[] { 440, 440, 440, 440 }, 4)]
    [InlineData(new[] { 1000, 0 }, 2)]
    [InlineData(new[] { 2000, 1000 }, 6)]
    public void Utilization_is_brought_to_its_target(int[] used, int expected) =>
        Assert.Equal(expected, Autoscaled.Using([.. used.Select(milli => (int?)milli)]).Replicas);

    [Theory]
    [InlineData(new[] { 100, 100, 100, 100 }, 1)]
    [InlineData(new[] { 300, 300, 300, 300 }, 3)]
    [InlineData(new[] { 0, 0 }, 1)]
    public void Idle_copies_go_after_the_window(int[] used, int expected)
    {
        var idle = Autoscaled.Using([.. used.Select(milli => (int?)milli)]);
        var first = idle.Plan();
        Assert.Null(first.ScaleTo);
        Assert.Equal("True ScaleDownStabilized", Autoscaled.Condition(first, "AbleToScale"));

        var still = (idle with { History = first.History, Status = first.Status }).Plan(Autoscaled.Now + 299 * Second);
        Assert.Null(still.ScaleTo);
        var done = (idle with { History = still.History, Status = still.Status }).Plan(Autoscaled.Now + 300 * Second);
        Assert.Equal(expected, done.ScaleTo);
        Assert.Equal("All metrics below target", done.Reason);
        Assert.Contains(done.Events, told => told is { IsWarning: false, Reason: "SuccessfulRescale" });
        Assert.Equal("True SucceededRescale", Autoscaled.Condition(done, "AbleToScale"));
        Assert.Equal(Autoscaled.Now + 300 * Second, done.Status.LastScaleTime);
    }

    [Fact]
    public void Pods_without_figures_count_against_the_change()
    {
        // Up: taken as idle. 2000 over three cores is 66%: 1.32 * 3 = 4 rather than 2 * 2.
        Assert.Equal(4, Autoscaled.Using(1000, 1000, null).Replicas);
        // So many are unknown that they might make up for it.
        Assert.Equal(4, Autoscaled.Using(1000, null, null, null).Replicas);
        // Down: taken to use all they requested. 100 + 2 * 1000 over three cores is above the target.
        Assert.Equal(3, WithoutWindow(Autoscaled.Using(100, null, null)).Replicas);
        // 4 * 100 + 1000 over five cores: 28% of 50%.
        Assert.Equal(3, WithoutWindow(Autoscaled.Using(100, 100, 100, 100, null)).Replicas);
    }

    [Fact]
    public void Pods_that_start_count_as_idle_upwards_and_not_at_all_downwards()
    {
        var starting = Autoscaled.Pod(1, ready: false, age: 20 * Second, readyFor: 20 * Second);
        var busy = Autoscaled.Using(1000, 1000);
        Assert.Equal(4, busy.Replicas);
        // The new pod's burning CPU is its start: 1000 over two cores is the target.
        Assert.Equal(2, (busy with { Pods = [Autoscaled.Pod(0), starting] }).Replicas);
        Assert.Equal(1, (WithoutWindow(Autoscaled.Using(100, 1000)) with { Pods = [Autoscaled.Pod(0), starting] }).Replicas);
        Assert.Equal(2, (busy with { Pods = [Autoscaled.Pod(0), Autoscaled.Pod(1, phase: "Pending", ready: false)] }).Replicas);
    }

    [Fact]
    public void A_young_pod_counts_when_it_was_measured_wholly_after_it_became_ready()
    {
        string Counted(TimeSpan age, TimeSpan readyFor, bool ready = true)
        {
            var groups = PodGroups.Of([Autoscaled.Pod(0, age: age, ready: ready, readyFor: readyFor)], Autoscaled.Samples(700).ByPod, isCpu: true, Autoscaled.Now);
            return groups.Unready.Count == 1 ? "unready" : "measured";
        }

        Assert.Equal("unready", Counted(60 * Second, 9 * Second));
        Assert.Equal("measured", Counted(60 * Second, 10 * Second));
        Assert.Equal("unready", Counted(60 * Second, 50 * Second, ready: false));
        // Past five minutes a pod counts although it is not ready, unless it has never been.
        Assert.Equal("measured", Counted(400 * Second, 60 * Second, ready: false));
        Assert.Equal("unready", Counted(400 * Second, 375 * Second, ready: false));
        // Memory does not rise because a program starts.
        Assert.Single(PodGroups.Of([Autoscaled.Pod(0, age: Second, ready: false, readyFor: Second)], Autoscaled.Samples(700).ByPod, isCpu: false, Autoscaled.Now).Measured);
    }

    [Fact]
    public void Pods_on_their_way_out_do_not_count()
    {
        var busy = Autoscaled.Using(1000, 1000, 1000) with { Pods = [Autoscaled.Pod(0), Autoscaled.Pod(1, terminating: true), Autoscaled.Pod(2, phase: "Failed", ready: false)] };
        // Only web-0: ratio 2 of one measured pod.
        Assert.Equal(2, (busy with { Scale = new ScaleView(1, 1, "app=web") }).Replicas);
    }

    [Fact]
    public void The_metric_that_wants_most_decides()
    {
        var workload = Autoscaled.Using(500, 500);
        var both = workload with
        {
            Spec = workload.Spec with { Metrics = [Autoscaled.Cpu(50), Autoscaled.CpuValue("100m")] }, Readings = [.. workload.Readings, .. workload.Readings],
        };
        var plan = both.Plan();
        // 10 are wanted, and four more in 15 s are the limit (twice as many would be two more).
        Assert.Equal(6, plan.ScaleTo);
        Assert.Equal("cpu resource above target", plan.Reason);
        Assert.Equal("True ScaleUpLimit", Autoscaled.Condition(plan, "ScalingLimited"));
        Assert.Equal(["50%", "500m"], plan.Status.CurrentMetrics.Select((status, index) => index == 0 ? status.Resource!.Current.AverageUtilization + "%" : status.Resource!.Current.AverageValue.ToString()!));
    }

    [Fact]
    public void With_a_metric_missing_nothing_is_taken_away_and_more_may_come()
    {
        MetricReading none = new MetricReading.None("no external metrics API (external.metrics.k8s.io) registered");
        Autoscaled With(Autoscaled workload) => WithoutWindow(workload with
        {
            Spec = workload.Spec with { Metrics = [Autoscaled.Cpu(50), Autoscaled.External(value: "5")] }, Readings = [.. workload.Readings, none],
        });

        var idle = With(Autoscaled.Using(10, 10)).Plan();
        Assert.Null(idle.ScaleTo);
        Assert.Equal("False FailedGetExternalMetric", Autoscaled.Condition(idle, "ScalingActive"));
        Assert.Equal("the HPA was unable to compute the replica count: unable to get metric queue: no external metrics API (external.metrics.k8s.io) registered",
            idle.Status.Conditions.Single(condition => condition.Type == "ScalingActive").Message);
        Assert.Equal(["FailedGetExternalMetric", "FailedComputeMetricsReplicas"], idle.Events.Select(told => told.Reason));

        var busy = With(Autoscaled.Using(1000, 1000)).Plan();
        Assert.Equal(4, busy.ScaleTo);
        Assert.Equal("True ValidMetricFound", Autoscaled.Condition(busy, "ScalingActive"));
    }

    [Fact]
    public void What_cannot_be_computed_is_told_in_Kubernetes_words()
    {
        var workload = Autoscaled.Using(1000);
        Check(workload with { Pods = [Autoscaled.Pod(0, request: null)] }, "FailedGetResourceMetric", "failed to get cpu utilization: missing request for cpu in container main of Pod web-0");
        Check(workload with { Readings = [Autoscaled.Samples()] }, "FailedGetResourceMetric", "failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)");
        Check(workload with { Pods = [] }, "FailedGetResourceMetric", "failed to get cpu utilization: no pods returned by selector while calculating replica count");
        Check(workload with { Readings = [new MetricReading.None("no metrics returned from resource metrics API")] }, "FailedGetResourceMetric", "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API");

        static void Check(Autoscaled workload, string reason, string why)
        {
            var plan = workload.Plan();
            Assert.Null(plan.ScaleTo);
            Assert.Equal($"False {reason}", Autoscaled.Condition(plan, "ScalingActive"));
            Assert.Contains(plan.Events, told => told.IsWarning && told.Reason == reason && told.Message == why);
        }

        var blind = (workload with { Scale = new ScaleView(1, 1, "") }).Plan();
        Assert.Equal("False InvalidSelector", Autoscaled.Condition(blind, "ScalingActive"));
        var lost = AutoscalingPlanner.WithoutScale(workload.Autoscaler, "deployments.apps \"web\" not found", AutoscalerHistory.Empty, Autoscaled.Now);
        Assert.Equal("False FailedGetScale", Autoscaled.Condition(lost, "AbleToScale"));
    }

    [Fact]
    public void Bounds_are_kept_whatever_the_metrics_say()
    {
        Autoscaled At(int replicas, int min, int max) => new() { Scale = new ScaleView(replicas, replicas, "app=web"), Spec = new Autoscaled().Spec with { MinReplicas = min, MaxReplicas = max } };
        Assert.Equal((3, "Current number of replicas below Spec.MinReplicas"), (At(1, 3, 5).Plan().ScaleTo, At(1, 3, 5).Plan().Reason));
        Assert.Equal((5, "Current number of replicas above Spec.MaxReplicas"), (At(9, 3, 5).Plan().ScaleTo, At(9, 3, 5).Plan().Reason));

        var busy = Autoscaled.Using(1000, 1000);
        var full = (busy with { Spec = busy.Spec with { MaxReplicas = 3 } }).Plan();
        Assert.Equal((3, "True TooManyReplicas"), (full.ScaleTo, Autoscaled.Condition(full, "ScalingLimited")));
        var idle = WithoutWindow(Autoscaled.Using(0, 0, 0));
        var few = (idle with { Spec = idle.Spec with { MinReplicas = 2 } }).Plan();
        Assert.Equal((2, "True TooFewReplicas"), (few.ScaleTo, Autoscaled.Condition(few, "ScalingLimited")));
    }

    [Fact]
    public void A_workload_of_no_copies_is_left_alone_unless_the_least_is_none()
    {
        var off = new Autoscaled { Scale = new ScaleView(0, 0, "app=web") };
        Assert.Null(off.Plan().ScaleTo);
        Assert.Equal("False ScalingDisabled", Autoscaled.Condition(off.Plan(), "ScalingActive"));

        var queue = off with { Spec = off.Spec with { MinReplicas = 0, Metrics = [Autoscaled.External(average: "10")] } };
        Assert.Equal(3, (queue with { Readings = [new MetricReading.OfAll(25_000)] }).Replicas);
        Assert.Equal(0, (queue with { Readings = [new MetricReading.OfAll(0)] }).Replicas);
        var one = WithoutWindow(queue with { Scale = new ScaleView(1, 1, "app=web"), Pods = [Autoscaled.Pod(0)] });
        Assert.Equal(0, (one with { Readings = [new MetricReading.OfAll(0)] }).Replicas);
    }

    [Fact]
    public void Metrics_of_objects_and_from_outside_follow_their_targets()
    {
        Autoscaled Queue(long value, MetricSpec metric) => new()
        {
            Spec = new Autoscaled().Spec with { Metrics = [metric] }, Scale = new ScaleView(2, 2, "app=web"), Pods = [Autoscaled.Pod(0), Autoscaled.Pod(1)], Readings = [new MetricReading.OfAll(value)],
        };
        Assert.Equal(4, Queue(20_000, Autoscaled.External(value: "10")).Replicas);
        Assert.Equal(2, Queue(10_500, Autoscaled.External(value: "10")).Replicas);
        Assert.Equal(3, Queue(30_000, Autoscaled.External(average: "10")).Replicas);
        Assert.Equal(2, Queue(21_000, Autoscaled.External(average: "10")).Replicas);
    }

    [Fact]
    public void A_container_is_measured_by_itself()
    {
        var workload = Autoscaled.Using(900);
        MetricSpec Of(string container) => new()
        {
            Type = "ContainerResource",
            ContainerResource = new ContainerResourceMetricSource { Name = "cpu", Container = container, Target = new MetricTarget { Type = "Utilization", AverageUtilization = 30 } },
        };
        var plan = (workload with { Spec = workload.Spec with { Metrics = [Of("main")] } }).Plan();
        Assert.Equal((3, "cpu container resource utilization (percentage of request) above target"), (plan.ScaleTo, plan.Reason));
    }

    [Fact]
    public void A_refused_change_is_none()
    {
        var busy = Autoscaled.Using(1000);
        var refused = AutoscalingPlanner.Refused(busy.Plan(), busy.Inputs, "exceeded quota", Autoscaled.Now);
        Assert.Null(refused.ScaleTo);
        Assert.Null(refused.Status.LastScaleTime);
        Assert.Equal("False FailedUpdateScale", Autoscaled.Condition(refused, "AbleToScale"));
        Assert.Empty(refused.History.Changes);
        Assert.Equal(["FailedRescale"], refused.Events.Select(told => told.Reason));
    }

    [Fact]
    public void A_condition_keeps_the_time_of_its_change()
    {
        var steady = Autoscaled.Using(500);
        var first = steady.Plan();
        var later = (steady with { Status = first.Status, History = first.History }).Plan(Autoscaled.Now + 15 * Second);
        Assert.All(later.Status.Conditions, condition => Assert.Equal(Autoscaled.Now, condition.LastTransitionTime));
        Assert.Equal(3, later.Status.ObservedGeneration);
    }

    private static Autoscaled WithoutWindow(Autoscaled workload) => workload with
    {
        Spec = workload.Spec with { Behavior = new HorizontalPodAutoscalerBehavior { ScaleDown = new HPAScalingRules { StabilizationWindowSeconds = 0 } } },
    };
}
