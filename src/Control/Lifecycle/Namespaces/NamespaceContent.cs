using Weft.Api;

namespace Weft.Control.Lifecycle;

/// <summary>Objects of one resource that are still in a namespace.</summary>
/// <param name="Finalizers">How many of them wait for each finalizer.</param>
public sealed record RemainingContent(GroupVersionResource Resource, int Count, IReadOnlyDictionary<string, int> Finalizers);

/// <summary>What one attempt to empty a namespace found.</summary>
/// <param name="DiscoveryFailures">Groups that gave no answer: they may hold anything.</param>
/// <param name="DeletionFailures">What the server refused, in its words.</param>
public sealed record NamespaceContent(
    IReadOnlyList<RemainingContent> Remaining, IReadOnlyList<string> DiscoveryFailures, IReadOnlyList<string> DeletionFailures)
{
    public bool IsEmpty => Remaining.Count == 0 && DiscoveryFailures.Count == 0 && DeletionFailures.Count == 0;
}
