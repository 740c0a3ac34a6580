using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>One change to a replica set.</summary>
public abstract record RolloutStep
{
    public sealed record Create(ReplicaSet Set) : RolloutStep;

    /// <summary>New size, annotations or minReadySeconds.</summary>
    public sealed record Update(ReplicaSet Old, ReplicaSet New) : RolloutStep;

    public sealed record Delete(ReplicaSet Set) : RolloutStep;
}

/// <summary>
/// The sets of one Deployment while a plan is being made: each step is noted and at once taken as done, so that the next decision and the
/// status see it.
/// </summary>
internal sealed class Rollout
{
    private readonly ImmutableArray<RolloutStep>.Builder _steps = ImmutableArray.CreateBuilder<RolloutStep>();
    private readonly List<ReplicaSet> _sets;

    public Rollout(Deployment deployment, IEnumerable<ReplicaSet> sets)
    {
        Deployment = deployment;
        Limits = RolloutLimits.Of(deployment);
        // Of several sets with the same template (two servers once hashed differently) the oldest is the one.
        _sets = [.. sets.OrderBy(set => set.Metadata.CreationTimestamp).ThenBy(set => set.Metadata.Name, StringComparer.Ordinal)];
        NewName = _sets.Find(set => set.Spec.Template.IsMadeOf(deployment.Spec.Template))?.Metadata.Name;
    }

    public Deployment Deployment { get; }

    public RolloutLimits Limits { get; }

    private string? NewName { get; set; }

    /// <summary>The set of the current template; null before it is created.</summary>
    public ReplicaSet? New => _sets.Find(set => set.Metadata.Name == NewName);

    /// <summary>All others, oldest first.</summary>
    public IReadOnlyList<ReplicaSet> Old => [.. _sets.Where(set => set.Metadata.Name != NewName)];

    public IReadOnlyList<ReplicaSet> All => _sets;

    public IReadOnlyList<ReplicaSet> Active => [.. _sets.Where(set => Size(set) > 0)];

    /// <summary>The number of the current template: one more than any old set has.</summary>
    public long NextRevision => Old.Select(RevisionAnnotations.RevisionOf).DefaultIfEmpty().Max() + 1;

    public ImmutableArray<RolloutStep> Steps => _steps.ToImmutable();

    public bool HasScaled { get; private set; }

    public static int Size(ReplicaSet set) => set.Spec.Replicas ?? 1;

    public void Create(ReplicaSet set)
    {
        _steps.Add(new RolloutStep.Create(set));
        _sets.Add(set);
        NewName = set.Metadata.Name;
        HasScaled |= Size(set) > 0;
    }

    public void Scale(ReplicaSet set, int replicas)
    {
        var annotations = RevisionAnnotations.WithSizes(set.Metadata.Annotations, Limits.Desired, Limits.MaxTotal);
        HasScaled |= Size(set) != replicas;
        Update(set with { Spec = set.Spec with { Replicas = replicas }, Metadata = set.Metadata with { Annotations = annotations } });
    }

    /// <summary>Several changes of one set become one write.</summary>
    public void Update(ReplicaSet set)
    {
        var index = _sets.FindIndex(candidate => candidate.Metadata.Name == set.Metadata.Name);
        if (_sets[index].SameAs(set))
            return;
        for (var i = 0; i < _steps.Count; i++)
        {
            switch (_steps[i])
            {
                case RolloutStep.Create earlier when earlier.Set.Metadata.Name == set.Metadata.Name:
                    _steps[i] = new RolloutStep.Create(set);
                    _sets[index] = set;
                    return;
                case RolloutStep.Update earlier when earlier.Old.Metadata.Name == set.Metadata.Name:
                    _steps[i] = earlier with { New = set };
                    _sets[index] = set;
                    return;
                default:
                    break;
            }
        }

        _steps.Add(new RolloutStep.Update(_sets[index], set));
        _sets[index] = set;
    }

    public void Delete(ReplicaSet set)
    {
        _steps.Add(new RolloutStep.Delete(set));
        _sets.RemoveAll(candidate => candidate.Metadata.Name == set.Metadata.Name);
    }
}
