using System.Text.Json.Nodes;
using Weft.Control.Discovery.Model;

namespace Weft.Control.Discovery.Http;

/// <summary>Answers in the shapes that Consul's clients read.</summary>
internal static class ConsulJson
{
    public static string Text(CheckStatus status) => status switch { CheckStatus.Passing => "passing", CheckStatus.Warning => "warning", _ => "critical" };

    public static JsonObject Node(NodeRecord node, string datacenter) => new()
    {
        ["ID"] = node.Id, ["Node"] = node.Name, ["Address"] = node.Address, ["Datacenter"] = datacenter,
        ["TaggedAddresses"] = Map(node.TaggedAddresses), ["Meta"] = Map(node.Meta), ["CreateIndex"] = node.CreateIndex, ["ModifyIndex"] = node.ModifyIndex,
    };

    /// <summary>Of the agent's paths and of `health/service`.</summary>
    public static JsonObject Service(Instance instance) => new()
    {
        ["ID"] = instance.Id, ["Service"] = instance.Name, ["Tags"] = List(instance.Tags), ["Meta"] = Map(instance.Meta), ["Port"] = instance.Port,
        ["Address"] = instance.Address, ["TaggedAddresses"] = Tagged(instance), ["Weights"] = Weights(instance), ["EnableTagOverride"] = instance.EnableTagOverride,
        ["Proxy"] = new JsonObject { ["Mode"] = "", ["MeshGateway"] = new JsonObject(), ["Expose"] = new JsonObject() }, ["Connect"] = new JsonObject(),
        ["CreateIndex"] = instance.CreateIndex, ["ModifyIndex"] = instance.ModifyIndex,
    };

    /// <summary>Of `catalog/service`: flat.</summary>
    public static JsonObject CatalogService(Entry entry, string datacenter) => new()
    {
        ["ID"] = entry.Node.Id, ["Node"] = entry.Node.Name, ["Address"] = entry.Node.Address, ["Datacenter"] = datacenter,
        ["TaggedAddresses"] = Map(entry.Node.TaggedAddresses), ["NodeMeta"] = Map(entry.Node.Meta), ["ServiceKind"] = "",
        ["ServiceID"] = entry.Instance.Id, ["ServiceName"] = entry.Instance.Name, ["ServiceTags"] = List(entry.Instance.Tags), ["ServiceAddress"] = entry.Instance.Address,
        ["ServiceTaggedAddresses"] = Tagged(entry.Instance), ["ServiceWeights"] = Weights(entry.Instance), ["ServiceMeta"] = Map(entry.Instance.Meta),
        ["ServicePort"] = entry.Instance.Port, ["ServiceEnableTagOverride"] = entry.Instance.EnableTagOverride,
        ["CreateIndex"] = entry.Instance.CreateIndex, ["ModifyIndex"] = entry.Instance.ModifyIndex,
    };

    public static JsonObject HealthEntry(Entry entry, string datacenter) => new()
    {
        ["Node"] = Node(entry.Node, datacenter), ["Service"] = Service(entry.Instance),
        ["Checks"] = new JsonArray([.. entry.Checks.Select(check => (JsonNode)Check(check, entry.Instance))]),
    };

    public static JsonObject Check(Check check, Instance? instance)
    {
        var of = check.ServiceId.Length == 0 ? null : instance;
        return new()
        {
            ["Node"] = check.Node, ["CheckID"] = check.Id, ["Name"] = check.Name, ["Status"] = Text(check.Status), ["Notes"] = check.Notes, ["Output"] = check.Output,
            ["ServiceID"] = check.ServiceId, ["ServiceName"] = of?.Name ?? "", ["ServiceTags"] = List(of?.Tags ?? []), ["Type"] = check.Definition?.Type ?? "",
            ["Interval"] = check.Definition is { Interval: var interval } && interval > TimeSpan.Zero ? GoDuration.Format(interval) : "", ["Timeout"] = "", ["ExposedPort"] = 0,
            ["Definition"] = new JsonObject(), ["CreateIndex"] = check.CreateIndex, ["ModifyIndex"] = check.ModifyIndex,
        };
    }

    public static JsonObject Value(KeyValue value)
    {
        var json = new JsonObject
        {
            ["LockIndex"] = value.LockIndex, ["Key"] = value.Key, ["Flags"] = value.Flags, ["Value"] = value.Value.Length == 0 ? null : Convert.ToBase64String(value.Value),
            ["CreateIndex"] = value.CreateIndex, ["ModifyIndex"] = value.ModifyIndex,
        };
        if (value.Session is { } session)
            json["Session"] = session;
        return json;
    }

    public static JsonObject Session(Session session) => new()
    {
        ["ID"] = session.Id, ["Name"] = session.Name, ["Node"] = session.Node, ["LockDelay"] = session.LockDelay.Ticks * 100, ["Behavior"] = session.DeletesKeys ? "delete" : "release",
        ["TTL"] = session.Ttl is { } ttl ? GoDuration.Format(ttl) : "", ["NodeChecks"] = List(session.Checks), ["ServiceChecks"] = null,
        ["CreateIndex"] = session.CreateIndex, ["ModifyIndex"] = session.ModifyIndex,
    };

    public static JsonArray List(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)JsonValue.Create(text))]);

    public static JsonObject Map(IReadOnlyDictionary<string, string> map) => new(map.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(pair.Value))));

    private static JsonObject Tagged(Instance instance) => new(instance.TaggedAddresses.Select(pair =>
        KeyValuePair.Create(pair.Key, (JsonNode?)new JsonObject { ["Address"] = pair.Value.Address, ["Port"] = pair.Value.Port })));

    private static JsonObject Weights(Instance instance) => new() { ["Passing"] = instance.PassingWeight, ["Warning"] = instance.WarningWeight };
}
