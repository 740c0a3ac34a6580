using System.Text.Json.Nodes;
using Weft.Api.ApiExtensions;
using Weft.Api.GatewayApi;
using Weft.Api.Schemas;
using Weft.Api.Trees;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Strategies.ApiExtensions;
using Weft.ApiServer.Tests.Kit;
using Weft.Storage.Memory;
using Weft.Testing;
using static Weft.ApiServer.Tests.CustomResources.CustomServer;

namespace Weft.ApiServer.Tests.CustomResources;

/// <summary>The kinds of the Gateway API as a cluster has them from its start: defaults and rules as the specification has them, and who writes one is told that nothing serves it.</summary>
public sealed class GatewayKindTests
{
    private const string Group = "/apis/gateway.networking.k8s.io";
    private const string Classes = $"{Group}/v1/gatewayclasses";
    private const string Gateways = $"{Group}/v1/namespaces/default/gateways";
    private const string Routes = $"{Group}/v1/namespaces/default/httproutes";

    private static readonly IReadOnlyList<PreinstalledKind> Kinds = GatewayKinds.Preinstalled();

    private static Task<TestServer> StartAsync()
    {
        var store = new MemoryStore(TimeProvider.System);
        return CustomServer.StartAsync(store, parts => parts with
        {
            Preinstalled = [.. Kinds.Select(kind => PreinstalledDefinition.Of(kind, new SchemaReader()))],
            Admission = [.. parts.Admission, new PreinstalledWarnings(Kinds), new GatewayWarnings(new StoredObjects(store))],
        });
    }

    [Fact]
    public void The_definitions_are_structural_and_their_rules_compile()
    {
        foreach (var kind in Kinds)
        {
            foreach (var version in CrdManifest.Of(kind, new SchemaReader())["spec"]!["versions"]!.AsArray())
                Assert.Empty(StructuralSchema.Validate(new Field(version!["schema"]!["openAPIV3Schema"]!, kind.Kind.Plural)));
        }
    }

    [Fact]
    public async Task A_gateway_waits_for_a_controller_and_says_so()
    {
        await using var server = await StartAsync();
        var made = (await server.PostAsync(Gateways, """{"metadata":{"name":"web"},"spec":{"gatewayClassName":"x","listeners":[{"name":"http","port":80,"protocol":"HTTP"}]}}""")).Expect(201);
        Assert.Contains("nothing of this cluster serves the Gateway API, and there is no GatewayClass 'x' of a controller that you run: write Ingress (networking.k8s.io/v1), or Gateway and VirtualService of Istio (networking.istio.io/v1)", Assert.Single(made.Warnings), StringComparison.Ordinal);
        var read = (await server.GetAsync($"{Gateways}/web")).Body;
        Assert.Equal("""{"namespaces":{"from":"Same"}}""", read["spec"]!["listeners"]![0]!["allowedRoutes"]!.ToJsonString());
        Assert.Equal(["Accepted", "Programmed"], read["status"]!["conditions"]!.AsArray().Select(condition => condition!["type"]!.GetValue<string>()));
        Assert.All(read["status"]!["conditions"]!.AsArray(), condition =>
        {
            Assert.Equal("Unknown", condition!["status"]!.GetValue<string>());
            Assert.Equal("Pending", condition["reason"]!.GetValue<string>());
            Assert.Equal("Waiting for controller", condition["message"]!.GetValue<string>());
        });
        Assert.Equal("gateway.networking.k8s.io/v1beta1", (await server.GetAsync($"{Group}/v1beta1/namespaces/default/gateways/web")).Expect(200).Body["apiVersion"]!.GetValue<string>());
    }

    [Fact]
    public async Task With_a_class_that_a_controller_has_accepted_nothing_is_warned_of()
    {
        await using var server = await StartAsync();
        var made = (await server.PostAsync(Classes, """{"metadata":{"name":"x"},"spec":{"controllerName":"example.com/controller"}}""")).Expect(201);
        Assert.Contains("the class waits for 'example.com/controller'", Assert.Single(made.Warnings), StringComparison.Ordinal);
        var read = (await server.GetAsync($"{Classes}/x")).Body;
        Assert.Equal("""[{"type":"Accepted","status":"Unknown","reason":"Pending","message":"Waiting for controller","lastTransitionTime":"1970-01-01T00:00:00Z"}]""", read["status"]!["conditions"]!.ToJsonString());
        var route = (await server.PostAsync(Routes + "?dryRun=All", """{"metadata":{"name":"a"},"spec":{}}""")).Expect(201);
        Assert.Contains("HTTPRoute has no effect", Assert.Single(route.Warnings), StringComparison.Ordinal);
        var gateway = """{"metadata":{"name":"a"},"spec":{"gatewayClassName":"x","listeners":[{"name":"http","port":80,"protocol":"HTTP"}]}}""";
        Assert.Contains("no controller has accepted the GatewayClass 'x'", Assert.Single((await server.PostAsync(Gateways + "?dryRun=All", gateway)).Expect(201).Warnings), StringComparison.Ordinal);

        (await server.PatchAsync($"{Classes}/x/status", "merge-patch+json", """{"status":{"conditions":[{"type":"Accepted","status":"True","reason":"Accepted","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}""")).Expect(200);
        Assert.Empty((await server.PostAsync(Routes, """{"metadata":{"name":"a"},"spec":{}}""")).Expect(201).Warnings);
        Assert.Empty((await server.PostAsync(Gateways, gateway)).Expect(201).Warnings);
    }

