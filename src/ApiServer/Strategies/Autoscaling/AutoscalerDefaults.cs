using System.Text.Json.Nodes;

namespace Weft.ApiServer.Strategies.Autoscaling;

/// <summary>What autoscaling/v2 fills in (pkg/apis/autoscaling/v2/defaults.go).</summary>
internal static class AutoscalerDefaults
{
    public static void Apply(JsonObject spec)
    {
        spec.Default("minReplicas", 1);
        if (spec["metrics"] is null or JsonArray { Count: 0 })
            spec["metrics"] = new JsonArray(CpuUtilization(80));
        if (spec["behavior"] is not JsonObject behavior)
            return;
        if (behavior.Ensure("scaleUp") is { } up)
        {
            up.Default("stabilizationWindowSeconds", 0);
            Rules(up, [Policy("Pods", 4), Policy("Percent", 100)]);
        }
        // Downwards the window stays open: without one the controller's own counts.
        if (behavior.Ensure("scaleDown") is { } down)
            Rules(down, [Policy("Percent", 100)]);
    }

    public static JsonObject CpuUtilization(long percent) => new()
    {
        ["type"] = "Resource",
        ["resource"] = new JsonObject { ["name"] = "cpu", ["target"] = new JsonObject { ["type"] = "Utilization", ["averageUtilization"] = percent } },
    };

    private static void Rules(JsonObject rules, JsonArray policies)
    {
        rules.Default("selectPolicy", "Max");
        if (rules["policies"] is null)
            rules["policies"] = policies;
    }

    private static JsonObject Policy(string type, int value) => new() { ["type"] = type, ["value"] = value, ["periodSeconds"] = 15 };
}
