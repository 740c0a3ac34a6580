using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Weft.Api.ApiExtensions;
using Weft.Api.Istio;
using Weft.Api.Schemas;
using Weft.Api.Trees;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Strategies.ApiExtensions;
using Weft.ApiServer.Tests.Kit;
using Weft.Testing;
using static Weft.ApiServer.Tests.CustomResources.CustomServer;

namespace Weft.ApiServer.Tests.CustomResources;

/// <summary>Istio's kinds as a cluster has them from its start: manifests in the wild are taken as they stand, and old forms are answered with the modern one.</summary>
public sealed class MeshKindTests
{
    private const string VirtualServices = "/apis/networking.istio.io/v1/namespaces/default/virtualservices";

    private static readonly IReadOnlyList<PreinstalledKind> Kinds = MeshKinds.All();

    private static Task<TestServer> StartAsync() => CustomServer.StartAsync(parts: parts => parts with
    {
        Preinstalled = [.. Kinds.Select(kind => PreinstalledDefinition.Of(kind, new SchemaReader()))], Admission = [.. parts.Admission, new PreinstalledWarnings(Kinds)],
    });

    public static TheoryData<string, string, string?> Seeds => new()
    {
        { "001-destinationrule-hello-world.yaml", "/apis/networking.istio.io/v1alpha3/namespaces/default/destinationrules/hello-world", null },
        { "001-virtualservice-hello-world.yaml", "/apis/networking.istio.io/v1alpha3/namespaces/default/virtualservices/hello-world", null },
        { "003-virtualservice-nginx.yaml", "/apis/networking.istio.io/v1alpha3/namespaces/default/virtualservices/nginx", "write uriRegexRewrite with match and rewrite, and \\\\1 for $1" },
        { "003-policy-nginx.yaml", "/apis/security.istio.io/v1beta1/namespaces/default/policies/nginx", "write security.istio.io/v1 PeerAuthentication" },
        { "001-servicemesh-linkerd.yaml", "/apis/linkerd.io/v1alpha1/servicemeshes/linkerd", "dns.domain is one more zone of the cluster's names" },
    };

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task A_manifest_in_the_wild_is_taken_and_answered_with_the_modern_form(string file, string path, string? warning)
    {
        await using var server = await StartAsync();
        var tree = YamlTree.Parse(File.ReadAllText(System.IO.Path.Combine(Folder(), file))).Root!.AsObject();
        var applied = await server.ApplyAsync(path, "kubectl", tree.ToJsonString());
        Assert.Equal(201, applied.Code);
        // Nothing else is warned of: no member is unknown.
        Assert.Equal(warning is null ? 0 : 1, applied.Warnings.Count());
        if (warning is not null)
            Assert.Contains(warning, applied.Warnings.Single(), StringComparison.Ordinal);
        var read = (await server.GetAsync(path)).Expect(200).Body;
        // The null beside the mode is as absent.
        (tree["spec"]!["peers"]?[0] as JsonObject)?.Remove("mtls");
        Assert.Equal(tree["spec"]!.ToJsonString(), read["spec"]!.ToJsonString());
    }

