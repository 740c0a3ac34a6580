using Weft.Api;
using Weft.Api.Autoscaling;
using Weft.Api.Selectors;
using Weft.Control.Runtime;
using Weft.Control.Workloads;

namespace Weft.Control.Tests.Workloads.Autoscaling;

public sealed class AutoscaledPodsTests
{
    private static readonly Autoscaled Busy = Autoscaled.Using(2000, 2000);

    [Theory]
    [InlineData(2, 10)]
    // Bounds that would move it at once: the other's may be what moved it here.
    [InlineData(5, 10)]
    [InlineData(1, 1)]
    public void Pods_that_several_autoscalers_count_are_not_scaled(int min, int max)
    {
        var workload = Busy with { Spec = Busy.Spec with { MinReplicas = min, MaxReplicas = max } };
        Assert.NotNull(workload.Plan().ScaleTo);

        var plan = AutoscalingPlanner.Plan(workload.Inputs with { Others = ["again"] }, Autoscaled.Now);
        Assert.Null(plan.ScaleTo);
        Assert.Equal("False AmbiguousSelector", Autoscaled.Condition(plan, "ScalingActive"));
        Assert.Equal("True SucceededGetScale", Autoscaled.Condition(plan, "AbleToScale"));
        const string Why = "pods by selector app=web are controlled by multiple HPAs: [default/again default/web]";
        Assert.Contains(new AutoscalerEvent(true, "AmbiguousSelector", Why), plan.Events);
        Assert.Equal(Why, plan.Status.Conditions.Single(condition => condition.Type == "ScalingActive").Message);
        // And again when it is alone.
        Assert.Equal("True ValidMetricFound", Autoscaled.Condition((Busy with { Status = plan.Status }).Plan(), "ScalingActive"));
    }

    [Fact]
    public void Two_autoscalers_of_one_workload_find_each_other()
    {
        var (web, again) = (Named("web"), Named("again"));
        var counted = new AutoscaledPods();
        counted.Remember(web, LabelQuery.Parse("app=web"));
        Assert.Empty(counted.Others(web, Busy.Pods, [web, again]));

        counted.Remember(again, LabelQuery.Parse("app=web"));
        Assert.Equal(["again"], counted.Others(web, Pods("app", "web"), [web, again]));
        Assert.Equal(["web"], counted.Others(again, Pods("app", "web"), [web, again]));
        Assert.Empty(counted.Others(web, [], [web, again]));
    }

    [Fact]
    public void A_selector_that_chooses_other_pods_is_no_matter()
    {
        var (web, other) = (Named("web"), Named("other"));
        var counted = new AutoscaledPods();
        counted.Remember(other, LabelQuery.Parse("app=other"));
        Assert.Empty(counted.Others(web, Pods("app", "web"), [web, other]));
        Assert.Equal(["other"], counted.Others(web, [.. Pods("app", "web"), .. Pods("app", "other")], [web, other]));
    }

    [Fact]
    public void What_another_counted_before_is_no_matter()
    {
        var (web, other) = (Named("web"), Named("other"));
        var counted = new AutoscaledPods();
        counted.Remember(other, LabelQuery.Parse("app=web"));
        // Gone, on its way out, or for another workload by now.
        Assert.Empty(counted.Others(web, Pods("app", "web"), [web]));
        Assert.Empty(counted.Others(web, Pods("app", "web"), [web, other with { Metadata = other.Metadata with { DeletionTimestamp = Autoscaled.Now } }]));
        Assert.Empty(counted.Others(web, Pods("app", "web"), [web, other with { Spec = other.Spec with { ScaleTargetRef = other.Spec.ScaleTargetRef with { Name = "elsewhere" } } }]));
        Assert.Equal(["other"], counted.Others(web, Pods("app", "web"), [web, other]));
        counted.Forget(other.Key());
        Assert.Empty(counted.Others(web, Pods("app", "web"), [web, other]));
    }

    private static HorizontalPodAutoscaler Named(string name) => Busy.Autoscaler with { Metadata = new ObjectMeta { Name = name, Namespace = "default" } };

    private static IReadOnlyList<Weft.Api.Core.Pod> Pods(string key, string value)
        => [.. Busy.Pods.Select(pod => pod with { Metadata = pod.Metadata with { Labels = new Dictionary<string, string> { [key] = value } } })];
}
