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
    public async Task An_official_definition_applied_over_it_takes_its_place_and_the_warnings_stay()
    {
        await using var server = await StartAsync();
        const string Open = """{"type":"object","properties":{"spec":{"type":"object","x-kubernetes-preserve-unknown-fields":true},"status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}""";
        var official = new JsonObject
        {
            ["apiVersion"] = "apiextensions.k8s.io/v1", ["kind"] = "CustomResourceDefinition", ["metadata"] = new JsonObject { ["name"] = "virtualservices.networking.istio.io" },
            ["spec"] = new JsonObject
            {
                ["group"] = "networking.istio.io", ["scope"] = "Namespaced",
                ["names"] = new JsonObject { ["plural"] = "virtualservices", ["singular"] = "virtualservice", ["kind"] = "VirtualService", ["listKind"] = "VirtualServiceList", ["shortNames"] = new JsonArray("vs") },
                ["versions"] = new JsonArray([.. new[] { "v1", "v1alpha3", "v1beta1" }.Select(version => (JsonNode)new JsonObject
                {
                    ["name"] = version, ["served"] = true, ["storage"] = version == "v1", ["subresources"] = new JsonObject { ["status"] = new JsonObject() },
                    ["schema"] = new JsonObject { ["openAPIV3Schema"] = JsonNode.Parse(Open) },
                })]),
            },
        };
        (await server.ApplyAsync($"{Definitions}/virtualservices.networking.istio.io", "helm", official.ToJsonString())).Expect(200);
        await Eventually.TrueAsync(async () =>
        {
            var made = await server.PostAsync(VirtualServices + "?dryRun=All", """{"metadata":{"name":"web"},"spec":{"hosts":["web"],"new":1,"http":[{"rewrite":{"regex":"a"}}]}}""");
            return made.Code == 201 && made.Warnings.Count() == 1 && made.Body["spec"]!["new"] is not null;
        });
    }

    private static string Folder([CallerFilePath] string here = "") => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(here)!, "seeds");
}
