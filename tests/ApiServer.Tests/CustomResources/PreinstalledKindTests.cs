using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.ApiExtensions;
using Weft.Api.Schemas;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Strategies.ApiExtensions;
using Weft.ApiServer.Tests.Kit;
using Weft.Storage.Memory;
using Weft.Testing;
using static Weft.ApiServer.Tests.CustomResources.CustomServer;

namespace Weft.ApiServer.Tests.CustomResources;

/// <summary>A kind of this test, as those that come with the program.</summary>
[Kind("light.example.com", "v1", "Lantern", ShortNames = ["ln"], Categories = ["lights"], DefinitionPrefix = "com.example.light.v1")]
public sealed record Lantern : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();
    public LanternSpec Spec { get; init; } = new();
    public LanternStatus Status { get; init; } = new();
}

public sealed record LanternSpec
{
    [Must, OneOf("red", "white")] public string Colour { get; init; } = "";
    [RangeOf(0, 100), Default("50")] public int? Brightness { get; init; }
    public int? Replicas { get; init; }
    public IntOrString? Port { get; init; }
    public Quantity? Oil { get; init; }
    public DateTimeOffset? Since { get; init; }
    [Immutable] public string? Maker { get; init; }
    [List(ListType.Map, "name")] public IReadOnlyList<LanternPart> Parts { get; init; } = [];
    [List(ListType.Set)] public IReadOnlyList<string> Tags { get; init; } = [];
    public IReadOnlyDictionary<string, string> Notes { get; init; } = new Dictionary<string, string>();
    public LabelSelector? Selector { get; init; }
    public JsonObject? Free { get; init; }
    public JsonNode? Any { get; init; }
}

public sealed record LanternPart
{
    [Must] public string Name { get; init; } = "";
    public bool? Works { get; init; }
}

public sealed record LanternStatus
{
    public int? Replicas { get; init; }
}

/// <summary>Contains itself: no definition can say it.</summary>
[Kind("light.example.com", "v1", "Chain", DefinitionPrefix = "com.example.light.v1")]
public sealed record Chain : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();
    public ChainLink? Spec { get; init; }
}

public sealed record ChainLink
{
    public ChainLink? Next { get; init; }
}

/// <summary>A C# type becomes a definition that the server installs, and that is then the user's.</summary>
public sealed class PreinstalledKindTests
{
    private const string Lanterns = "/apis/light.example.com/v1/namespaces/default/lanterns";
    private const string Path = Definitions + "/lanterns.light.example.com";

    private static readonly PreinstalledKind Kind = PreinstalledKind.Of<Lantern>() with
    {
        OlderVersions = ["v1beta1", "v1alpha1"],
        Deprecated = new Dictionary<string, string?> { ["v1alpha1"] = "light.example.com/v1alpha1 Lantern is old; use v1" },
        Columns = [new("Colour", "string", ".spec.colour", "What it shows."), new("Oil", "string", ".spec.oil", Priority: 1)],
        Scale = (".spec.replicas", ".status.replicas", null),
    };

    private static JsonObject Manifest(string? descriptions = null) => CrdManifest.Of(Kind, new SchemaReader(descriptions is null ? null : new Descriptions(descriptions)));

    [Fact]
    public void The_definition_says_what_the_type_says()
    {
        var crd = Manifest();
        Assert.Equal("lanterns.light.example.com", crd["metadata"]!["name"]!.GetValue<string>());
        Assert.Equal("""{"plural":"lanterns","singular":"lantern","kind":"Lantern","listKind":"LanternList","shortNames":["ln"],"categories":["lights"]}""", crd["spec"]!["names"]!.ToJsonString());
        var versions = crd["spec"]!["versions"]!.AsArray();
        Assert.Equal(["v1 True", "v1beta1 False", "v1alpha1 False"], versions.Select(version => $"{version!["name"]} {version["storage"]!.GetValue<bool>()}"));
        Assert.Equal("""{"status":{},"scale":{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas"}}""", versions[0]!["subresources"]!.ToJsonString());

        var schema = versions[0]!["schema"]!["openAPIV3Schema"]!;
        Assert.Empty(StructuralSchema.Validate(new Field(schema, "s")));
        var spec = schema["properties"]!["spec"]!;
        Assert.Equal("""["colour"]""", spec["required"]!.ToJsonString());
        string Member(string name) => spec["properties"]![name]!.ToJsonString();
        Assert.Equal("""{"type":"string","enum":["red","white"]}""", Member("colour"));
        Assert.Equal("""{"type":"integer","format":"int32","default":50,"minimum":0,"maximum":100}""", Member("brightness"));
        Assert.Equal("""{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]}""", Member("port"));
        Assert.Equal(Member("port"), Member("oil"));
        Assert.Equal("""{"type":"string","format":"date-time"}""", Member("since"));
        Assert.Equal("""{"type":"string","x-kubernetes-validations":[{"rule":"self == oldSelf","message":"field is immutable"}]}""", Member("maker"));
        Assert.Equal("""{"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"set"}""", Member("tags"));
        Assert.Equal("""{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"works":{"type":"boolean"}},"required":["name"]},"x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"]}""", Member("parts"));
        Assert.Equal("""{"type":"object","additionalProperties":{"type":"string"}}""", Member("notes"));
        Assert.Equal("""{"type":"object","x-kubernetes-preserve-unknown-fields":true}""", Member("free"));
        Assert.Equal("""{"x-kubernetes-preserve-unknown-fields":true}""", Member("any"));
        // A type of the program brings its descriptions.
        Assert.NotEqual("", spec["properties"]!["selector"]!["properties"]!["matchLabels"]!["description"]!.GetValue<string>());
    }

