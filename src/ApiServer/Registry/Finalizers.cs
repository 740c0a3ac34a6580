using System.Text.Json.Nodes;

namespace Weft.ApiServer.Registry;

/// <summary>What still holds an object that is to be deleted.</summary>
internal static class Finalizers
{
    public const string Orphan = "orphan";
    public const string Foreground = "foregroundDeletion";

    public static IReadOnlyList<string> Of(JsonObject tree) => Metadata.Strings(tree["metadata"] as JsonObject, "finalizers");

    /// <summary>A namespace is held by `spec.finalizers` too: its controller empties them when nothing is left inside.</summary>
    public static bool Hold(ResourceInfo resource, JsonObject tree) =>
        Of(tree).Count > 0
        || resource.Resource is { Group: "", Resource: "namespaces" } && Metadata.Strings(tree["spec"] as JsonObject, "finalizers").Count > 0;

    /// <summary>A deleted object whose last finalizer and grace are gone is removed by the write that took them away.</summary>
    public static bool IsDone(ResourceInfo resource, JsonObject tree) =>
        Metadata.IsBeingDeleted(tree) && !Hold(resource, tree) && (Metadata.Number(tree["metadata"] as JsonObject, "deletionGracePeriodSeconds") ?? 0) == 0;
}
