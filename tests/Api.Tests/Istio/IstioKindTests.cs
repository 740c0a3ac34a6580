using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Istio;
using Weft.Api.Json;
using Weft.Api.Schemas;
using Weft.Api.Trees;

namespace Weft.Api.Tests.Istio;

/// <summary>The schemas that custom resources of Istio's kinds get. To accept a change on purpose: run once with WEFT_ACCEPT_GOLDENS=1 and read the diff.</summary>
public sealed class IstioKindTests
{
    private static readonly SchemaReader Reader = new();

    public static TheoryData<string> Kinds => [.. IstioKinds.All().Select(kind => kind.Kind.Kind)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_kind_has_the_schema_of_its_golden(string name)
    {
        var kind = IstioKinds.All().Single(kind => kind.Kind.Kind == name);
        var text = new StringBuilder($"{kind.Resource} {string.Join(' ', kind.OlderVersions.Prepend(kind.Kind.Version))}\n");
        Write(text, "", Reader.FromType(kind.Type).Properties["spec"], "spec");
        var file = Path.Combine(Folder(), name + ".txt");
        if (Environment.GetEnvironmentVariable("WEFT_ACCEPT_GOLDENS") == "1")
            File.WriteAllText(file, text.ToString());
        Assert.True(File.Exists(file), $"{name} has no golden: run once with WEFT_ACCEPT_GOLDENS=1");
        Assert.Equal(File.ReadAllText(file), text.ToString(), ignoreLineEndingDifferences: true);
    }

    /// <summary>Each namespace may have tables of its own at every node.</summary>
    [Theory]
    [InlineData("VirtualService")]
    [InlineData("DestinationRule")]
    [InlineData("ServiceEntry")]
    public void An_object_is_exported_to_some_namespaces(string name) =>
        Assert.Equal(256, Reader.FromType(IstioKinds.All().Single(kind => kind.Kind.Kind == name).Type).Properties["spec"].Properties["exportTo"].MaxItems);

    [Fact]
    public void No_kind_is_built_in_as_well()
    {
        Assert.Empty(IstioKinds.Types.Intersect(BuiltInKinds.Types));
        Assert.Equal(IstioKinds.Types.Count, IstioKinds.All().Select(kind => kind.Resource).Distinct().Count());
    }

    [Fact]
    public void The_old_policy_becomes_a_peer_authentication()
    {
        var old = Read<OldPolicy>("{spec: {peers: [{mtls: null, mode: STRICT}], podSelector: {app: nginx}}}");
        var modern = old.ToPeerAuthentication().Spec;
        Assert.Equal("STRICT", modern.Mtls?.Mode);
        Assert.Equal("nginx", modern.Selector?.MatchLabels["app"]);
        // As it was: mtls without a mode means STRICT, and a mode inside counts before one beside.
        Assert.Equal("STRICT", Read<OldPolicy>("{spec: {peers: [{mtls: {}}]}}").ToPeerAuthentication().Spec.Mtls?.Mode);
        Assert.Equal("PERMISSIVE", Read<OldPolicy>("{spec: {peers: [{mtls: {mode: PERMISSIVE}, mode: STRICT}]}}").ToPeerAuthentication().Spec.Mtls?.Mode);
        Assert.Null(Read<OldPolicy>("{spec: {}}").ToPeerAuthentication().Spec.Mtls);
    }

    [Fact]
    public void A_tree_that_is_read_and_written_is_the_same()
    {
        var tree = YamlTree.Parse("""
            apiVersion: networking.istio.io/v1alpha3
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [a]
              http:
              - match: [{uri: {prefix: /}, ignoreUriCase: true, queryParams: {v: {exact: "1"}}, withoutHeaders: {x: {}}}]
                rewrite: {uriRegexRewrite: {match: a, rewrite: b}, regex: (.*), replacement: $1}
                route: [{destination: {host: a, port: {number: 80}}, weight: 0}]
                mirrorPercentage: {value: 0.5}
            """).Root!;
        var again = ApiJson.ToTree(ApiJson.FromTree<VirtualService>(tree));
        Assert.True(JsonNode.DeepEquals(tree, again), again.ToJsonString());
    }

    [Theory]
    [InlineData("ServiceEntry", "hosts", 256)]
    [InlineData("VirtualService", "hosts", 1024)]
    [InlineData("Gateway", "servers[0].hosts", 1024)]
    public void A_list_of_hosts_has_an_end(string name, string field, int most)
    {
        var schema = Reader.FromType(IstioKinds.All().Single(kind => kind.Kind.Kind == name).Type);
        Assert.Empty(Errors(most));
        Assert.Equal([$"spec.{field}: Too many: {most + 1}: must have at most {most} items"], Errors(most + 1));

        IEnumerable<string> Errors(int count)
        {
            var hosts = string.Join(", ", Enumerable.Range(0, count).Select(i => $"h{i}.example"));
            var spec = name == "Gateway" ? $"servers: [{{port: {{number: 80, protocol: HTTP, name: http}}, hosts: [{hosts}]}}]" : $"hosts: [{hosts}]";
            return StructuralValidator.Validate(YamlTree.Parse($"{{metadata: {{name: a}}, spec: {{{spec}}}}}").Root!.AsObject(), schema).Select(error => error.ToString());
        }
    }

    private static T Read<T>(string yaml) => ApiJson.FromTree<T>(YamlTree.Parse(yaml).Root!);

    private static void Write(StringBuilder text, string indent, Schema schema, string name)
    {
        var rules = (schema.Enum.Count > 0 ? $" {string.Join('|', schema.Enum)}" : "") + (schema.Minimum is { } least ? $" {least}..{schema.Maximum}" : "");
        var (inner, form) = schema.Items is { } items ? (items, "[]") : schema.AdditionalProperties is { } values ? (values, "{}") : (schema, "");
        text.Append($"{indent}{name}{form}: {inner.Type.ToString().ToLowerInvariant()}{rules}\n");
        foreach (var (member, of) in inner.Properties.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            Write(text, indent + "  ", of, member + (inner.Required.Contains(member) ? "!" : ""));
    }

    private static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "Golden");
}
