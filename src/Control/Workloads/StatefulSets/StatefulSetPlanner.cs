using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>A template and the name of the ControllerRevision that holds it.</summary>
public sealed record TemplateRevision(string Name, PodTemplateSpec Template);

public abstract record StatefulStep
{
    /// <summary>Make the claims that are missing, then the pod.</summary>
    public sealed record Create(int Ordinal, Pod Pod) : StatefulStep;

    public sealed record Delete(Pod Pod) : StatefulStep;
}

/// <param name="LookAgainIn">When a pod becomes available by the passing of time alone.</param>
public sealed record StatefulSetPlan(ImmutableArray<StatefulStep> Steps, StatefulSetStatus Status, TimeSpan? LookAgainIn);

/// <summary>
/// What a stateful set does next. Ordered sets make pods upwards and take them away downwards, one at a time, each when all before it are available;
/// parallel sets do not wait. A rolling update replaces pods downwards as far as the partition.
/// </summary>
public static class StatefulSetPlanner
{
    public static StatefulSetPlan Plan(StatefulSet set, IReadOnlyList<Pod> pods, TemplateRevision current, TemplateRevision update, DateTimeOffset now)
    {
        var look = new Look(set, pods, current, update, now);
        return new StatefulSetPlan(set.IsTerminating() ? [] : look.Steps(), look.Status(), look.AvailableIn());
    }

    private sealed class Look
    {
        private readonly StatefulSet _set;
        private readonly TemplateRevision _current;
        private readonly TemplateRevision _update;
        private readonly DateTimeOffset _now;
        private readonly int _start;
        private readonly int _replicas;
        private readonly int _minReady;
        private readonly Pod?[] _slots;
        private readonly List<Pod> _condemned; // highest number first

        public Look(StatefulSet set, IReadOnlyList<Pod> pods, TemplateRevision current, TemplateRevision update, DateTimeOffset now)
        {
            (_set, _current, _update, _now) = (set, current, update, now);
            _start = set.Spec.Ordinals?.Start ?? 0;
            _replicas = set.Spec.Replicas ?? 1;
            _minReady = set.Spec.MinReadySeconds ?? 0;
            _slots = new Pod?[_replicas];
            _condemned = [];
            foreach (var pod in pods)
            {
                var ordinal = StatefulPods.OrdinalOf(set, pod.Metadata.Name);
                if (ordinal >= _start && ordinal < _start + _replicas)
                    _slots[ordinal - _start] = pod;
                else if (ordinal >= 0)
                    _condemned.Add(pod);
            }
            _condemned.Sort((x, y) => StatefulPods.OrdinalOf(set, y.Metadata.Name).CompareTo(StatefulPods.OrdinalOf(set, x.Metadata.Name)));
        }

        private bool IsOrdered => _set.Spec.PodManagementPolicy != "Parallel";

        public ImmutableArray<StatefulStep> Steps()
        {
            var steps = ImmutableArray.CreateBuilder<StatefulStep>();
            for (var i = 0; i < _replicas; i++)
            {
                if (_slots[i] is not { } pod)
                    steps.Add(new StatefulStep.Create(_start + i, StatefulPods.New(_set, _start + i, TemplateFor(i).Template, TemplateFor(i).Name)));
                else if (pod.IsFinished() && !pod.IsTerminating())
                    steps.Add(new StatefulStep.Delete(pod)); // made anew when it is gone
                else if (!IsOrdered || IsAvailable(pod))
                    continue;
                if (IsOrdered)
                    return steps.ToImmutable(); // one at a time, and none after one that is not available
            }

            foreach (var pod in _condemned)
            {
                if (!pod.IsTerminating())
                    steps.Add(new StatefulStep.Delete(pod));
                if (IsOrdered)
                    return steps.ToImmutable();
            }

            if (_set.Spec.UpdateStrategy?.Type != "OnDelete" && steps.Count == 0)
                Update(steps);
            return steps.ToImmutable();
        }

        private void Update(ImmutableArray<StatefulStep>.Builder steps)
        {
            var rolling = _set.Spec.UpdateStrategy?.RollingUpdate;
            var missing = Math.Max(1, rolling?.MaxUnavailable?.ScaledBy(_replicas, roundUp: true) ?? 1);
            var unavailable = _slots.Count(pod => pod is null || !IsAvailable(pod));
            for (var i = _replicas - 1; i >= Math.Max(0, rolling?.Partition ?? 0); i--)
            {
                if (_slots[i] is not { } pod)
                    continue;
                if (StatefulPods.RevisionOf(pod) == _update.Name || pod.IsTerminating())
                {
                    if (!IsAvailable(pod) && missing == 1)
                        return; // the one that was replaced last is not back yet
                    continue;
                }

                // One that does not serve anyway costs nothing more.
                var serves = IsAvailable(pod);
                if (serves && unavailable >= missing)
                    return;
                steps.Add(new StatefulStep.Delete(pod));
                if (missing == 1)
                    return;
                unavailable += serves ? 1 : 0;
            }
        }

        public StatefulSetStatus Status()
        {
            var all = _slots.OfType<Pod>().Concat(_condemned).ToList();
            var live = all.Where(pod => !pod.IsTerminating()).ToList();
            var ready = all.Count(pod => IsReady(pod));
            var updated = live.Count(pod => StatefulPods.RevisionOf(pod) == _update.Name);
            var done = _set.Spec.UpdateStrategy?.Type != "OnDelete" && all.Count == _replicas && updated == _replicas && ready == _replicas;
            var currentName = done ? _update.Name : _current.Name;
            return _set.Status with
            {
                ObservedGeneration = _set.Metadata.Generation,
                Replicas = all.Count,
                ReadyReplicas = OrAbsent(ready),
                AvailableReplicas = all.Count(IsAvailable),
                CurrentReplicas = OrAbsent(live.Count(pod => StatefulPods.RevisionOf(pod) == currentName)),
                UpdatedReplicas = OrAbsent(updated),
                CurrentRevision = currentName,
                UpdateRevision = _update.Name,
                CollisionCount = _set.Status.CollisionCount ?? 0,
            };
        }

        public TimeSpan? AvailableIn()
        {
            TimeSpan? soonest = null;
            foreach (var pod in _slots.OfType<Pod>().Where(pod => IsReady(pod) && !pod.IsAvailable(_minReady, _now)))
            {
                var left = pod.ReadySince()!.Value.AddSeconds(_minReady) - _now;
                soonest = soonest is { } sooner && sooner < left ? sooner : left;
            }
            return soonest;
        }

        // A pod below the partition that has to be made anew stays what it was.
        private TemplateRevision TemplateFor(int slot) =>
            _set.Spec.UpdateStrategy?.Type != "OnDelete" && slot < (_set.Spec.UpdateStrategy?.RollingUpdate?.Partition ?? 0) ? _current : _update;

        private static bool IsReady(Pod pod) => pod.Status.Phase == "Running" && pod.IsReady();

        private bool IsAvailable(Pod pod) => IsReady(pod) && !pod.IsTerminating() && pod.IsAvailable(_minReady, _now);

        private static int? OrAbsent(int count) => count == 0 ? null : count;
    }
}
