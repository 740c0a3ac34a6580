using Weft.Api.Apps;
using Weft.Control.Runtime;
using Weft.Control.Workloads;

namespace Weft.Control.Tests.Workloads;

public class ReplicaSetStatusPlannerTests
{
    [Fact]
    public void Counts_pods_and_says_when_the_next_becomes_available()
    {
        var set = Make.ReplicaSet(5, minReady: 30);
        var (status, changesIn) = ReplicaSetStatusPlanner.Plan(
            set,
            [
                Make.Pod("available"), Make.Pod("soon", readyFor: TimeSpan.FromSeconds(20)), Make.Pod("later", readyFor: TimeSpan.FromSeconds(5)),
                Make.Pod("unready", ready: false), Make.Pod("leaving", terminating: true), Make.Pod("failed", phase: "Failed"),
            ],
            failure: null, Make.Now);

        Assert.Equal((4, 3, 1, 1), (status.Replicas, status.ReadyReplicas, status.AvailableReplicas, status.TerminatingReplicas));
        Assert.Equal(4, status.FullyLabeledReplicas);
        Assert.Equal(1, status.ObservedGeneration);
        Assert.Equal(TimeSpan.FromSeconds(10), changesIn);
    }

    [Fact]
    public void A_set_without_pods_says_zero_and_leaves_the_rest_out()
    {
        var (status, changesIn) = ReplicaSetStatusPlanner.Plan(Make.ReplicaSet(), [], failure: null, Make.Now);
        Assert.True(status.SameAs(new ReplicaSetStatus { Replicas = 0, ObservedGeneration = 1 }));
        Assert.Null(changesIn);
    }

    [Fact]
    public void A_failure_is_said_once_and_taken_back()
    {
        var set = Make.ReplicaSet();
        var failed = ReplicaSetStatusPlanner.Plan(set, [], new ReplicaFailure("FailedCreate", "quota: pod web-1"), Make.Now).Status;
        Assert.Equal("FailedCreate", Assert.Single(failed.Conditions).Reason);

        set = set with { Status = failed };
        var again = ReplicaSetStatusPlanner.Plan(set, [], new ReplicaFailure("FailedCreate", "quota: pod web-2"), Make.Now.AddMinutes(1)).Status;
        Assert.True(failed.SameAs(again));
        Assert.Empty(ReplicaSetStatusPlanner.Plan(set, [], failure: null, Make.Now).Status.Conditions);
    }
}
