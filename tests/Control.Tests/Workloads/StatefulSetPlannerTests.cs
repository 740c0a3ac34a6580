using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Control.Runtime;
using Weft.Control.Workloads;
using Weft.Testing;

namespace Weft.Control.Tests.Workloads;

public sealed class StatefulSetPlannerTests
{
    private static readonly TemplateRevision Old = new("db-old", Make.Template("db:1"));
    private static readonly TemplateRevision New = new("db-new", Make.Template("db:2"));

    private static StatefulSet Set(int replicas, string policy = "OrderedReady", int partition = 0, string strategy = "RollingUpdate", IntOrString? missing = null, int start = 0) => new()
    {
        Metadata = new ObjectMeta { Name = "db", Namespace = "default", Uid = "uid-db", Generation = 3 },
        Spec = new StatefulSetSpec
        {
            Replicas = replicas, Selector = Make.Select(), Template = New.Template, ServiceName = "db", PodManagementPolicy = policy, Ordinals = new StatefulSetOrdinals { Start = start },
            UpdateStrategy = new StatefulSetUpdateStrategy
            {
                Type = strategy, RollingUpdate = strategy == "OnDelete" ? null : new RollingUpdateStatefulSetStrategy { Partition = partition, MaxUnavailable = missing },
            },
            VolumeClaimTemplates = [new PersistentVolumeClaim { Metadata = new ObjectMeta { Name = "data" } }],
        },
    };

    private static Pod Pod(StatefulSet set, int ordinal, TemplateRevision revision, bool ready = true, bool terminating = false, string phase = "Running")
    {
        var pod = StatefulPods.New(set, ordinal, revision.Template, revision.Name);
        return pod with
        {
            Metadata = pod.Metadata with { Uid = $"uid-{ordinal}-{revision.Name}", DeletionTimestamp = terminating ? Make.Now : null },
            Status = new PodStatus { Phase = phase, Conditions = [new PodCondition { Type = "Ready", Status = ready ? "True" : "False", LastTransitionTime = Make.Now.AddHours(-1) }] },
        };
    }

    private static string[] Steps(StatefulSet set, params Pod[] pods) =>
        [.. StatefulSetPlanner.Plan(set, pods, Old, New, Make.Now).Steps.Select(step => step switch
        {
            StatefulStep.Create create => $"+{create.Ordinal}@{StatefulPods.RevisionOf(create.Pod)}",
            StatefulStep.Delete delete => $"-{StatefulPods.OrdinalOf(set, delete.Pod.Metadata.Name)}",
            _ => "?",
        })];

    [Fact]
    public void An_ordered_set_makes_one_pod_after_the_other_and_takes_them_away_from_the_end()
    {
        var set = Set(3);
        Assert.Equal(["+0@db-new"], Steps(set));
        Assert.Empty(Steps(set, Pod(set, 0, New, ready: false)));
        Assert.Equal(["+1@db-new"], Steps(set, Pod(set, 0, New)));
        Assert.Equal(["-2"], Steps(Set(1), Pod(set, 0, New), Pod(set, 1, New), Pod(set, 2, New)));
        Assert.Empty(Steps(Set(1), Pod(set, 0, New), Pod(set, 1, New), Pod(set, 2, New, terminating: true)));
    }

    [Fact]
    public void A_parallel_set_does_not_wait()
    {
        Assert.Equal(["+0@db-new", "+1@db-new", "+2@db-new"], Steps(Set(3, "Parallel")));
        var set = Set(3);
        Assert.Equal(["-2", "-1"], Steps(Set(1, "Parallel"), Pod(set, 0, New), Pod(set, 1, New), Pod(set, 2, New)));
    }

    [Fact]
    public void An_update_goes_downwards_as_far_as_the_partition()
    {
        var set = Set(3, partition: 1);
        Assert.Equal(["-2"], Steps(set, Pod(set, 0, Old), Pod(set, 1, Old), Pod(set, 2, Old)));
        Assert.Empty(Steps(set, Pod(set, 0, Old), Pod(set, 1, Old), Pod(set, 2, New, ready: false)));
        Assert.Equal(["-1"], Steps(set, Pod(set, 0, Old), Pod(set, 1, Old), Pod(set, 2, New)));
        Assert.Empty(Steps(set, Pod(set, 0, Old), Pod(set, 1, New), Pod(set, 2, New)));
        Assert.Equal(["+0@db-old"], Steps(set, Pod(set, 1, New), Pod(set, 2, New)));
        Assert.Empty(Steps(Set(3, strategy: "OnDelete"), Pod(set, 0, Old), Pod(set, 1, Old), Pod(set, 2, Old)));
        Assert.Equal(["-2", "-1"], Steps(Set(3, missing: 2), Pod(set, 0, Old), Pod(set, 1, Old), Pod(set, 2, Old)));
    }

