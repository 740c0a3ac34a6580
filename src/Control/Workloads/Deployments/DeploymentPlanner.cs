using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <param name="Steps">Changes to replica sets, in this order.</param>
/// <param name="Revision">The number to note on the Deployment; null: as it is.</param>
/// <param name="Status">After the steps.</param>
/// <param name="LookAgainIn">When the status changes by the clock alone: the progress deadline.</param>
public sealed record DeploymentPlan(ImmutableArray<RolloutStep> Steps, string? Revision, DeploymentStatus Status, TimeSpan? LookAgainIn);

/// <summary>What a Deployment needs done to its replica sets. Pure; one look, as Kubernetes' controller takes it.</summary>
public static class DeploymentPlanner
{
    /// <param name="sets">Those that the Deployment owns.</param>
    /// <param name="oldPodsRun">Whether a pod of an old set still lives: Recreate waits for it.</param>
    public static DeploymentPlan Plan(Deployment deployment, IReadOnlyList<ReplicaSet> sets, bool oldPodsRun, DateTimeOffset now)
    {
        var rollout = new Rollout(deployment, sets);
        var conditions = new ConditionSet(deployment.Status.Conditions, now);
        if (deployment.IsTerminating())
            return Done(rollout, conditions, progress: false, now);

        NotePause(deployment, conditions);
        if (deployment.Spec.Paused == true)
        {
            ReviseNew(rollout, conditions, create: false);
            Resize(rollout);
            CleanUp(rollout);
            return Done(rollout, conditions, progress: false, now);
        }

        if (IsResized(rollout))
        {
            ReviseNew(rollout, conditions, create: false);
            Resize(rollout);
            return Done(rollout, conditions, progress: false, now);
        }

        if (RolloutLimits.IsRecreate(deployment))
            Recreate(rollout, conditions, oldPodsRun);
        else
            Roll(rollout, conditions);

        if (!rollout.HasScaled && DeploymentStatusPlanner.IsComplete(deployment, DeploymentStatusPlanner.Count(rollout)))
            CleanUp(rollout);
        return Done(rollout, conditions, progress: true, now);
    }

    private static DeploymentPlan Done(Rollout rollout, ConditionSet conditions, bool progress, DateTimeOffset now)
    {
        var (status, lookAgainIn) = DeploymentStatusPlanner.Plan(rollout, conditions, progress, now);
        var revision = rollout.New?.Annotation(RevisionAnnotations.Revision);
        return new DeploymentPlan(
            rollout.Steps, revision == rollout.Deployment.Annotation(RevisionAnnotations.Revision) ? null : revision, status, lookAgainIn);
    }

    private static void NotePause(Deployment deployment, ConditionSet conditions)
    {
        var progressing = conditions.Find("Progressing");
        if (!DeploymentStatusPlanner.HasDeadline(deployment) || progressing?.Reason == Reasons.DeadlineExceeded)
            return;
        var noted = progressing?.Reason == Reasons.Paused;
        if (deployment.Spec.Paused == true && !noted)
            conditions.Set("Progressing", "Unknown", Reasons.Paused, "Deployment is paused");
        else if (deployment.Spec.Paused != true && noted)
            conditions.Set("Progressing", "Unknown", Reasons.Resumed, "Deployment is resumed");
    }

    // The set of the current template gets its number and the Deployment's annotations; it is created when asked for.
    private static void ReviseNew(Rollout rollout, ConditionSet conditions, bool create)
    {
        var deployment = rollout.Deployment;
        if (rollout.New is { } existing)
        {
            rollout.Update(existing with
            {
                Metadata = existing.Metadata with { Annotations = RevisionAnnotations.ForNewSet(deployment, existing.Metadata.Annotations, rollout.NextRevision) },
                Spec = existing.Spec with { MinReadySeconds = deployment.Spec.MinReadySeconds },
            });
            if (conditions.Find("Progressing") is null && DeploymentStatusPlanner.HasDeadline(deployment))
                conditions.Set("Progressing", "True", Reasons.FoundNewSet, $"Found new replica set \"{existing.Metadata.Name}\"");
            return;
        }

        if (!create)
            return;
        var set = NewSet(rollout);
        rollout.Create(set);
        if (DeploymentStatusPlanner.HasDeadline(deployment))
            conditions.Set("Progressing", "True", Reasons.NewSetCreated, $"Created new replica set \"{set.Metadata.Name}\"");
    }

