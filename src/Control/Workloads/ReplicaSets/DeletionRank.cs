using System.Globalization;
using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Which pods a scale-down takes first: those that do least, then those that lose least. Kubernetes' order.</summary>
internal sealed class DeletionRank(IReadOnlyDictionary<string, int> siblingsByNode, DateTimeOffset now) : IComparer<Pod>
{
    private const string CostAnnotation = "controller.kubernetes.io/pod-deletion-cost";

    public int Compare(Pod? x, Pod? y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);

        if (Differ(x.IsScheduled(), y.IsScheduled(), out var order)
            || Differ(Phase(x), Phase(y), out order)
            || Differ(x.IsReady(), y.IsReady(), out order)
            || Differ(Cost(x), Cost(y), out order)
            || Differ(Siblings(y), Siblings(x), out order)                                                        // more siblings on the node: earlier
            || (x.IsReady() && Differ(Magnitude(x.ReadySince()), Magnitude(y.ReadySince()), out order))           // ready for a shorter time: earlier
            || Differ(y.Restarts(), x.Restarts(), out order)                                                      // restarted more often: earlier
            || Differ(Magnitude(x.Metadata.CreationTimestamp), Magnitude(y.Metadata.CreationTimestamp), out order)) // younger: earlier
            return order;
        return string.CompareOrdinal(x.Metadata.Uid, y.Metadata.Uid);
    }

    private static bool Differ<TValue>(TValue x, TValue y, out int order) where TValue : IComparable<TValue> => (order = x.CompareTo(y)) != 0;

    private static int Phase(Pod pod) => pod.Status.Phase switch
    {
        "Pending" => 0,
        "Running" => 2,
        _ => 1, // Unknown, and a pod whose node has not spoken yet
    };

    private static int Cost(Pod pod) =>
        int.TryParse(pod.Annotation(CostAnnotation), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var cost) ? cost : 0;

    private int Siblings(Pod pod) => siblingsByNode.GetValueOrDefault(pod.Spec.NodeName ?? "");

    // Ages count by powers of two, as KEP-2185: pods of about the same age are taken in an order that has nothing to do with their node.
    private int Magnitude(DateTimeOffset? since)
    {
        if (since is not { } start)
            return -1;
        var seconds = (now - start).TotalSeconds;
        return seconds < 1 ? 0 : (int)Math.Log2(seconds) + 1;
    }
}
