using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Schemas;
using Weft.ApiServer.OpenApi;
using Weft.ApiServer.Protobuf;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;

namespace Weft.ApiServer.Tests.Access.OpenApi;

public sealed class OpenApiTests
{
    private static readonly SchemaReader Schemas = new();
    private static readonly IReadOnlyList<ResourceInfo> BuiltIns = BuiltInResources.All(Schemas);
    private static readonly OpenApiDocuments Documents = Make(1, BuiltIns, null);

    private static OpenApiDocuments Make(long epoch, IReadOnlyList<ResourceInfo> resources, OpenApiDocuments? previous) =>
        new(new ResourceSnapshot(epoch, resources), new MetaDefinitions(Schemas), "v1.34.0", previous);

    private static JsonObject Json(ReadOnlyMemory<byte> body) => (JsonObject)JsonNode.Parse(body.Span)!;

    private static JsonObject V2() => Json(Documents.V2(protobuf: false).Body);

    private static JsonObject Custom(string text) => (JsonObject)JsonNode.Parse(text)!;

    private static ResourceInfo Widget(string schema) => BuiltIns[0] with
    {
        Resource = new("stable.example.com", "v1", "widgets"), Kind = new("stable.example.com", "v1", "Widget"), Singular = "widget", Namespaced = true, IsCustom = true,
        Schema = CrdSchema.FromCrd(Custom(schema), new("stable.example.com", "v1", "Widget"), Schemas.FromType(typeof(Api.ObjectMeta))),
    };

