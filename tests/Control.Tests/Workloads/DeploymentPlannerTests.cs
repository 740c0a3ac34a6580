using FsCheck;
using FsCheck.Fluent;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Control.Workloads;

namespace Weft.Control.Tests.Workloads;

public class DeploymentPlannerTests
{
    private static Deployment WithImage(Deployment deployment, string image) => deployment with
    {
        Metadata = deployment.Metadata with { Generation = deployment.Metadata.Generation + 1 },
        Spec = deployment.Spec with { Template = Make.Template(image) },
    };

    private static Deployment WithSize(Deployment deployment, int size) => deployment with
    {
        Metadata = deployment.Metadata with { Generation = deployment.Metadata.Generation + 1 },
        Spec = deployment.Spec with { Replicas = size },
    };

    private static Deployment Paused(Deployment deployment, bool paused) => deployment with
    {
        Metadata = deployment.Metadata with { Generation = deployment.Metadata.Generation + 1 },
        Spec = deployment.Spec with { Paused = paused },
    };

    private static string? Reason(SimulatedRollout rollout, string type) =>
        rollout.Deployment.Status.Conditions.FirstOrDefault(condition => condition.Type == type)?.Reason;

    [Fact]
    public void The_first_look_makes_a_set_with_hash_owner_selector_revision_and_sizes()
    {
        var deployment = Make.Deployment();
        deployment = deployment with
        {
            Metadata = deployment.Metadata with
            {
                Annotations = new Dictionary<string, string> { ["kubernetes.io/change-cause"] = "first", ["kubectl.kubernetes.io/last-applied-configuration"] = "{}" },
            },
        };
        var plan = DeploymentPlanner.Plan(deployment, [], oldPodsRun: false, Make.Now);

        var set = Assert.IsType<RolloutStep.Create>(Assert.Single(plan.Steps)).Set;
        var hash = set.Metadata.Labels["pod-template-hash"];
        Assert.Matches("^[bcdfghjklmnpqrstvwxz2456789]{5,10}$", hash);
        Assert.Equal("shop-" + hash, set.Metadata.Name);
        Assert.Equal(hash, set.Spec.Selector.MatchLabels["pod-template-hash"]);
        Assert.Equal(hash, set.Spec.Template!.Metadata.Labels["pod-template-hash"]);
        Assert.Equal("shop", set.Spec.Selector.MatchLabels["app"]);
        Assert.Equal(3, set.Spec.Replicas);
        Assert.Equal(new OwnerReference { ApiVersion = "apps/v1", Kind = "Deployment", Name = "shop", Uid = "uid-shop", Controller = true, BlockOwnerDeletion = true }, set.Metadata.OwnerReferences[0]);
        Assert.Equal(
            ["deployment.kubernetes.io/desired-replicas=3", "deployment.kubernetes.io/max-replicas=4", "deployment.kubernetes.io/revision=1", "kubernetes.io/change-cause=first"],
            set.Metadata.Annotations.Select(annotation => $"{annotation.Key}={annotation.Value}").Order());
        Assert.Equal("1", plan.Revision);
        Assert.Equal(3, plan.Status.UnavailableReplicas);
        Assert.Equal(TimeSpan.FromSeconds(601), plan.LookAgainIn);
    }

    [Fact]
    public void A_rollout_keeps_its_promises_and_ends_complete()
    {
        var rollout = new SimulatedRollout(Make.Deployment(4, surge: 1, unavailable: 1));
        rollout.Settle();
        Assert.Equal("shop:1=4", rollout.Sizes);
        Assert.Equal("NewReplicaSetAvailable", Reason(rollout, "Progressing"));
        Assert.Equal("MinimumReplicasAvailable", Reason(rollout, "Available"));

        rollout.Deployment = WithImage(rollout.Deployment, "shop:2");
        rollout.Look();
        Assert.Equal("shop:1=4 shop:2=1", rollout.Sizes);
        Assert.Equal("NewReplicaSetCreated", Reason(rollout, "Progressing"));
        rollout.Look();
        Assert.Equal("shop:1=3 shop:2=1", rollout.Sizes); // the surge is used up; one may be unavailable
        rollout.Settle();
        Assert.Equal("shop:2=4", rollout.Sizes);
        Assert.Equal("2", rollout.Deployment.Metadata.Annotations["deployment.kubernetes.io/revision"]);
        Assert.Equal((4, 4, 4, 4), (rollout.Deployment.Status.Replicas, rollout.Deployment.Status.UpdatedReplicas, rollout.Deployment.Status.ReadyReplicas, rollout.Deployment.Status.AvailableReplicas));
        Assert.Null(rollout.Deployment.Status.UnavailableReplicas);
    }

