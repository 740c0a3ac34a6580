using System.Collections.Immutable;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Control.Runtime;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Workloads;

/// <param name="Create">Nodes that get a pod.</param>
/// <param name="LookAgainIn">When a pod becomes available by the passing of time alone.</param>
public sealed record DaemonSetPlan(ImmutableArray<string> Create, ImmutableArray<Pod> Delete, DaemonSetStatus Status, TimeSpan? LookAgainIn);

/// <summary>
/// One pod on each node that should have it. A rolling update takes old pods away while few enough nodes are without one, or, with a surge, makes the new
/// pod first and takes the old one away when the new one is available.
/// </summary>
public static class DaemonSetPlanner
{
    /// <param name="hash">Of the present template.</param>
    /// <param name="notBefore">By node: until then a pod that has failed there stays. Null: nowhere.</param>
    public static DaemonSetPlan Plan(
        DaemonSet set, IReadOnlyList<Node> nodes, IReadOnlyList<Pod> pods, string hash, DateTimeOffset now, IReadOnlyDictionary<string, DateTimeOffset>? notBefore = null) =>
        new Look(set, nodes, pods, hash, now, notBefore ?? ImmutableDictionary<string, DateTimeOffset>.Empty).Plan();

    private sealed class Look(DaemonSet set, IReadOnlyList<Node> nodes, IReadOnlyList<Pod> pods, string hash, DateTimeOffset now, IReadOnlyDictionary<string, DateTimeOffset> notBefore)
    {
        private readonly int _minReady = set.Spec.MinReadySeconds ?? 0;
        private readonly ImmutableArray<string>.Builder _create = ImmutableArray.CreateBuilder<string>();
        private readonly HashSet<Pod> _delete = [];
        private readonly List<Place> _places = []; // nodes that should have a pod
        private int _misscheduled;
        private DateTimeOffset? _replaceAt;

        private sealed record Place(string Node, List<Pod> Pods);

        public DaemonSetPlan Plan()
        {
            var byNode = pods.GroupBy(DaemonPods.NodeOf).ToDictionary(group => group.Key, group => group.ToList());
            var resources = new ResourceNames();
            foreach (var node in nodes.OrderBy(node => node.Metadata.Name, StringComparer.Ordinal))
            {
                var name = node.Metadata.Name ?? "";
                byNode.Remove(name, out var here);
                Judge(node, here ?? [], DaemonPods.Judge(set, node, new NodeInfo(node, resources)));
            }
            // On nodes that are gone: the pods follow.
            _delete.UnionWith(byNode.Values.SelectMany(gone => gone).Where(pod => !pod.IsTerminating()));
            if (set.Spec.UpdateStrategy?.Type != "OnDelete")
                Update();

            var status = Status();
            return set.IsTerminating()
                ? new DaemonSetPlan([], [], status, null)
                : new DaemonSetPlan(_create.ToImmutable(), [.. _delete], status, AvailableIn());
        }

        private void Judge(Node node, List<Pod> here, (bool ShouldRun, bool MayStay) verdict)
        {
            var live = here.Where(pod => !pod.IsTerminating()).ToList();
            if (!verdict.ShouldRun)
            {
                _misscheduled += live.Count > 0 ? 1 : 0;
                if (!verdict.MayStay)
                    _delete.UnionWith(live);
                return;
            }

            // A pod that has ended makes room for another; one that failed, when its node's back-off is over.
            var ended = live.Where(pod => pod.IsFinished()).ToList();
            var waits = notBefore.TryGetValue(node.Metadata.Name ?? "", out var at) && at > now && ended.Exists(pod => pod.Status.Phase == "Failed");
            if (waits && (_replaceAt is null || at < _replaceAt))
                _replaceAt = at;
            _delete.UnionWith(ended.Where(pod => !waits || pod.Status.Phase != "Failed"));
            var running = live.Except(ended).ToList();
            // Two of one template: the older one stays. With a surge one old and one new pod may stand side by side.
            foreach (var same in running.GroupBy(pod => Surge(nodes.Count) > 0 ? DaemonPods.HashOf(pod) == hash : true))
                _delete.UnionWith(same.OrderBy(pod => pod.IsScheduled() ? 0 : 1).ThenBy(pod => pod.Metadata.CreationTimestamp).ThenBy(pod => pod.Metadata.Name, StringComparer.Ordinal).Skip(1));
            _places.Add(new Place(node.Metadata.Name ?? "", [.. running.Where(pod => !_delete.Contains(pod))]));
            // One that still stops holds its ports and paths: the next comes after it.
            if (here.Count == 0)
                _create.Add(node.Metadata.Name ?? "");
        }

        private void Update()
        {
            var surge = Surge(_places.Count);
            var missing = set.Spec.UpdateStrategy?.RollingUpdate?.MaxUnavailable?.ScaledBy(_places.Count, roundUp: true) ?? 1;
            if (surge == 0)
                missing = Math.Max(1, missing);
            var unavailable = _places.Count(place => !place.Pods.Exists(IsAvailable));
            var surging = _places.Count(place => place.Pods.Exists(IsNew) && place.Pods.Exists(pod => !IsNew(pod)));
            foreach (var place in _places)
            {
                if (place.Pods.Find(pod => !IsNew(pod)) is not { } old)
                    continue;
                var fresh = place.Pods.Find(IsNew);
                if (surge > 0)
                {
                    if (fresh is not null && IsAvailable(fresh))
                        _delete.Add(old);
                    else if (fresh is null && (!IsAvailable(old) || surging++ < surge))
                        _create.Add(place.Node);
                }
                else if (!IsAvailable(old))
                {
                    _delete.Add(old); // it serves nobody
                }
                else if (unavailable < missing)
                {
                    unavailable++;
                    _delete.Add(old);
                }
            }
        }

        private DaemonSetStatus Status()
        {
            var available = _places.Count(place => place.Pods.Exists(IsAvailable));
            return set.Status with
            {
                ObservedGeneration = set.Metadata.Generation,
                DesiredNumberScheduled = _places.Count,
                CurrentNumberScheduled = _places.Count(place => place.Pods.Count > 0),
                NumberMisscheduled = _misscheduled,
                NumberReady = _places.Count(place => place.Pods.Exists(pod => pod.IsReady())),
                UpdatedNumberScheduled = OrAbsent(_places.Count(place => place.Pods.Exists(IsNew))),
                NumberAvailable = OrAbsent(available),
                NumberUnavailable = OrAbsent(_places.Count - available),
            };
        }

        private TimeSpan? AvailableIn()
        {
            TimeSpan? soonest = _replaceAt - now;
            foreach (var pod in _places.SelectMany(place => place.Pods).Where(pod => pod.IsReady() && !pod.IsAvailable(_minReady, now)))
            {
                var left = pod.ReadySince()!.Value.AddSeconds(_minReady) - now;
                soonest = soonest is { } sooner && sooner < left ? sooner : left;
            }
            return soonest;
        }

        private int Surge(int places) => set.Spec.UpdateStrategy?.Type == "OnDelete" ? 0 : set.Spec.UpdateStrategy?.RollingUpdate?.MaxSurge?.ScaledBy(places, roundUp: true) ?? 0;

        private bool IsNew(Pod pod) => DaemonPods.HashOf(pod) == hash;

        private bool IsAvailable(Pod pod) => pod.IsAvailable(_minReady, now);

        private static int? OrAbsent(int count) => count == 0 ? null : count;
    }
}
