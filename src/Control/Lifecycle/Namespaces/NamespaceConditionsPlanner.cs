using System.Globalization;
using Weft.Api;
using Weft.Api.Core;

namespace Weft.Control.Lifecycle;

/// <summary>Says in a namespace's conditions what its deletion waits for. Types and reasons are Kubernetes'.</summary>
public static class NamespaceConditionsPlanner
{
    public static IReadOnlyList<NamespaceCondition> Plan(IReadOnlyList<NamespaceCondition> existing, NamespaceContent content, DateTimeOffset now)
    {
        var remaining = content.Remaining.OrderBy(entry => entry.Resource.Qualified, StringComparer.Ordinal).ToList();
        var finalizers = remaining.SelectMany(entry => entry.Finalizers)
            .GroupBy(entry => entry.Key, entry => entry.Value)
            .Select(group => (Name: group.Key, Count: group.Sum()))
            .OrderBy(entry => entry.Name, StringComparer.Ordinal)
            .ToList();

        return
        [
            Next("NamespaceDeletionDiscoveryFailure", content.DiscoveryFailures.Count > 0,
                "DiscoveryFailed", "Discovery failed for some groups: " + string.Join(", ", content.DiscoveryFailures),
                "ResourcesDiscovered", "All resources successfully discovered"),
            Next("NamespaceDeletionGroupVersionParsingFailure", failed: false, "", "",
                "ParsedGroupVersions", "All legacy kube types successfully parsed"),
            Next("NamespaceDeletionContentFailure", content.DeletionFailures.Count > 0,
                "ContentDeletionFailed", "Failed to delete all resource types, " + string.Join("; ", content.DeletionFailures),
                "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
            Next("NamespaceContentRemaining", remaining.Count > 0,
                "SomeResourcesRemain",
                "Some resources are remaining: " + string.Join(", ", remaining.Select(entry => $"{Name(entry.Resource)} has {Text(entry.Count)} resource instances")),
                "ContentRemoved", "All content successfully removed"),
            Next("NamespaceFinalizersRemaining", finalizers.Count > 0,
                "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining: " + string.Join(", ", finalizers.Select(entry => $"{entry.Name} in {Text(entry.Count)} resource instances")),
                "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
            .. existing.Where(condition => !condition.Type.StartsWith("Namespace", StringComparison.Ordinal)),
        ];

        NamespaceCondition Next(string type, bool failed, string reason, string message, string goodReason, string goodMessage)
        {
            var before = existing.FirstOrDefault(condition => condition.Type == type);
            var next = new NamespaceCondition
            {
                Type = type, Status = failed ? "True" : "False",
                Reason = failed ? reason : goodReason, Message = failed ? message : goodMessage, LastTransitionTime = now,
            };
            if (before?.Status != next.Status)
                return next;
            return next with { LastTransitionTime = before.LastTransitionTime };
        }
    }

    // `pods.` for the core group: Kubernetes writes resource, dot, group.
    private static string Name(GroupVersionResource resource) => $"{resource.Resource}.{resource.Group}";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