    [Fact]
    public void A_pod_that_ended_is_made_anew_and_a_pod_has_its_name_and_claims()
    {
        var set = Set(2, start: 5);
        Assert.Equal(["-5"], Steps(set, Pod(set, 5, New, phase: "Failed")));
        var pod = StatefulPods.New(set, 5, New.Template, New.Name);
        Assert.Equal(("db-5", "db-5", "db"), (pod.Metadata.Name, pod.Spec.Hostname, pod.Spec.Subdomain));
        Assert.Equal("data-db-5", pod.Spec.Volumes.Single().PersistentVolumeClaim!.ClaimName);
        Assert.Equal(-1, StatefulPods.OrdinalOf(set, "db-05"));
    }

    [Fact]
    public void Carrying_out_plans_ends_with_all_pods_of_the_new_template_and_never_takes_more_than_one()
    {
        var random = Seeded.Random(11);
        for (var round = 0; round < 100; round++)
        {
            var set = Set(random.Next(0, 6), random.Next(2) == 0 ? "Parallel" : "OrderedReady");
            var pods = Enumerable.Range(0, 7).Where(_ => random.Next(2) == 0).Select(i => Pod(set, i, random.Next(2) == 0 ? Old : New, random.Next(4) > 0)).ToList();
            for (var step = 0; ; step++)
            {
                Assert.True(step < 100, "the plan does not come to an end");
                // The node does its part: what was made becomes ready.
                var all = pods.Select(pod => pod with { Status = pod.Status with { Conditions = [new PodCondition { Type = "Ready", Status = "True", LastTransitionTime = Make.Now.AddHours(-1) }] } }).ToList();
                var plan = StatefulSetPlanner.Plan(set, all, Old, New, Make.Now);
                pods = all;
                if (plan.Steps.Length == 0)
                    break;
                if (set.Spec.PodManagementPolicy == "OrderedReady")
                    Assert.Single(plan.Steps);
                foreach (var one in plan.Steps)
                {
                    if (one is StatefulStep.Create create)
                        pods.Add(Pod(set, create.Ordinal, StatefulPods.RevisionOf(create.Pod) == New.Name ? New : Old));
                    else if (one is StatefulStep.Delete delete)
                        pods.Remove(delete.Pod);
                }
            }

            Assert.Equal(Enumerable.Range(0, set.Spec.Replicas!.Value), pods.Select(pod => StatefulPods.OrdinalOf(set, pod.Metadata.Name)).Order());
            Assert.All(pods, pod => Assert.Equal(New.Name, StatefulPods.RevisionOf(pod)));
            Assert.Equal(New.Name, StatefulSetPlanner.Plan(set, pods, Old, New, Make.Now).Status.CurrentRevision);
        }
    }

    [Fact]
    public void A_history_numbers_a_template_that_comes_back()
    {
        var set = Set(1);
        var first = RevisionPlanner.Plan(set, Old.Template, [], null);
        Assert.Equal((RevisionWrite.Create, 1L), (first.Write, first.Update.Revision));
        var second = RevisionPlanner.Plan(set, New.Template, [first.Update], null);
        Assert.Equal((RevisionWrite.Create, 2L), (second.Write, second.Update.Revision));
        Assert.Equal(RevisionWrite.None, RevisionPlanner.Plan(set, New.Template, [first.Update, second.Update], null).Write);
        var back = RevisionPlanner.Plan(set, Old.Template, [first.Update, second.Update], null);
        Assert.Equal((RevisionWrite.Renumber, 3L, first.Update.Metadata.Name), (back.Write, back.Update.Revision, back.Update.Metadata.Name));
        Assert.True(RevisionPlanner.TemplateOf(first.Update)!.SameAs(Old.Template));
    }
}