    [Fact]
    public void The_definitions_are_structural()
    {
        foreach (var kind in Kinds)
        {
            foreach (var version in CrdManifest.Of(kind, new SchemaReader())["spec"]!["versions"]!.AsArray())
                Assert.Empty(StructuralSchema.Validate(new Field(version!["schema"]!["openAPIV3Schema"]!, "s")));
        }
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1beta1")]
    [InlineData("v1alpha3")]
    public async Task All_versions_show_the_same_objects(string version)
    {
        await using var server = await StartAsync();
        (await server.PostAsync($"/apis/networking.istio.io/{version}/namespaces/default/virtualservices", """{"metadata":{"name":"web"},"spec":{"hosts":["web"]}}""")).Expect(201);
        foreach (var other in new[] { "v1", "v1beta1", "v1alpha3" })
            Assert.Equal($"networking.istio.io/{other}", (await server.GetAsync($"/apis/networking.istio.io/{other}/namespaces/default/virtualservices/web")).Expect(200).Body["apiVersion"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_status_is_written_apart_and_a_write_of_it_is_not_warned_of()
    {
        await using var server = await StartAsync();
        (await server.PostAsync(VirtualServices, """{"metadata":{"name":"web"},"spec":{"hosts":["web"],"http":[{"rewrite":{"regex":"a","replacement":"b"}}]},"status":{"observedGeneration":9}}""")).Expect(201);
        Assert.Null((await server.GetAsync($"{VirtualServices}/web")).Body["status"]?["observedGeneration"]);
        var written = (await server.PatchAsync($"{VirtualServices}/web/status", "merge-patch+json",
            """{"status":{"observedGeneration":1,"conditions":[{"type":"Programmed","status":"True"}],"validationMessages":[{"level":"ERROR","type":{"code":"X"},"field":"f","message":"m"}]}}""")).Expect(200);
        Assert.Empty(written.Warnings);
        Assert.Equal("""{"level":"ERROR","type":{"code":"X"},"field":"f","message":"m"}""", written.Body["status"]!["validationMessages"]![0]!.ToJsonString());
        Assert.Equal(1, written.Body["metadata"]!["generation"]!.GetValue<int>());
    }

    // Every part of the mesh reads the objects by type: one that does not fit would blind it to all others.
    [Theory]
    [InlineData("""{"hosts":["web"],"http":[{"route":[{"destination":{"host":"a"},"weight":99999999999}]}]}""")]
    [InlineData("""{"hosts":["web"],"http":[{"route":[{"destination":{"host":"a"},"weight":-2147483649}]}]}""")]
    [InlineData("""{"hosts":["web"],"http":[{"route":[{"destination":{"host":"a"},"weight":1.5}]}]}""")]
    [InlineData("""{"hosts":["web"],"http":[{"retries":{"attempts":4294967296}}]}""")]
    [InlineData("""{"hosts":"web"}""")]
    [InlineData("""{"hosts":[null]}""")]
    public async Task What_the_type_cannot_hold_is_refused(string spec)
    {
        await using var server = await StartAsync();
        Assert.Equal(422, (await server.PostAsync(VirtualServices, $$"""{"metadata":{"name":"web"},"spec":{{spec}}}""")).Code);
    }

    [Theory]
    [MemberData(nameof(Kubectl.Programs), MemberType = typeof(Kubectl))]
    public async Task Kubectl_waits_for_programmed_and_shows_the_columns(string program)
    {
        await using var server = await StartAsync();
        using var kubectl = new Kubectl(program, server.Host.Address);
        (await server.PostAsync(VirtualServices, """{"metadata":{"name":"web"},"spec":{"hosts":["web"],"gateways":["door"]}}""")).Expect(201);
        var waiting = kubectl.OutputAsync("", "wait", "--for=condition=Programmed", "vs/web", "--timeout=30s");
        (await server.PatchAsync($"{VirtualServices}/web/status", "merge-patch+json", """{"status":{"conditions":[{"type":"Programmed","status":"True","observedGeneration":1}]}}""")).Expect(200);
        Assert.Contains("condition met", await waiting, StringComparison.Ordinal);
        var shown = (await kubectl.OutputAsync("", "get", "vs", "-o", "wide")).Split('\n');
        Assert.Equal(["NAME", "GATEWAYS", "HOSTS", "AGE", "PROGRAMMED"], shown[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Matches("""^web +\["door"\] +\["web"\] +\S+ +True *$""", shown[1]);
        var (code, _, warning) = await kubectl.RunAsync(File.ReadAllText(System.IO.Path.Combine(Folder(), "003-policy-nginx.yaml")), "apply", "-f", "-");
        Assert.Equal(0, code);
        Assert.Contains("Warning: security.istio.io/v1beta1 Policy is an old form", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Definitions_of_others_are_structural()
    {
        foreach (var version in Kinds.Select(StrictDefinitions.Of).SelectMany(definition => definition["spec"]!["versions"]!.AsArray()))
            Assert.Empty(StructuralSchema.Validate(new Field(version!["schema"]!["openAPIV3Schema"]!, "s")));
    }

    // As Istio's own are: stricter, stored in another version, and without the old forms.
    [Fact]
    public async Task Definitions_of_others_applied_over_them_meet_no_conflict_and_old_manifests_keep_what_they_say()
    {
        await using var server = await StartAsync();
        (await server.PostAsync(VirtualServices, """{"metadata":{"name":"before"},"spec":{"hosts":["web"],"http":[{"rewrite":{"regex":"a","replacement":"b"}}]}}""")).Expect(201);
        foreach (var kind in Kinds)
            (await server.ApplyAsync($"{Definitions}/{kind.Kind.Plural}.{kind.Kind.Kind.Group}", "helm", StrictDefinitions.Of(kind).ToJsonString())).Expect(200);
        await ServesThemAsync(server);

        Assert.Equal("""{"regex":"a","replacement":"b"}""", (await server.GetAsync($"{VirtualServices}/before")).Expect(200).Body["spec"]!["http"]![0]!["rewrite"]!.ToJsonString());
        foreach (var row in Seeds)
        {
            var (file, path, warning) = row.Data;
            var applied = await server.ApplyAsync(path, "kubectl", YamlTree.Parse(File.ReadAllText(System.IO.Path.Combine(Folder(), file))).Root!.ToJsonString());
            Assert.Equal(201, applied.Code);
            Assert.Equal(warning is null ? 0 : 1, applied.Warnings.Count());
        }
        Assert.Equal("""{"regex":"(.*)","replacement":"$1"}""", (await server.GetAsync($"{VirtualServices}/nginx")).Expect(200).Body["spec"]!["http"]![0]!["rewrite"]!.ToJsonString());

        // What is wrong with an object is told whole.
        var status = """{"validationMessages":[{"level":"ERROR","type":{"code":"X"},"field":"f","message":"m","other":1}]}""";
        var told = (await server.PatchAsync($"{VirtualServices}/before/status", "merge-patch+json", $$"""{"status":{{status}}}""")).Expect(200).Body["status"]!["validationMessages"]![0]!;
        Assert.Equal("f m", $"{told["field"]} {told["message"]}");
        Assert.Null(told["other"]);

        // Their own rules hold, and what they do not know is pruned.
        Assert.Equal(422, (await server.PostAsync(VirtualServices, """{"metadata":{"name":"x"},"spec":{"hosts":["web"],"http":[{"timeout":"0s"}]}}""")).Code);
        Assert.Equal(422, (await server.PostAsync(VirtualServices, """{"metadata":{"name":"x"},"spec":{"hosts":["web"],"http":[{"match":[{"uri":{"exact":"/","prefix":"/"}}]}]}}""")).Code);
        Assert.Null((await server.PostAsync(VirtualServices, """{"metadata":{"name":"x"},"spec":{"hosts":["web"],"unknown":1}}""")).Expect(201).Body["spec"]!["unknown"]);
    }

    [Theory]
    [MemberData(nameof(Kubectl.Programs), MemberType = typeof(Kubectl))]
    public async Task Kubectl_applies_definitions_of_others_either_way_and_old_manifests_after_them(string program)
    {
        foreach (var way in (string[][])[["apply", "-f", "-"], ["apply", "--server-side", "-f", "-"]])
        {
            await using var server = await StartAsync();
            using var kubectl = new Kubectl(program, server.Host.Address);
            // A list: documents of JSON with a line between them are more than kubectl 1.20 can read.
            var all = $$"""{"apiVersion":"v1","kind":"List","items":[{{string.Join(',', Kinds.Select(StrictDefinitions.Of).Concat(StrictDefinitions.Others()).Select(definition => definition.ToJsonString()))}}]}""";
            await kubectl.OutputAsync(all, way);
            await ServesThemAsync(server);
            var (code, output, warning) = await kubectl.RunAsync(File.ReadAllText(System.IO.Path.Combine(Folder(), "003-virtualservice-nginx.yaml")), "apply", "-f", "-");
            Assert.True(code == 0, warning + output);
            Assert.Contains("uriRegexRewrite", warning, StringComparison.Ordinal);
            Assert.Equal("$1", await kubectl.OutputAsync("", "get", "vs", "nginx", "-o", "jsonpath={.spec.http[0].rewrite.replacement}"));
            Assert.Contains("Hosts that the rules are for", await kubectl.OutputAsync("", "explain", "virtualservices.spec"), StringComparison.Ordinal);

            var (made, _, told) = await kubectl.RunAsync("""{"apiVersion":"networking.istio.io/v1alpha1","kind":"WorkloadGroup","metadata":{"name":"a"},"spec":{"template":{}}}""", "apply", "-f", "-");
            Assert.Equal(0, made);
            Assert.Contains("Warning: networking.istio.io WorkloadGroup has no effect here: nothing registers workloads by it; write a WorkloadEntry for each", told, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("networking.istio.io", "envoyfilters", "EnvoyFilter", "EnvoyFilter has no effect here: the proxies are not Envoy")]
    [InlineData("networking.istio.io", "proxyconfigs", "ProxyConfig", "ProxyConfig has no effect here: the proxies are one process of each node")]
    [InlineData("extensions.istio.io", "wasmplugins", "WasmPlugin", "WasmPlugin has no effect here: the proxies run no plugins")]
    public async Task A_kind_that_has_no_effect_is_warned_of(string group, string plural, string kind, string warning)
    {
        await using var server = await StartAsync();
        foreach (var other in StrictDefinitions.Others())
            await server.EstablishAsync(other.ToJsonString());
        var made = (await server.PostAsync($"/apis/{group}/v1alpha1/namespaces/default/{plural}", $$"""{"kind":"{{kind}}","apiVersion":"{{group}}/v1alpha1","metadata":{"name":"a"},"spec":{} }""")).Expect(201);
        Assert.Contains(warning, Assert.Single(made.Warnings), StringComparison.Ordinal);
    }

    // The stored definitions are others' at once; served they are a moment later.
    private static Task ServesThemAsync(TestServer server) => Eventually.TrueAsync(async () =>
        (await server.PostAsync(VirtualServices + "?dryRun=All", """{"metadata":{"name":"web"},"spec":{"hosts":["web"],"http":[{"timeout":"0s"}]}}""")).Code == 422);

    private static string Folder([CallerFilePath] string here = "") => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(here)!, "seeds");
}
