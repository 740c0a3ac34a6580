using Weft.Api;
using Weft.Control.Lifecycle;

namespace Weft.Control.Tests.Lifecycle;

public class NamespaceConditionsPlannerTests
{
    private static readonly GroupVersionResource Pods = new("", "v1", "pods");
    private static readonly GroupVersionResource Widgets = new("example.com", "v1", "widgets");

    [Fact]
    public void Says_what_remains_and_which_finalizers_hold_it()
    {
        var content = new NamespaceContent(
            [
                new RemainingContent(Widgets, 3, new Dictionary<string, int> { ["example.com/a"] = 2, ["z"] = 1 }),
                new RemainingContent(Pods, 1, new Dictionary<string, int> { ["z"] = 1 }),
            ],
            ["/apis/broken/v1"], ["secrets: forbidden"]);
        var said = NamespaceConditionsPlanner.Plan([], content, Make.Now).ToDictionary(condition => condition.Type);

        Assert.Equal("Some resources are remaining: pods. has 1 resource instances, widgets.example.com has 3 resource instances", said["NamespaceContentRemaining"].Message);
        Assert.Equal("Some content in the namespace has finalizers remaining: example.com/a in 2 resource instances, z in 2 resource instances", said["NamespaceFinalizersRemaining"].Message);
        Assert.Equal("True", said["NamespaceDeletionDiscoveryFailure"].Status);
        Assert.Contains("secrets: forbidden", said["NamespaceDeletionContentFailure"].Message);
    }

    [Fact]
    public void What_is_over_is_taken_back_and_a_time_changes_only_with_its_status()
    {
        var blocked = new NamespaceContent([new RemainingContent(Pods, 1, new Dictionary<string, int>())], [], []);
        var first = NamespaceConditionsPlanner.Plan([], blocked, Make.Now);
        var second = NamespaceConditionsPlanner.Plan(first, blocked with { Remaining = [new RemainingContent(Pods, 2, new Dictionary<string, int>())] }, Make.Now.AddHours(1));
        var remaining = second.Single(condition => condition.Type == "NamespaceContentRemaining");
        Assert.Equal(Make.Now, remaining.LastTransitionTime);
        Assert.Contains("2 resource instances", remaining.Message);

        var third = NamespaceConditionsPlanner.Plan(second, new NamespaceContent([], [], []), Make.Now.AddHours(2));
        Assert.All(third, condition => Assert.Equal("False", condition.Status));
    }
}
