using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Tests.Runtime;

public class OwnershipTests
{
    private static Pod Labelled(Pod pod, string app) => pod with { Metadata = pod.Metadata with { Labels = new Dictionary<string, string> { ["app"] = app } } };

    [Fact]
    public void Keeps_what_fits_adopts_orphans_releases_what_no_longer_fits_and_leaves_others_alone()
    {
        var set = Make.ReplicaSet();
        var other = Make.ReplicaSet(name: "other");
        var claim = Ownership.Decide(set, Make.Select().Query()!,
        [
            Make.Pod("own", owner: set), Make.Pod("orphan"), Labelled(Make.Pod("lost", owner: set), "debug"),
            Labelled(Make.Pod("stranger"), "x"), Make.Pod("others", owner: other), Make.Pod("leaving", terminating: true),
        ]);
        Assert.Equal(["own"], claim.Owned.Select(pod => pod.Metadata.Name));
        Assert.Equal(["orphan"], claim.Adopt.Select(pod => pod.Metadata.Name));
        Assert.Equal(["lost"], claim.Release.Select(pod => pod.Metadata.Name));
    }

    [Fact]
    public void An_owner_that_goes_away_takes_nothing_and_lets_nothing_go()
    {
        var set = Make.ReplicaSet();
        set = set with { Metadata = set.Metadata with { DeletionTimestamp = Make.Now } };
        var claim = Ownership.Decide(set, Make.Select().Query()!, [Make.Pod("own", owner: set), Make.Pod("orphan"), Labelled(Make.Pod("odd", owner: set), "x")]);
        Assert.True(claim.IsSettled);
        Assert.Equal(["own", "odd"], claim.Owned.Select(pod => pod.Metadata.Name));
    }

    [Fact]
    public void A_selector_that_cannot_be_read_is_none()
    {
        Assert.Null(new LabelSelector { MatchExpressions = [new LabelSelectorRequirement { Key = "a", Operator = "Sometimes" }] }.Query());
        Assert.True(new LabelSelector().Query()!.IsEverything);
    }
}
