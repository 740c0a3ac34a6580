using System.Collections.Concurrent;
using Weft.Api;
using Weft.Api.Autoscaling;
using Weft.Api.Core;
using Weft.Api.Selectors;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Which pods each autoscaler counts, as its workload's selector was at its last look: pods that several count would be scaled back and forth.</summary>
internal sealed class AutoscaledPods
{
    private readonly ConcurrentDictionary<ObjectKey, (CrossVersionObjectReference Target, LabelQuery Selector)> _known = new();

    public void Remember(HorizontalPodAutoscaler autoscaler, LabelQuery selector) => _known[autoscaler.Key()] = (autoscaler.Spec.ScaleTargetRef, selector);

    public void Forget(ObjectKey key) => _known.TryRemove(key, out _);

    /// <summary>Names of the others that count one of the pods too.</summary>
    /// <param name="all">Autoscalers of the namespace. A selector of one that is gone, or of a workload that it has no more, says nothing.</param>
    public IReadOnlyList<string> Others(HorizontalPodAutoscaler autoscaler, IReadOnlyList<Pod> pods, IEnumerable<HorizontalPodAutoscaler> all) =>
    [
        .. all.Where(other => other.Key() != autoscaler.Key() && !other.IsTerminating() && _known.TryGetValue(other.Key(), out var known)
                && known.Target == other.Spec.ScaleTargetRef && pods.Any(pod => known.Selector.Matches(pod.Metadata.Labels)))
            .Select(other => other.Metadata.Name ?? "").Order(StringComparer.Ordinal),
    ];
}
