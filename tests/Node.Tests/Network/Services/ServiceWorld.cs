using System.Text.Json.Nodes;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Api.Json;
using Weft.Node.Network.Services;

namespace Weft.Node.Tests.Network.Services;

/// <summary>Services and slices for tests of pure code.</summary>
internal static class ServiceWorld
{
    public static readonly ServiceNetwork Lab = new("lab", "n1", "10.1.0.0/24", "10.1.0.0/16", "10.96.0.0/16");

    public static Service Service(string spec, string name = "web", string? status = null, string created = "2026-01-01T00:00:00Z") => ApiJson.FromTree<Service>(new JsonObject
    {
        ["apiVersion"] = "v1", ["kind"] = "Service",
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default", ["uid"] = "u-" + name, ["creationTimestamp"] = created },
        ["spec"] = JsonNode.Parse(spec),
        ["status"] = JsonNode.Parse(status ?? "{}"),
    });

    /// <summary>Endpoints as `address[@node][!unready|!ending|!dead]`.</summary>
    public static EndpointSlice Slice(string endpoints, string ports = """[{"name":"","port":8080,"protocol":"TCP"}]""")
    {
        var list = new JsonArray();
        foreach (var text in endpoints.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = text.Split('!');
            var place = parts[0].Split('@');
            var state = parts.ElementAtOrDefault(1);
            list.Add(new JsonObject
            {
                ["addresses"] = new JsonArray(place[0]),
                ["nodeName"] = place.ElementAtOrDefault(1) ?? "n1",
                ["conditions"] = new JsonObject { ["ready"] = state is null, ["serving"] = state is null or "ending", ["terminating"] = state is "ending" or "dead" },
            });
        }
        return ApiJson.FromTree<EndpointSlice>(new JsonObject { ["addressType"] = "IPv4", ["endpoints"] = list, ["ports"] = JsonNode.Parse(ports) });
    }

    public static ServicePlan? Plan(string spec, params EndpointSlice[] slices) => ServicePlanner.Plan(Service(spec), slices, Lab);

    public static NftObjects Objects(string spec, params EndpointSlice[] slices) => ServiceObjects.Of(Plan(spec, slices)!, Lab, (_, _) => false);

    /// <summary>Chains and elements in a form for eyes: sorted, without the hashes in names.</summary>
    public static string Text(NftObjects objects)
    {
        var lines = objects.Chains.OrderBy(chain => chain.Key, StringComparer.Ordinal).SelectMany(chain => chain.Value.Split('\n').Select(rule => $"{chain.Key}: {rule}"))
            .Concat(objects.Sets.Select(set => $"{set.Key} {set.Value}").Order(StringComparer.Ordinal))
            .Concat(objects.Elements.Select(e => $"{e.Key.Set} {e.Key.Key}{(e.Value.Length > 0 ? " : " : "")}{e.Value}").Order(StringComparer.Ordinal));
        return System.Text.RegularExpressions.Regex.Replace(string.Join('\n', lines), "(?<=[slxfea]-)[0-9a-f]{8}-", "");
    }
}
