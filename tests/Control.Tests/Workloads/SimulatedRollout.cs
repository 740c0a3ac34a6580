using Weft.Api.Apps;
using Weft.Control.Workloads;

namespace Weft.Control.Tests.Workloads;

/// <summary>
/// Replica sets and their pods as numbers, moved on in small steps in any order: what a planner meets between two of its looks. Checks the
/// promises of a rolling update after each step.
/// </summary>
internal sealed class SimulatedRollout(Deployment deployment)
{
    private readonly List<ReplicaSet> _sets = [];
    private int _clock;

    public Deployment Deployment { get; set; } = deployment;

    public DateTimeOffset Now => Make.Now.AddSeconds(_clock);

    public IReadOnlyList<ReplicaSet> Sets => _sets;

    /// <summary>Sizes of the sets with pods, oldest first, as `image=size`.</summary>
    public string Sizes => string.Join(' ', _sets.Where(set => set.Spec.Replicas > 0).Select(set => $"{set.Spec.Template!.Spec.Containers[0].Image}={set.Spec.Replicas}"));

    public int TotalWanted => _sets.Sum(set => set.Spec.Replicas ?? 1);

    public int Available => _sets.Sum(set => set.Status.AvailableReplicas ?? 0);

    /// <returns>Whether the plan had something to do.</returns>
    public bool Look()
    {
        _clock++;
        var plan = DeploymentPlanner.Plan(Deployment, _sets, oldPodsRun: OldPodsRun, Now);
        foreach (var step in plan.Steps)
        {
            switch (step)
            {
                case RolloutStep.Create create:
                    _sets.Add(create.Set with
                    {
                        Metadata = create.Set.Metadata with { Uid = create.Set.Metadata.Name, Generation = 1, CreationTimestamp = Now },
                    });
                    break;
                case RolloutStep.Update update:
                    Replace(update.New with { Metadata = update.New.Metadata with { Generation = update.New.Metadata.Generation + 1 } });
                    break;
                case RolloutStep.Delete delete:
                    _sets.RemoveAll(set => set.Metadata.Name == delete.Set.Metadata.Name);
                    break;
                default:
                    throw new InvalidOperationException($"{step}");
            }
        }

        var changed = plan.Steps.Length > 0 || plan.Revision is not null || !Weft.Control.Runtime.ObjectFacts.SameAs(plan.Status, Deployment.Status);
        var annotations = new Dictionary<string, string>(Deployment.Metadata.Annotations);
        if (plan.Revision is not null)
            annotations["deployment.kubernetes.io/revision"] = plan.Revision;
        Deployment = Deployment with { Status = plan.Status, Metadata = Deployment.Metadata with { Annotations = annotations } };
        return changed;
    }

    /// <summary>One set's controller looks: pods come and go, each by one.</summary>
    public bool MovePods(int which, bool healthy = true)
    {
        if (_sets.Count == 0)
            return false;
        var set = _sets[which % _sets.Count];
        var wanted = set.Spec.Replicas ?? 1;
        var (replicas, ready) = (set.Status.Replicas, set.Status.AvailableReplicas ?? 0);
        if (replicas > wanted)
            (replicas, ready) = (replicas - 1, Math.Min(ready, replicas - 1));
        else if (replicas < wanted)
            replicas++;
        else if (ready < replicas && healthy)
            ready++;
        else if (set.Status.ObservedGeneration == set.Metadata.Generation)
            return false;
        Replace(set with
        {
            Status = new ReplicaSetStatus
            {
                Replicas = replicas, ReadyReplicas = ready, AvailableReplicas = ready, ObservedGeneration = set.Metadata.Generation,
            },
        });
        return true;
    }

    /// <summary>Alternates looks and pod movements until nothing moves any more.</summary>
    public void Settle(Action? check = null)
    {
        for (var round = 0; round < 1000; round++)
        {
            var moved = Look();
            check?.Invoke();
            for (var i = 0; i < _sets.Count; i++)
            {
                while (MovePods(i))
                {
                    moved = true;
                    check?.Invoke();
                }
            }

            if (!moved)
                return;
        }

        throw new InvalidOperationException($"Does not settle: {Sizes}");
    }

    private bool OldPodsRun => _sets.Any(set => !set.Spec.Template.IsMadeOf(Deployment.Spec.Template) && set.Status.Replicas > 0);

    private void Replace(ReplicaSet set) => _sets[_sets.FindIndex(old => old.Metadata.Name == set.Metadata.Name)] = set;
}