    [Fact]
    public void An_undo_finds_the_old_set_and_gives_it_the_next_number()
    {
        var rollout = new SimulatedRollout(Make.Deployment());
        rollout.Settle();
        rollout.Deployment = WithImage(rollout.Deployment, "shop:2");
        rollout.Settle();
        rollout.Deployment = WithImage(rollout.Deployment, "shop:1");
        rollout.Settle();

        Assert.Equal(2, rollout.Sets.Count);
        var first = rollout.Sets[0];
        Assert.Equal("shop:1=3", rollout.Sizes);
        Assert.Equal("3", first.Metadata.Annotations["deployment.kubernetes.io/revision"]);
        Assert.Equal("1", first.Metadata.Annotations["deployment.kubernetes.io/revision-history"]);
        Assert.Equal("3", rollout.Deployment.Metadata.Annotations["deployment.kubernetes.io/revision"]);
    }

    [Fact]
    public void A_broken_version_stops_after_the_surge_and_is_told_by_the_deadline()
    {
        var rollout = new SimulatedRollout(Make.Deployment(4, surge: 1, unavailable: 0));
        rollout.Settle();
        rollout.Deployment = WithImage(rollout.Deployment, "shop:broken");
        for (var i = 0; i < 20; i++)
        {
            rollout.Look();
            rollout.MovePods(1, healthy: false);
            Assert.Equal(4, rollout.Available);
        }

        Assert.Equal("shop:1=4 shop:broken=1", rollout.Sizes);
        var plan = DeploymentPlanner.Plan(rollout.Deployment, rollout.Sets, oldPodsRun: true, rollout.Now.AddSeconds(700));
        var progressing = plan.Status.Conditions.Single(condition => condition.Type == "Progressing");
        Assert.Equal(("False", "ProgressDeadlineExceeded"), (progressing.Status, progressing.Reason));
        Assert.Null(plan.LookAgainIn);

        rollout.Deployment = WithImage(rollout.Deployment, "shop:1");
        rollout.Settle();
        Assert.Equal("shop:1=4", rollout.Sizes);
    }

    [Fact]
    public void Recreate_waits_for_the_last_old_pod()
    {
        var deployment = Make.Deployment(2);
        deployment = deployment with { Spec = deployment.Spec with { Strategy = new DeploymentStrategy { Type = "Recreate" } } };
        var rollout = new SimulatedRollout(deployment);
        rollout.Settle();
        rollout.Deployment = WithImage(rollout.Deployment, "shop:2");
        rollout.Look();
        Assert.Equal("", rollout.Sizes);
        rollout.Look();
        Assert.Single(rollout.Sets); // two old pods run
        rollout.MovePods(0);
        rollout.Look();
        Assert.Single(rollout.Sets); // one
        rollout.MovePods(0);
        rollout.Look();
        Assert.Equal("shop:2=2", rollout.Sizes);
        rollout.Settle();
        Assert.Equal("NewReplicaSetAvailable", Reason(rollout, "Progressing"));
    }

    [Fact]
    public void Paused_changes_its_size_but_not_its_template_until_resumed()
    {
        var rollout = new SimulatedRollout(Make.Deployment());
        rollout.Settle();
        rollout.Deployment = WithSize(WithImage(Paused(rollout.Deployment, true), "shop:2"), 5);
        rollout.Settle();
        Assert.Equal("shop:1=5", rollout.Sizes);
        Assert.Equal("DeploymentPaused", Reason(rollout, "Progressing"));

        rollout.Deployment = Paused(rollout.Deployment, false);
        rollout.Look();
        Assert.Equal("NewReplicaSetCreated", Reason(rollout, "Progressing"));
        rollout.Settle();
        Assert.Equal("shop:2=5", rollout.Sizes);
    }

    [Fact]
    public void A_change_of_size_in_the_middle_of_a_rollout_is_shared_out()
    {
        var rollout = new SimulatedRollout(Make.Deployment(10, surge: 3, unavailable: 2));
        rollout.Settle();
        rollout.Deployment = WithImage(rollout.Deployment, "shop:broken");
        for (var i = 0; i < 30; i++)
        {
            rollout.Look();
            rollout.MovePods(0);
            rollout.MovePods(1, healthy: false);
        }

        // The example of Kubernetes' documentation: 8 + 5, and 3 and 2 more of the 5 that are added.
        Assert.Equal("shop:1=8 shop:broken=5", rollout.Sizes);
        rollout.Deployment = WithSize(rollout.Deployment, 15);
        rollout.Look();
        Assert.Equal("shop:1=11 shop:broken=7", rollout.Sizes);
        rollout.Look();
        Assert.Equal("shop:1=11 shop:broken=7", rollout.Sizes);
    }