    [Fact]
    public async Task A_route_gets_the_defaults_of_the_specification()
    {
        await using var server = await StartAsync();
        (await server.PostAsync(Routes, """{"metadata":{"name":"all"},"spec":{"parentRefs":[{"name":"web"}]}}""")).Expect(201);
        var all = (await server.GetAsync($"{Routes}/all")).Body["spec"]!;
        Assert.Equal("""[{"group":"gateway.networking.k8s.io","kind":"Gateway","name":"web"}]""", Sorted(all["parentRefs"]!));
        Assert.Equal("""[{"matches":[{"path":{"type":"PathPrefix","value":"/"}}]}]""", Sorted(all["rules"]!));

        (await server.PostAsync(Routes, """
            {"metadata":{"name":"some"},"spec":{"rules":[{"matches":[{"headers":[{"name":"a","value":"b"}]},{"path":{"value":"/x"}}],"backendRefs":[{"name":"s","port":80}],
             "filters":[{"type":"RequestHeaderModifier","requestHeaderModifier":{"remove":["c"]}}]},{"filters":[{"type":"RequestRedirect","requestRedirect":{"scheme":"https"}}]}]}}
            """)).Expect(201);
        var rules = (await server.GetAsync($"{Routes}/some")).Body["spec"]!["rules"]!;
        Assert.Equal("""[{"headers":[{"name":"a","type":"Exact","value":"b"}],"path":{"type":"PathPrefix","value":"/"}},{"path":{"type":"PathPrefix","value":"/x"}}]""", Sorted(rules[0]!["matches"]!));
        Assert.Equal("""[{"group":"","kind":"Service","name":"s","port":80,"weight":1}]""", Sorted(rules[0]!["backendRefs"]!));
        Assert.Equal(302, rules[1]!["filters"]![0]!["requestRedirect"]!["statusCode"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("gateways", """{"gatewayClassName":"x","listeners":[{"name":"a","port":80,"protocol":"HTTP","tls":{"certificateRefs":[{"name":"c"}]}}]}""", "spec.listeners: Invalid value", "tls is not for the protocols HTTP, TCP and UDP")]
    [InlineData("gateways", """{"gatewayClassName":"x","listeners":[{"name":"a","port":80,"protocol":"HTTPS","tls":{"mode":"Passthrough"}}]}""", "spec.listeners", "the mode of tls is Terminate")]
    [InlineData("gateways", """{"gatewayClassName":"x","listeners":[{"name":"a","port":80,"protocol":"HTTPS","tls":{}}]}""", "spec.listeners[0].tls", "the mode Terminate needs certificateRefs or options")]
    [InlineData("gateways", """{"gatewayClassName":"x","listeners":[{"name":"a","port":80,"protocol":"HTTP"},{"name":"b","port":80,"protocol":"HTTP"}]}""", "spec.listeners", "port, protocol and hostname are together unique")]
    [InlineData("gateways", """{"gatewayClassName":"x","listeners":[]}""", "spec.listeners", "should have at least 1 items")]
    [InlineData("gateways", """{"gatewayClassName":"x","listeners":[{"name":"a","port":70000,"protocol":"HTTP"}]}""", "spec.listeners[0].port", "65535")]
    [InlineData("httproutes", """{"parentRefs":[{"name":"a"},{"name":"a"}]}""", "spec.parentRefs", "several references to one parent need different sectionNames or ports")]
    [InlineData("httproutes", """{"hostnames":["a_b"]}""", "spec.hostnames[0]", "should match")]
    [InlineData("httproutes", """{"rules":[{"matches":[{"path":{"value":"x"}}]}]}""", "spec.rules[0].matches[0].path", "a path starts with /")]
    [InlineData("httproutes", """{"rules":[{"matches":[{"path":{"value":"/a/../b"}}]}]}""", "spec.rules[0].matches[0].path", "/../")]
    [InlineData("httproutes", """{"rules":[{"matches":[{"path":{"value":"/a b"}}]}]}""", "spec.rules[0].matches[0].path", "RFC 3986")]
    [InlineData("httproutes", """{"rules":[{"matches":[{"method":"get"}]}]}""", "spec.rules[0].matches[0].method", "Unsupported value")]
    [InlineData("httproutes", """{"rules":[{"filters":[{"type":"URLRewrite"}]}]}""", "spec.rules[0].filters[0]", "urlRewrite is for the type URLRewrite")]
    [InlineData("httproutes", """{"rules":[{"backendRefs":[{"name":"s","port":1}],"filters":[{"type":"RequestRedirect","requestRedirect":{}}]}]}""", "spec.rules[0]", "a redirect has no backendRefs")]
    [InlineData("httproutes", """{"rules":[{"filters":[{"type":"RequestRedirect","requestRedirect":{"statusCode":304}}]}]}""", "statusCode", "one of 301, 302, 303, 307 and 308")]
    [InlineData("httproutes", """{"rules":[{"matches":[{"path":{"type":"Exact","value":"/"}}],"filters":[{"type":"URLRewrite","urlRewrite":{"path":{"type":"ReplacePrefixMatch","replacePrefixMatch":"/b"}}}]}]}""", "spec.rules[0]", "replacePrefixMatch needs exactly one match")]
    [InlineData("httproutes", """{"rules":[{"filters":[{"type":"RequestHeaderModifier","requestHeaderModifier":{}},{"type":"RequestHeaderModifier","requestHeaderModifier":{}}]}]}""", "spec.rules[0].filters", "only RequestMirror and ExtensionRef")]
    [InlineData("httproutes", """{"rules":[{"backendRefs":[{"name":"s"}]}]}""", "spec.rules[0].backendRefs[0]", "a Service needs a port")]
    [InlineData("httproutes", """{"rules":[{"timeouts":{"request":"1s","backendRequest":"2s"}}]}""", "spec.rules[0].timeouts", "backendRequest is at most request")]
    [InlineData("httproutes", """{"rules":[{"timeouts":{"request":"1 s"}}]}""", "spec.rules[0].timeouts.request", "should match")]
    [InlineData("grpcroutes", """{"rules":[{"matches":[{"method":{"service":"a/b"}}]}]}""", "spec.rules[0].matches[0].method", "name of a protobuf service")]
    [InlineData("grpcroutes", """{"rules":[{"matches":[{"method":{}}]}]}""", "spec.rules[0].matches[0].method", "service or method must be there")]
    [InlineData("tlsroutes", """{"hostnames":["1.2.3.4"],"rules":[{"backendRefs":[{"name":"a","port":1}]}]}""", "spec.hostnames", "no address")]
    [InlineData("backendtlspolicies", """{"targetRefs":[{"group":"","kind":"Service","name":"a"}],"validation":{"hostname":"a"}}""", "spec.validation", "exactly one of caCertificateRefs and wellKnownCACertificates")]
    [InlineData("backendtlspolicies", """{"targetRefs":[{"group":"","kind":"Service","name":"a"},{"group":"","kind":"Service","name":"a"}],"validation":{"hostname":"a","wellKnownCACertificates":"System"}}""", "spec.targetRefs", "different sectionNames")]
    [InlineData("referencegrants", """{"from":[],"to":[{"group":"","kind":"Secret"}]}""", "spec.from", "should have at least 1 items")]
    public async Task What_the_specification_forbids_is_refused(string plural, string spec, string path, string message)
    {
        await using var server = await StartAsync();
        var answer = await server.PostAsync($"{Group}/v1/namespaces/default/{plural}", $$"""{"metadata":{"name":"a"},"spec":{{spec}}}""");
        Assert.Equal(422, answer.Code);
        Assert.Contains(path, answer.Text, StringComparison.Ordinal);
        Assert.Contains(message, answer.Body["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v1", "grpcroutes", """{"hostnames":["*.a.b"],"rules":[{"matches":[{"method":{"service":"a.B","method":"C"}}],"backendRefs":[{"name":"s","port":1}]}]}""")]
    [InlineData("v1alpha2", "tlsroutes", """{"hostnames":["a.b"],"rules":[{"backendRefs":[{"name":"s","port":1}]}]}""")]
    [InlineData("v1alpha2", "tcproutes", """{"rules":[{"backendRefs":[{"name":"s","port":1}]}]}""")]
    [InlineData("v1alpha2", "udproutes", """{"rules":[{"backendRefs":[{"name":"s","port":1}]}]}""")]
    [InlineData("v1beta1", "referencegrants", """{"from":[{"group":"gateway.networking.k8s.io","kind":"HTTPRoute","namespace":"a"}],"to":[{"group":"","kind":"Service"}]}""")]
    [InlineData("v1alpha3", "backendtlspolicies", """{"targetRefs":[{"group":"","kind":"Service","name":"a"}],"validation":{"hostname":"a","caCertificateRefs":[{"group":"","kind":"ConfigMap","name":"c"}]}}""")]
    public async Task The_other_kinds_are_taken_and_unknown_members_pruned(string version, string plural, string spec)
    {
        await using var server = await StartAsync();
        var path = $"{Group}/{version}/namespaces/default/{plural}";
        var tree = JsonNode.Parse(spec)!.AsObject();
        tree["unknown"] = 1;
        var made = (await server.PostAsync(path, $$"""{"metadata":{"name":"a"},"spec":{{tree.ToJsonString()}}}""")).Expect(201);
        Assert.Equal(2, made.Warnings.Count());
        Assert.Null((await server.GetAsync($"{path}/a")).Expect(200).Body["spec"]!["unknown"]);
    }

    // The official definitions of one release have versions that those of another have not, and either may come.
    [Theory]
    [InlineData("tlsroutes", "v1", "v1alpha3", "v1alpha2")]
    [InlineData("tcproutes", "v1alpha2", "v1")]
    [InlineData("referencegrants", "v1beta1", "v1")]
    public async Task A_definition_of_others_need_not_have_the_version_that_objects_are_stored_in(string plural, string before, params string[] after)
    {
        await using var server = await StartAsync();
        var spec = plural == "referencegrants"
            ? """{"from":[{"group":"a","kind":"B","namespace":"c"}],"to":[{"group":"","kind":"Service"}]}""" : """{"rules":[{"backendRefs":[{"group":"","kind":"Service","name":"s","port":1,"weight":1}]}]}""";
        (await server.PostAsync($"{Group}/{before}/namespaces/default/{plural}", $$"""{"metadata":{"name":"a"},"spec":{{spec}} }""")).Expect(201);
        var definition = CrdManifest.Of(Kinds.Single(kind => kind.Kind.Plural == plural), new SchemaReader());
        var version = definition["spec"]!["versions"]![0]!;
        definition["spec"]!["versions"] = new JsonArray([.. after.Select(name =>
        {
            var one = version.DeepClone();
            (one["name"], one["storage"]) = (name, name == after[0]);
            return one;
        })]);
        definition["metadata"] = new JsonObject { ["name"] = $"{plural}.gateway.networking.k8s.io", ["annotations"] = new JsonObject { ["api-approved.kubernetes.io"] = "https://example.com" } };
        (await server.ApplyAsync($"{Definitions}/{plural}.gateway.networking.k8s.io", "helm", definition.ToJsonString())).Expect(200);

        await Eventually.TrueAsync(async () => (await server.GetAsync($"{Group}/{before}/namespaces/default/{plural}/a")).Code == 404 || after.Contains(before));
        foreach (var name in after)
            Assert.Equal(spec, Sorted((await server.GetAsync($"{Group}/{name}/namespaces/default/{plural}/a")).Expect(200).Body["spec"]!));
        Assert.Equal([after[0]], (await server.GetAsync($"{Definitions}/{plural}.gateway.networking.k8s.io")).Body["status"]!["storedVersions"]!.AsArray().Select(stored => (string)stored!));
    }

    [Theory]
    [MemberData(nameof(Kubectl.Programs), MemberType = typeof(Kubectl))]
    public async Task Kubectl_shows_the_columns_by_the_short_names(string program)
    {
        await using var server = await StartAsync();
        using var kubectl = new Kubectl(program, server.Host.Address);
        (await server.PostAsync(Classes, """{"metadata":{"name":"x"},"spec":{"controllerName":"example.com/controller"}}""")).Expect(201);
        (await server.PostAsync(Gateways, """{"metadata":{"name":"web"},"spec":{"gatewayClassName":"x","listeners":[{"name":"http","port":80,"protocol":"HTTP"}]}}""")).Expect(201);
        var classes = (await kubectl.OutputAsync("", "get", "gc")).Split('\n');
        Assert.Equal(["NAME", "CONTROLLER", "ACCEPTED", "AGE"], classes[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Matches("^x +example.com/controller +Unknown ", classes[1]);
        var gateways = (await kubectl.OutputAsync("", "get", "gtw")).Split('\n');
        Assert.Equal(["NAME", "CLASS", "ADDRESS", "PROGRAMMED", "AGE"], gateways[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Matches("^web +x +Unknown ", gateways[1]);
        Assert.Contains("The rules. The most exact match wins", await kubectl.OutputAsync("", "explain", "httproutes.spec"), StringComparison.Ordinal);
    }

    private static string Sorted(JsonNode node) => Sort(node)!.ToJsonString();

    private static JsonNode? Sort(JsonNode? node) => node switch
    {
        JsonObject tree => new JsonObject(tree.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, Sort(member.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sort)]),
        _ => node?.DeepClone(),
    };
}