    [Fact]
    public void A_patch_of_v3_lists_the_parameters_that_kubectl_looks_for()
    {
        var document = Json(Documents.V3("apis/apps/v1")!.Body);
        var patch = document["paths"]!["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]!["patch"]!;

        Assert.Equal("patch", patch["x-kubernetes-action"]!.ToString());
        Assert.Equal("""{"group":"apps","kind":"Deployment","version":"v1"}""", patch["x-kubernetes-group-version-kind"]!.ToJsonString());
        Assert.Equal("patchAppsV1NamespacedDeployment", patch["operationId"]!.ToString());
        var names = ((JsonArray)patch["parameters"]!).Select(p => p!["name"]!.ToString()).ToList();
        Assert.Superset(new HashSet<string> { "dryRun", "fieldManager", "fieldValidation", "force" }, names.ToHashSet());
        Assert.Equal(
            ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"],
            ((JsonObject)patch["requestBody"]!["content"]!).Select(c => c.Key));
    }

    [Fact]
    public void Definitions_carry_the_rules_of_merging()
    {
        var v2 = V2()["definitions"]!;
        var containers = v2["io.k8s.api.core.v1.PodSpec"]!["properties"]!["containers"]!;
        Assert.Equal("name", containers["x-kubernetes-patch-merge-key"]!.ToString());
        Assert.Equal("merge", containers["x-kubernetes-patch-strategy"]!.ToString());
        Assert.Equal("map", containers["x-kubernetes-list-type"]!.ToString());
        Assert.Equal("#/definitions/io.k8s.api.core.v1.Container", containers["items"]!["$ref"]!.ToString());
        Assert.Equal("retainKeys", v2["io.k8s.api.apps.v1.DeploymentSpec"]!["properties"]!["strategy"]!["x-kubernetes-patch-strategy"]!.ToString());
        Assert.Equal("""[{"group":"","kind":"Pod","version":"v1"}]""", v2["io.k8s.api.core.v1.Pod"]!["x-kubernetes-group-version-kind"]!.ToJsonString());
        Assert.Equal("string", v2["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]!["type"]!.ToString());
        Assert.Equal("int-or-string", v2["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]!["format"]!.ToString());

        var v3 = Json(Documents.V3("apis/apps/v1")!.Body)["components"]!["schemas"]!;
        var spec = v3["io.k8s.api.apps.v1.Deployment"]!["properties"]!["spec"]!;
        Assert.Equal("#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec", spec["allOf"]![0]!["$ref"]!.ToString());
    }

    [Fact]
    public void Every_reference_leads_to_a_definition()
    {
        var documents = new List<JsonObject> { V2() };
        var index = Json(Documents.V3Index.Body);
        documents.AddRange(((JsonObject)index["paths"]!).Select(p => Json(Documents.V3(p.Key)!.Body)));

        foreach (var document in documents)
        {
            foreach (var reference in References(document).Distinct())
            {
                JsonNode? at = document;
                foreach (var part in reference[2..].Split('/'))
                    at = at?[part];
                Assert.True(at is JsonObject, $"{reference} leads nowhere");
            }
        }
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(m => m.Key == "$ref" && m.Value is JsonValue text ? [text.GetValue<string>()] : References(m.Value)),
        JsonArray items => items.SelectMany(References),
        _ => [],
    };

    [Fact]
    public void The_index_leads_to_each_version_by_the_hash_of_its_document()
    {
        var index = (JsonObject)Json(Documents.V3Index.Body)["paths"]!;

        Assert.Equal($"/openapi/v3/apis/apps/v1?hash={Documents.V3("apis/apps/v1")!.Hash}", index["apis/apps/v1"]!["serverRelativeURL"]!.ToString());
        Assert.Equal(Documents.V3("api/v1")!.Hash, Make(9, BuiltInResources.All(new SchemaReader()), null).V3("api/v1")!.Hash);
        Assert.Null(Documents.V3("apis/none/v1"));
    }

    [Fact]
    public void A_new_custom_kind_changes_its_own_document_alone()
    {
        var next = Make(2, [.. BuiltIns, Widget("""{"type":"object"}""")], Documents);

        Assert.Same(Documents.V3("apis/apps/v1"), next.V3("apis/apps/v1"));
        Assert.NotNull(next.V3("apis/stable.example.com/v1"));
        Assert.NotEqual(Documents.V3Index.Hash, next.V3Index.Hash);
    }

    [Fact]
    public void A_custom_kind_is_described_as_far_as_each_version_can()
    {
        var documents = Make(2, [Widget("""
            {"type":"object","properties":{"spec":{"type":"object","description":"Wanted.","required":["size"],"properties":{
              "size":{"type":"integer","minimum":1,"nullable":true},
              "port":{"x-kubernetes-int-or-string":true},
              "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
              "items":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],"items":{"type":"object","properties":{"name":{"type":"string"}}}}}}}}
            """)], null);
        var v2 = Json(documents.V2(false).Body)["definitions"]!["com.example.stable.v1.Widget"]!;
        var v3 = Json(documents.V3("apis/stable.example.com/v1")!.Body)["components"]!["schemas"]!["com.example.stable.v1.Widget"]!;

        Assert.Equal("Wanted.", v2["properties"]!["spec"]!["description"]!.ToString());
        // Swagger 2 knows neither null nor unions: without a type a client lets everything pass.
        Assert.Null(v2["properties"]!["spec"]!["properties"]!["size"]!["type"]);
        Assert.Null(v2["properties"]!["spec"]!["properties"]!["port"]!["type"]);
        Assert.Null(v2["properties"]!["spec"]!["properties"]!["free"]!["type"]);
        Assert.Equal("true", v3["properties"]!["spec"]!["properties"]!["size"]!["nullable"]!.ToString());
        Assert.Equal("""["name"]""", v3["properties"]!["spec"]!["properties"]!["items"]!["x-kubernetes-list-map-keys"]!.ToJsonString());
        Assert.Equal("Widget", v3["x-kubernetes-group-version-kind"]![0]!["kind"]!.ToString());
    }

    [Fact]
    public void The_protobuf_form_says_what_the_json_form_says()
    {
        var json = V2();
        var paths = new List<string>();
        var definitions = new Dictionary<string, byte[]>();
        var document = new WireReader(Documents.V2(protobuf: true).Body.Span);
        while (document.Next())
        {
            // Document: 8 paths { 2 path { 1 name } }, 9 definitions { 1 entry { 1 name, 2 schema } }.
            if (document.Field is not (8 or 9))
                continue;
            var list = new WireReader(document.Bytes);
            while (list.Next())
            {
                var (name, value) = Named(list.Bytes);
                if (document.Field == 8)
                    paths.Add(name);
                else
                    definitions[name] = value;
            }
        }

        Assert.Equal(((JsonObject)json["paths"]!).Select(p => p.Key), paths);
        Assert.Equal(((JsonObject)json["definitions"]!).Select(d => d.Key), definitions.Keys);
        // Schema: 22 type { 1 value }, 25 properties.
        Assert.Contains("x-kubernetes-group-version-kind", Encoding.UTF8.GetString(definitions["io.k8s.api.core.v1.Pod"]), StringComparison.Ordinal);
        var fields = new List<int>();
        var pod = new WireReader(definitions["io.k8s.api.core.v1.PodSpec"]);
        while (pod.Next())
            fields.Add(pod.Field);
        Assert.Superset(new HashSet<int> { 19, 22, 25 }, fields.ToHashSet());
    }

    private static (string, byte[]) Named(ReadOnlySpan<byte> bytes)
    {
        var (name, value) = ("", Array.Empty<byte>());
        var entry = new WireReader(bytes);
        while (entry.Next())
        {
            if (entry.Field == 1)
                name = Encoding.UTF8.GetString(entry.Bytes);
            else
                value = entry.Bytes.ToArray();
        }

        return (name, value);
    }

    [Fact]
    public async Task The_server_gives_each_client_the_form_it_asks_for()
    {
        await using var server = await SecureServer.StartAsync();
        using var ann = server.As("ann");

        Assert.Equal("application/json", (await ann.GetAsync("/openapi/v2")).Expect(200).MediaType);
        Assert.Equal(
            "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
            (await ann.GetAsync("/openapi/v2", ("Accept", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"))).Expect(200).MediaType);
        var index = (await ann.GetAsync("/openapi/v3")).Expect(200).Body;
        Assert.Equal(200, (await ann.GetAsync(index["paths"]!["api/v1"]!["serverRelativeURL"]!.ToString())).Code);
        Assert.Equal(404, (await ann.GetAsync("/openapi/v3/apis/none/v1")).Code);
    }
}