    [Fact]
    public void Old_sets_beyond_the_limit_go_and_the_newest_stay()
    {
        var deployment = Make.Deployment(1);
        var rollout = new SimulatedRollout(deployment with { Spec = deployment.Spec with { RevisionHistoryLimit = 2 } });
        for (var version = 1; version <= 6; version++)
        {
            rollout.Deployment = WithImage(rollout.Deployment, $"shop:{version}");
            rollout.Settle();
        }

        Assert.Equal(["4", "5", "6"], rollout.Sets.Select(set => set.Metadata.Annotations["deployment.kubernetes.io/revision"]));
    }

    [Fact]
    public void A_deployment_that_goes_away_is_left_to_the_garbage_collector()
    {
        var deployment = Make.Deployment();
        var plan = DeploymentPlanner.Plan(deployment with { Metadata = deployment.Metadata with { DeletionTimestamp = Make.Now } }, [], oldPodsRun: false, Make.Now);
        Assert.Empty(plan.Steps);
        Assert.Equal(1, plan.Status.ObservedGeneration);
    }

    [Fact]
    public void A_failure_of_a_set_is_the_deployments_failure()
    {
        var rollout = new SimulatedRollout(Make.Deployment(1));
        rollout.Settle();
        var failing = rollout.Sets[0] with
        {
            Status = new ReplicaSetStatus { Conditions = [new ReplicaSetCondition { Type = "ReplicaFailure", Status = "True", Reason = "FailedCreate", Message = "exceeded quota" }] },
        };
        var plan = DeploymentPlanner.Plan(rollout.Deployment, [failing], oldPodsRun: false, Make.Now);
        Assert.Equal("exceeded quota", plan.Status.Conditions.Single(condition => condition.Type == "ReplicaFailure").Message);
    }

    [Fact]
    public void The_same_template_hashes_alike_whoever_orders_its_labels_and_a_collision_changes_the_hash()
    {
        var one = Make.Template() with { Metadata = new ObjectMeta { Labels = new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" } } };
        var other = Make.Template() with { Metadata = new ObjectMeta { Labels = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" } } };
        Assert.Equal(TemplateHash.Of(one, null), TemplateHash.Of(other, null));
        Assert.True(TemplateHash.WithHash(one, "x").IsMadeOf(other));
        Assert.NotEqual(TemplateHash.Of(one, null), TemplateHash.Of(one, 1));
        Assert.NotEqual(TemplateHash.Of(one, null), TemplateHash.Of(Make.Template("shop:2"), null));
    }

    /// <summary>Any sizes and limits, changes of template and size at any moment, pods that move in any order.</summary>
    [Fact]
    public void However_it_is_disturbed_a_rollout_never_exceeds_its_limits_and_settles() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<byte>().ListOf().ToArbitrary(), ArbMap.Default.GeneratorFor<byte>().Three().ToArbitrary(),
        (script, settings) =>
        {
            var size = settings.Item1 % 9;
            var rollout = new SimulatedRollout(Make.Deployment(size, surge: settings.Item2 % 4, unavailable: $"{settings.Item3 % 101}%"));
            rollout.Settle();
            var floor = RolloutLimits.Of(rollout.Deployment).MinAvailable;
            var ceiling = RolloutLimits.Of(rollout.Deployment).MaxTotal;
            var version = 1;
            foreach (var action in script)
            {
                switch (action % 8)
                {
                    case 0:
                        rollout.Deployment = WithImage(rollout.Deployment, $"shop:{++version % 4}");
                        break;
                    case 1 or 2 or 3:
                        rollout.Look();
                        break;
                    default:
                        rollout.MovePods(action / 8);
                        break;
                }

                Assert.True(rollout.TotalWanted <= ceiling, $"{rollout.Sizes} exceeds {ceiling}");
                Assert.True(rollout.Available >= floor, $"{rollout.Available} available of {floor}");
            }

            rollout.Settle(() => Assert.True(rollout.Available >= floor, $"{rollout.Available} available of {floor}"));
            Assert.Equal(size, rollout.Available);
            Assert.Equal(size, rollout.TotalWanted);
            Assert.False(rollout.Look());
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void However_its_size_changes_meanwhile_it_settles_at_the_last_size() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<byte>().ListOf().ToArbitrary(),
        script =>
        {
            var rollout = new SimulatedRollout(Make.Deployment(4));
            foreach (var action in script)
            {
                rollout.Deployment = (action % 4) switch
                {
                    0 => WithImage(rollout.Deployment, $"shop:{action / 4 % 3}"),
                    1 => WithSize(rollout.Deployment, action / 4 % 11),
                    _ => rollout.Deployment,
                };
                if (action % 4 == 2)
                    rollout.Look();
                else
                    rollout.MovePods(action / 4);
            }

            rollout.Settle();
            Assert.Equal(rollout.Deployment.Spec.Replicas, rollout.Available);
            Assert.Equal(rollout.Deployment.Spec.Replicas, rollout.Deployment.Status.UpdatedReplicas ?? 0);
        }).QuickCheckThrowOnFailure();
}