    private static ReplicaSet NewSet(Rollout rollout)
    {
        var deployment = rollout.Deployment;
        var hash = TemplateHash.Of(deployment.Spec.Template, deployment.Status.CollisionCount);
        var template = TemplateHash.WithHash(deployment.Spec.Template, hash);
        var selector = deployment.Spec.Selector;
        return new ReplicaSet
        {
            Metadata = new ObjectMeta
            {
                Name = $"{deployment.Metadata.Name}-{hash}",
                Namespace = deployment.Metadata.Namespace,
                Labels = template.Metadata.Labels,
                Annotations = RevisionAnnotations.WithSizes(
                    RevisionAnnotations.ForNewSet(deployment, new Dictionary<string, string>(), rollout.NextRevision),
                    rollout.Limits.Desired, rollout.Limits.MaxTotal),
                OwnerReferences = [deployment.AsController()],
            },
            Spec = new ReplicaSetSpec
            {
                Replicas = RollingUpdate.NewSize(rollout, current: 0),
                MinReadySeconds = deployment.Spec.MinReadySeconds,
                Selector = selector with { MatchLabels = new Dictionary<string, string>(selector.MatchLabels) { [TemplateHash.Label] = hash } },
                Template = template,
            },
        };
    }

    // The Deployment's size is not the one that its sets were made for.
    private static bool IsResized(Rollout rollout) => rollout.Active.Any(set =>
        RevisionAnnotations.Number(set.Annotation(RevisionAnnotations.DesiredReplicas)) is { } desired && desired != rollout.Limits.Desired);

    private static void Resize(Rollout rollout)
    {
        // One set holds all pods, or none has any: it takes the whole change.
        var active = rollout.Active;
        if (active.Count <= 1)
        {
            if ((active.Count == 1 ? active[0] : rollout.New ?? rollout.Old.LastOrDefault()) is { } only)
            {
                rollout.Scale(only, rollout.Limits.Desired); // also when only the note of the wanted size is old
                return;
            }
        }

        if (rollout.New is { } current && RollingUpdate.IsSaturated(rollout, current))
        {
            foreach (var old in rollout.Old.Where(set => Rollout.Size(set) > 0))
                rollout.Scale(old, 0);
            return;
        }

        if (RolloutLimits.IsRecreate(rollout.Deployment))
            return;
        foreach (var (set, replicas) in ProportionalScaling.Plan(active, rollout.Limits, rollout.Deployment.Status.Replicas ?? 0))
            rollout.Scale(set, replicas);
    }

    private static void Roll(Rollout rollout, ConditionSet conditions)
    {
        ReviseNew(rollout, conditions, create: true);
        if (rollout.HasScaled)
            return;
        RollingUpdate.ScaleNew(rollout);
        if (!rollout.HasScaled)
            RollingUpdate.ScaleOld(rollout);
    }

    private static void Recreate(Rollout rollout, ConditionSet conditions, bool oldPodsRun)
    {
        ReviseNew(rollout, conditions, create: false);
        foreach (var old in rollout.Old.Where(set => Rollout.Size(set) > 0))
            rollout.Scale(old, 0);
        if (rollout.HasScaled || oldPodsRun)
            return;
        ReviseNew(rollout, conditions, create: true);
        if (rollout.New is { } current && Rollout.Size(current) != rollout.Limits.Desired)
            rollout.Scale(current, rollout.Limits.Desired);
    }

    // Old sets beyond the limit go, the lowest numbers first; none that has or is about to have pods.
    private static void CleanUp(Rollout rollout)
    {
        if ((rollout.Deployment.Spec.RevisionHistoryLimit ?? int.MaxValue) is var limit && limit == int.MaxValue)
            return;
        var kept = rollout.Old.Where(set => !set.IsTerminating()).OrderBy(RevisionAnnotations.RevisionOf).ToList();
        foreach (var set in kept.Take(Math.Max(0, kept.Count - limit)))
        {
            if (set.Status.Replicas == 0 && Rollout.Size(set) == 0 && set.Metadata.Generation <= (set.Status.ObservedGeneration ?? 0))
                rollout.Delete(set);
        }
    }
}