    [Fact]
    public void Docstrings_become_descriptions()
    {
        using var folder = new TempDir();
        var file = System.IO.Path.Combine(folder.Path, "types.xml");
        File.WriteAllText(file, $"""
            <doc><members><member name="T:{typeof(Lantern).FullName}"><summary>A light.</summary></member>
            <member name="P:{typeof(LanternSpec).FullName}.Colour"><summary>What it shows.</summary></member></members></doc>
            """);
        var schema = Manifest(file)["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!;
        Assert.Equal("A light.", schema["description"]!.GetValue<string>());
        Assert.Equal("What it shows.", schema["properties"]!["spec"]!["properties"]!["colour"]!["description"]!.GetValue<string>());
    }

    [Fact]
    public void A_type_that_contains_itself_is_refused_by_name()
    {
        var error = Assert.Throws<NotSupportedException>(() => CrdManifest.Of(PreinstalledKind.Of<Chain>(), new SchemaReader()));
        Assert.StartsWith("Chain: 'spec.next.next", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_kind_is_served_from_the_start_like_any_custom_one()
    {
        await using var server = await CustomServer.StartAsync(parts: parts => parts with { Preinstalled = [new(Kind, () => Manifest())] });
        (await server.GetAsync(Lanterns)).Expect(200); // at the first request, not some time after
        var made = (await server.PostAsync("/apis/light.example.com/v1alpha1/namespaces/default/lanterns", """{"metadata":{"name":"a"},"spec":{"colour":"red","oil":"1Gi","maker":"m","more":1}}""")).Expect(201);
        Assert.Contains("299 - \"light.example.com/v1alpha1 Lantern is old; use v1\"", made.Warnings);
        Assert.Equal("""{"colour":"red","oil":"1Gi","maker":"m","brightness":50}""", (await server.GetAsync($"{Lanterns}/a")).Body["spec"]!.ToJsonString());
        (await server.PatchAsync($"{Lanterns}/a", "merge-patch+json", """{"spec":{"maker":"n"}}""")).Expect(422);
        (await server.PatchAsync($"{Lanterns}/a/scale", "merge-patch+json", """{"spec":{"replicas":3}}""")).Expect(200);
    }

    [Fact]
    public async Task A_definition_applied_over_it_is_an_ordinary_update_and_survives_a_restart()
    {
        await using var store = new MemoryStore(TimeProvider.System);
        var own = (JsonObject)JsonNode.Parse(Things("""{"type":"object","properties":{"official":{"type":"string"}}}"""))!;
        own["metadata"]!["name"] = "lanterns.light.example.com";
        own["spec"]!["group"] = "light.example.com";
        own["spec"]!["names"] = new JsonObject { ["plural"] = "lanterns", ["kind"] = "Lantern", ["singular"] = "lantern" };
        ApiServerParts Preinstalled(ApiServerParts parts) => parts with { Preinstalled = [new(Kind, () => Manifest())] };

        var first = await CustomServer.StartAsync(store, Preinstalled);
        await Eventually.TrueAsync(async () => (await first.GetAsync(Lanterns)).Code == 200);
        // Without force: nobody owns what the server put there.
        (await first.ApplyAsync(Path, "user", own.ToJsonString())).Expect(200);
        var applied = (await first.GetAsync(Path)).Body;
        Assert.Equal(["v1"], applied["spec"]!["versions"]!.AsArray().Select(version => version!["name"]!.GetValue<string>()));
        await first.Host.DisposeAsync();

        var second = await CustomServer.StartAsync(store, Preinstalled);
        await Eventually.TrueAsync(async () => (await second.GetAsync(Lanterns)).Code == 200);
        Assert.Equal(applied["metadata"]!["uid"]!.GetValue<string>(), (await second.GetAsync(Path)).Body["metadata"]!["uid"]!.GetValue<string>());
        Assert.Equal("""{"official":"yes"}""", (await second.PostAsync(Lanterns, """{"metadata":{"name":"a"},"spec":{"official":"yes","colour":"red"}}""")).Expect(201).Body["spec"]!.ToJsonString());
        await second.Host.DisposeAsync();
    }
}
