using System.Text.Json.Nodes;
using Weft.Api.Core;
using Weft.Api.Json;

namespace Weft.Node.Pods;

/// <summary>The strategic merge patch that turns the status the API has into the one that is. Pure.</summary>
internal static class StatusPatch
{
    /// <summary>Null when nothing differs. Conditions of others (readiness gates) stay: they merge by type.</summary>
    public static JsonObject? Create(Pod pod, PodStatus next)
    {
        var (old, wanted) = (ApiJson.ToTree(pod.Status), ApiJson.ToTree(next));
        var patch = new JsonObject();
        foreach (var (name, value) in wanted)
        {
            if (name == "conditions" || JsonNode.DeepEquals(value, old[name]))
                continue;
            // podIPs merge by address, so an address that went must be taken away by replacing the list.
            patch[name] = name == "podIPs" && old[name] is not null
                ? new JsonArray([new JsonObject { ["$patch"] = "replace" }, .. value!.AsArray().Select(v => v!.DeepClone())])
                : value?.DeepClone();
        }
        foreach (var (name, _) in old.Where(p => p.Key != "conditions" && !wanted.ContainsKey(p.Key)))
            patch[name] = null;

        var conditions = new JsonArray();
        foreach (var condition in next.Conditions)
        {
            var before = pod.Status.Conditions.FirstOrDefault(c => c.Type == condition.Type);
            if (before is not null && before.Status == condition.Status && before.Reason == condition.Reason && before.Message == condition.Message)
                continue;
            var tree = ApiJson.ToTree(condition);
            if (before is not null)
            {
                tree["reason"] ??= null;
                tree["message"] ??= null;
            }
            conditions.Add(tree);
        }
        if (conditions.Count > 0)
            patch["conditions"] = conditions;
        // The uid is a precondition: a new pod of the same name must not get the status of the old one.
        return patch.Count == 0 ? null : new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid }, ["status"] = patch };
    }
}
