using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Cluster;

/// <summary>One event, two forms: whatever a controller writes to, `kubectl get events` shows it. The core form is stored.</summary>
internal static class EventForms
{
    private static readonly (string Core, string Events)[] Names =
    [
        ("involvedObject", "regarding"), ("message", "note"), ("reportingComponent", "reportingController"), ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"), ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"),
    ];

    public static StoredForm Stored { get; } = new(new GroupVersionResource("", "v1", "events"), ToCore, ToEvents);

    private static void ToCore(JsonObject tree)
    {
        tree["apiVersion"] = "v1";
        foreach (var (core, events) in Names)
            Rename(tree, events, core);
        tree.Ensure("involvedObject");
    }

    private static void ToEvents(JsonObject tree)
    {
        tree["apiVersion"] = "events.k8s.io/v1";
        foreach (var (core, events) in Names)
            Rename(tree, core, events);
    }

    private static void Rename(JsonObject tree, string from, string to)
    {
        if (!tree.TryGetPropertyValue(from, out var value))
            return;
        tree.Remove(from);
        tree[to] = value;
    }
}
