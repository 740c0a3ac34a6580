using System.Text.Json.Nodes;
using Weft.Api.ApiExtensions;
using Weft.Api.Schemas;

namespace Weft.Testing;

/// <summary>
/// Definitions of mesh kinds as a user brings them along with another program: of the same kinds, stored in another version, with rules, unions and wider numbers where
/// the program's own have types, and without what only the program knows.
/// </summary>
public static class StrictDefinitions
{
    private static readonly string[] Durations =
        ["timeout", "perTryTimeout", "connectTimeout", "interval", "baseEjectionTime", "maxConnectionDuration", "idleTimeout", "time", "fixedDelay", "maxAge", "drainDuration"];

    private static readonly string[] Texts = ["exact", "prefix", "regex"];

    /// <summary>Kinds that such a set has and the program has not.</summary>
    public static IReadOnlyList<JsonObject> Others() =>
    [
        Other("networking.istio.io", "WorkloadGroup", "workloadgroups"), Other("networking.istio.io", "EnvoyFilter", "envoyfilters"),
        Other("networking.istio.io", "ProxyConfig", "proxyconfigs"), Other("extensions.istio.io", "WasmPlugin", "wasmplugins"),
    ];

    public static JsonObject Of(PreinstalledKind kind)
    {
        var tree = CrdManifest.Of(kind, new SchemaReader());
        tree["metadata"] = new JsonObject
        {
            ["name"] = tree["metadata"]!["name"]!.DeepClone(), ["labels"] = new JsonObject { ["release"] = "mesh" }, ["annotations"] = new JsonObject { ["helm.sh/resource-policy"] = "keep" },
        };
        var versions = tree["spec"]!["versions"]!.AsArray().Select(version => version!.DeepClone().AsObject()).OrderBy(version => (string)version["name"]!, StringComparer.Ordinal).ToList();
        foreach (var version in versions)
        {
            version["storage"] = version == (versions.Find(other => (string)other["name"]! == "v1beta1") ?? versions[0]);
            var schema = version["schema"]!["openAPIV3Schema"]!.AsObject();
            var members = schema["properties"]!.AsObject();
            // The server says what these are.
            foreach (var known in (string[])["apiVersion", "kind", "metadata"])
                members.Remove(known);
            schema["required"] = new JsonArray("spec");
            ((members["spec"]?["properties"]?["http"]?["items"]?["properties"] as JsonObject)?["rewrite"]?["properties"] as JsonObject)?.Remove("regex");
            ((members["spec"]?["properties"]?["http"]?["items"]?["properties"] as JsonObject)?["rewrite"]?["properties"] as JsonObject)?.Remove("replacement");
            Harden(members["spec"]!.AsObject(), "spec");
            members["status"] = Status();
        }
        tree["spec"]!["versions"] = new JsonArray([.. versions]);
        return tree;
    }

    private static void Harden(JsonObject schema, string name)
    {
        switch ((string?)schema["type"])
        {
            case "integer" when (string?)schema["format"] == "int32":
                schema.Remove("format");
                schema["minimum"] = 0;
                schema["maximum"] = 4294967295;
                schema["nullable"] = true;
                if (name is "port" or "number" or "targetPort")
                    schema["x-kubernetes-validations"] = new JsonArray(new JsonObject { ["rule"] = "0 < self && self <= 65535", ["message"] = "port must be between 1-65535" });
                break;
            case "boolean":
                schema["nullable"] = true;
                break;
            case "string" when Durations.Contains(name):
                schema["x-kubernetes-validations"] = new JsonArray(new JsonObject { ["rule"] = "duration(self) >= duration('1ms')", ["message"] = "must be a valid duration greater than 1ms" });
                break;
            case "array":
                Harden(schema["items"]!.AsObject(), name);
                break;
            case "object":
                if (schema["additionalProperties"] is JsonObject values)
                    Labels(schema, values, name);
                foreach (var (member, value) in schema["properties"] as JsonObject ?? [])
                    Harden(value!.AsObject(), member);
                if (schema["properties"] is JsonObject all && Texts.All(all.ContainsKey))
                    OneOf(schema, Texts);
                if (schema["properties"] is JsonObject balancer && balancer.ContainsKey("consistentHash"))
                    OneOf(schema, ["simple", "consistentHash"]);
                break;
        }
    }

    private static void Labels(JsonObject schema, JsonObject values, string name)
    {
        if (name != "matchLabels")
        {
            Harden(values, "");
            return;
        }
        schema["maxProperties"] = 4096;
        schema["x-kubernetes-validations"] = new JsonArray(
            new JsonObject { ["rule"] = "self.all(key, !key.contains(\"*\"))", ["message"] = "wildcard not allowed in label key match" },
            new JsonObject { ["rule"] = "self.all(key, key.size() != 0)", ["message"] = "key must not be empty" });
        values["maxLength"] = 63;
        values["x-kubernetes-validations"] = new JsonArray(new JsonObject { ["rule"] = "!self.contains(\"*\")", ["message"] = "wildcard not allowed in label value match" });
    }

    // None of them, or one.
    private static void OneOf(JsonObject schema, IReadOnlyList<string> names)
    {
        JsonArray Each() => new([.. names.Select(name => new JsonObject { ["required"] = new JsonArray(name) })]);
        schema["oneOf"] = new JsonArray([new JsonObject { ["not"] = new JsonObject { ["anyOf"] = Each() } }, .. Each().Select(one => one!.DeepClone())]);
    }

    private static JsonNode Status() => JsonNode.Parse("""
        {"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{
          "conditions":{"type":"array","items":{"type":"object","properties":{
            "type":{"type":"string"},"status":{"type":"string"},"reason":{"type":"string"},"message":{"type":"string"},
            "lastProbeTime":{"type":"string","format":"date-time"},"lastTransitionTime":{"type":"string","format":"date-time"},
            "observedGeneration":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]}}}},
          "observedGeneration":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]},
          "validationMessages":{"type":"array","items":{"type":"object","properties":{
            "documentationUrl":{"type":"string"},"level":{"type":"string","enum":["UNKNOWN","ERROR","WARNING","INFO"]},
            "type":{"type":"object","properties":{"code":{"type":"string"},"name":{"type":"string"}}}}}}}}
        """)!;

    private static JsonObject Other(string group, string kind, string plural) => new()
    {
        ["apiVersion"] = "apiextensions.k8s.io/v1", ["kind"] = "CustomResourceDefinition", ["metadata"] = new JsonObject { ["name"] = $"{plural}.{group}" },
        ["spec"] = new JsonObject
        {
            ["group"] = group, ["scope"] = "Namespaced", ["names"] = new JsonObject { ["plural"] = plural, ["singular"] = kind.ToLowerInvariant(), ["kind"] = kind, ["listKind"] = kind + "List" },
            ["versions"] = new JsonArray(new JsonObject
            {
                ["name"] = "v1alpha1", ["served"] = true, ["storage"] = true,
                ["schema"] = new JsonObject { ["openAPIV3Schema"] = JsonNode.Parse("""{"type":"object","properties":{"spec":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}""") },
            }),
        },
    };
}
