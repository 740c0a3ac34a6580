using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Tests.CustomResources;
using Weft.ApiServer.Tests.Kit;
using Weft.Storage;
using static Weft.ApiServer.Tests.Webhooks.HookServer;

namespace Weft.ApiServer.Tests.Webhooks;

/// <summary>Admission webhooks, by a real server over TLS.</summary>
public sealed class AdmissionWebhookTests
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string Mutating = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    private const string Validating = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

    private static string Hook(string client, string more = "", string name = "one.hooks.example.com", string rules = """{"operations":["*"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"]}""") =>
        $$"""{"name":"{{name}}","clientConfig":{{client}},"sideEffects":"None","admissionReviewVersions":["v1"],"rules":[{{rules}}]{{more}}}""";

    private static async Task ConfigureAsync(TestServer server, string path, string name, params string[] hooks) =>
        (await server.PostAsync(path, "{\"metadata\":{\"name\":\"" + name + "\"},\"webhooks\":[" + string.Join(',', hooks) + "]}")).Expect(201);

    private static string Map(string name, string more = "") => "{\"metadata\":{\"name\":\"" + name + "\"" + more + "},\"data\":{\"a\":\"b\"}}";

    [Fact]
    public async Task A_validating_webhook_sees_the_request_and_its_refusal_is_the_answer()
    {
        await using var hook = await HookServer.StartAsync((_, request) => request["name"]?.GetValue<string>() == "bad" ? Deny("no bad maps", 409) : Allow(null, "be careful"));
        await using var server = await CustomServer.StartAsync();
        await ConfigureAsync(server, Validating, "check", Hook(hook.ByUrl("/check")));

        var made = (await server.PostAsync($"{Maps}?fieldManager=m", Map("good"))).Expect(201);
        Assert.Contains("299 - \"be careful\"", made.Warnings);
        var refused = (await server.PostAsync(Maps, Map("bad"))).Expect(409);
        Assert.Equal("admission webhook \"one.hooks.example.com\" denied the request: no bad maps", refused.Message);
        (await server.PatchAsync($"{Maps}/good", "merge-patch+json", """{"data":{"a":"c"}}""")).Expect(200);
        (await server.DeleteAsync($"{Maps}/good")).Expect(200);

        var asked = hook.Asked.ToList();
        Assert.Equal(["CREATE good", "CREATE bad", "UPDATE good", "DELETE good"], asked.Select(one => $"{one.Request["operation"]} {one.Request["name"]}"));
        Assert.All(asked, one => Assert.Equal("/check", one.Path));
        var (create, update, delete) = (asked[0].Request, asked[2].Request, asked[3].Request);
        Assert.Equal("""{"group":"","version":"v1","kind":"ConfigMap"}""", create["kind"]!.ToJsonString());
        Assert.Equal("""{"group":"","version":"v1","resource":"configmaps"}""", create["requestResource"]!.ToJsonString());
        Assert.Equal("default", create["namespace"]!.GetValue<string>());
        Assert.Equal("tester", create["userInfo"]!["username"]!.GetValue<string>());
        Assert.False(create["dryRun"]!.GetValue<bool>());
        Assert.Null(create["oldObject"]);
        Assert.Equal("""{"a":"b"}""", create["object"]!["data"]!.ToJsonString());
        Assert.Equal("""{"a":"b"} {"a":"c"}""", $"{update["oldObject"]!["data"]!.ToJsonString()} {update["object"]!["data"]!.ToJsonString()}");
        Assert.Null(delete["object"]);
        Assert.NotNull(delete["oldObject"]);
    }

    [Fact]
    public async Task Mutating_webhooks_change_the_object_in_order_and_look_again_if_needed()
    {
        await using var hook = await HookServer.StartAsync((path, request) =>
        {
            var data = (JsonObject)request["object"]!["data"]!;
            return path switch
            {
                "/first" => Allow($$"""[{"op":"add","path":"/data/seen","value":"{{string.Join('-', data.Select(entry => entry.Key).Order())}}"}]"""),
                _ => Allow("""[{"op":"add","path":"/data/second","value":"yes"},{"op":"add","path":"/unknown","value":1}]"""),
            };
        });
        await using var server = await CustomServer.StartAsync();
        await ConfigureAsync(server, Mutating, "b", Hook(hook.ByUrl("/second"), name: "two.hooks.example.com"));
        await ConfigureAsync(server, Mutating, "a", Hook(hook.ByUrl("/first"), ",\"reinvocationPolicy\":\"IfNeeded\""));

        var made = (await server.PostAsync(Maps, Map("m"))).Expect(201).Body;
        Assert.Equal("""{"a":"b","seen":"a-second-seen","second":"yes"}""", made["data"]!.ToJsonString());
        Assert.Null(made["unknown"]);
        Assert.Equal(["/first", "/second", "/first"], hook.Asked.Select(one => one.Path));
    }

    [Fact]
    public async Task A_webhook_is_asked_about_what_those_before_it_made()
    {
        await using var hook = await HookServer.StartAsync((path, _) => path == "/first" ? Allow("""[{"op":"add","path":"/metadata/labels","value":{"second":"yes"} }]""") : Allow());
        await using var server = await CustomServer.StartAsync();
        // Before the first change nobody means /never: it is not asked afterwards either.
        await ConfigureAsync(server, Mutating, "a", Hook(hook.ByUrl("/never"), ",\"reinvocationPolicy\":\"IfNeeded\",\"objectSelector\":{\"matchLabels\":{\"second\":\"yes\"}}"));
        await ConfigureAsync(server, Mutating, "b", Hook(hook.ByUrl("/first")));
        await ConfigureAsync(server, Mutating, "c", Hook(hook.ByUrl("/selected"), ",\"objectSelector\":{\"matchLabels\":{\"second\":\"yes\"}}"));
        await ConfigureAsync(server, Mutating, "d", Hook(hook.ByUrl("/condition"), ",\"matchConditions\":[{\"name\":\"c\",\"expression\":\"has(object.metadata.labels) && object.metadata.labels.second == 'yes'\"}]"));
        (await server.PostAsync(Maps, Map("m"))).Expect(201);
        Assert.Equal(["/first", "/selected", "/condition"], hook.Asked.Select(one => one.Path));
    }

    [Theory]
    [InlineData("""[{"op":"replace","path":"/metadata/name","value":"other"}]""", "the patch must not change metadata.name")]
    [InlineData("""[{"op":"remove","path":"/none"}]""", "the patch cannot be applied: ")]
    [InlineData("not json", "the patch cannot be applied: ")]
    public async Task A_patch_that_does_not_fit_fails_the_request(string patch, string problem)
    {
        await using var hook = await HookServer.StartAsync((_, _) => Allow(patch));
        await using var server = await CustomServer.StartAsync();
        await ConfigureAsync(server, Mutating, "a", Hook(hook.ByUrl()));
        var refused = (await server.PostAsync(Maps, Map("m"))).Expect(500);
        Assert.StartsWith($"Internal error occurred: failed calling webhook \"one.hooks.example.com\": {problem}", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"operations":["UPDATE"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"]}""", "", false)]
    [InlineData("""{"operations":["CREATE"],"apiGroups":["apps"],"apiVersions":["*"],"resources":["*"]}""", "", false)]
    [InlineData("""{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["*/*"]}""", "", true)]
    [InlineData("""{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps/*"]}""", "", true)]
    [InlineData("""{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps/status"]}""", "", false)]
    [InlineData("""{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["*"],"scope":"Cluster"}""", "", false)]
    [InlineData("""{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["*"],"scope":"Namespaced"}""", "", true)]
    [InlineData(null, ",\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"default\"}}", true)]
    [InlineData(null, ",\"namespaceSelector\":{\"matchLabels\":{\"team\":\"x\"}}", false)]
    [InlineData(null, ",\"objectSelector\":{\"matchLabels\":{\"watched\":\"yes\"}}", true)]
    [InlineData(null, ",\"objectSelector\":{\"matchExpressions\":[{\"key\":\"watched\",\"operator\":\"DoesNotExist\"}]}", false)]
    [InlineData(null, ",\"matchConditions\":[{\"name\":\"a\",\"expression\":\"object.data.a == 'b' && request.operation == 'CREATE'\"}]", true)]
    [InlineData(null, ",\"matchConditions\":[{\"name\":\"a\",\"expression\":\"true\"},{\"name\":\"b\",\"expression\":\"request.userInfo.username == 'nobody'\"}]", false)]
    public async Task Rules_selectors_and_conditions_decide_who_is_asked(string? rules, string more, bool asked)
    {
        await using var hook = await HookServer.StartAsync((_, _) => Allow());
        await using var server = await CustomServer.StartAsync();
        await ConfigureAsync(server, Validating, "v", rules is null ? Hook(hook.ByUrl(), more) : Hook(hook.ByUrl(), more, rules: rules));
        (await server.PostAsync(Maps, Map("m", ",\"labels\":{\"watched\":\"yes\"}"))).Expect(201);
        Assert.Equal(asked ? 1 : 0, hook.Asked.Count);
    }

    [Fact]
    public async Task A_webhook_that_fails_refuses_or_is_passed_over_as_its_policy_says()
    {
        await using var hook = await HookServer.StartAsync((path, _) => path switch
        {
            "/uid" => new JsonObject { ["allowed"] = true, ["uid"] = "other" },
            "/silent" => null,
            "/cut" => CutOff(),
            _ => Allow(),
        });
        await using var server = await CustomServer.StartAsync();
        foreach (var (client, problem) in ((string, string)[])
        [
            (hook.ByUrl("/uid"), "expected response.uid to be that of the request"),
            (hook.ByUrl("/silent"), "no answer within 1 s"),
            (hook.ByUrl("/cut"), "/cut\": The response ended prematurely"),
            ("{\"url\":\"https://localhost:1/\"}", "failed to call webhook: Post \"https://localhost:1/\":"),
            // Signed by nobody that the machine trusts.
            ($$"""{"url":"https://localhost:{{hook.Port}}/"}""", "failed to call webhook: Post"),
            // The certificate is not for this name.
            ($$"""{"url":"https://127.0.0.1:{{hook.Port}}/","caBundle":"{{hook.Bundle}}"}""", "failed to call webhook: Post"),
            ("{\"service\":{\"name\":\"none\",\"namespace\":\"default\"}}", "service \"none\" not found in namespace \"default\""),
        ])
        {
            await ConfigureAsync(server, Validating, "v", Hook(client, ",\"timeoutSeconds\":1"));
            var refused = (await server.PostAsync(Maps, Map("m"))).Expect(500);
            Assert.StartsWith("Internal error occurred: failed calling webhook \"one.hooks.example.com\": ", refused.Message, StringComparison.Ordinal);
            Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
            (await server.PatchAsync($"{Validating}/v", "json-patch+json", """[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]""")).Expect(200);
            (await server.PostAsync($"{Maps}?dryRun=All", Map("m"))).Expect(201);
            (await server.DeleteAsync($"{Validating}/v")).Expect(200);
        }
    }

    [Fact]
    public async Task A_webhook_is_called_at_the_endpoints_of_its_service()
    {
        await using var hook = await HookServer.StartAsync((_, _) => Deny("asked"));
        await using var server = await CustomServer.StartAsync();
        (await server.PostAsync("/api/v1/namespaces/default/services", """{"metadata":{"name":"hook"},"spec":{"ports":[{"name":"https","port":8443}]}}""")).Expect(201);
        await ConfigureAsync(server, Validating, "v", Hook($$"""{"service":{"name":"hook","namespace":"default","port":8443,"path":"/x"},"caBundle":"{{hook.Bundle}}"}"""));
        Assert.Contains("no endpoints available for service \"hook\"", (await server.PostAsync(Maps, Map("m"))).Message, StringComparison.Ordinal);

        // Written to the store itself: the API takes no endpoints on the loopback.
        var slice = (JsonObject)JsonNode.Parse($$"""
            {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"hook-1","namespace":"default","labels":{"kubernetes.io/service-name":"hook"} },
             "addressType":"IPv4","ports":[{"name":"https","port":{{hook.Port}} }],"endpoints":[{"addresses":["127.0.0.9"],"conditions":{"ready":false} },{"addresses":["127.0.0.1"],"conditions":{"ready":true} }]}
            """)!;
        await server.Store.CommitAsync(new[] { Op.Put("/registry/discovery.k8s.io/endpointslices/default/hook-1", Envelope.Write(slice, "v1", 0)) });
        Assert.EndsWith("denied the request: asked", (await server.PostAsync(Maps, Map("m"))).Expect(403).Message, StringComparison.Ordinal);
        Assert.Equal("/x", Assert.Single(hook.Asked).Path);
    }

    private static Task EndpointAsync(TestServer server, string slice, int port, params string[] addresses)
    {
        // Written to the store itself: the API takes no endpoints on the loopback.
        var tree = (JsonObject)JsonNode.Parse($$"""
            {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"{{slice}}","namespace":"default","labels":{"kubernetes.io/service-name":"hook"} },
             "addressType":"IPv4","ports":[{"name":"https","port":{{port}} }],"endpoints":[{{string.Join(',', addresses.Select(address => $"{{\"addresses\":[\"{address}\"]}}"))}}]}
            """)!;
        return server.Store.CommitAsync(new[] { Op.Put($"/registry/discovery.k8s.io/endpointslices/default/{slice}", Envelope.Write(tree, "v1", 0)) }).AsTask();
    }

    [Fact]
    public async Task The_endpoints_of_a_service_take_turns_and_one_that_is_not_there_is_passed_over()
    {
        await using var one = await HookServer.StartAsync((_, _) => Allow(), authority: "one", closes: true);
        await using var two = await HookServer.StartAsync((_, _) => Allow(), authority: "two", closes: true);
        await using var server = await CustomServer.StartAsync();
        (await server.PostAsync("/api/v1/namespaces/default/services", """{"metadata":{"name":"hook"},"spec":{"ports":[{"name":"https","port":443}]}}""")).Expect(201);
        var bundle = Convert.ToBase64String([.. Convert.FromBase64String(one.Bundle), (byte)'\n', .. Convert.FromBase64String(two.Bundle)]);
        await ConfigureAsync(server, Validating, "v", Hook($$"""{"service":{"name":"hook","namespace":"default"},"caBundle":"{{bundle}}"}"""));
        await EndpointAsync(server, "hook-1", one.Port, "127.0.0.1");
        await EndpointAsync(server, "hook-2", two.Port, "127.0.0.1");
        foreach (var name in (string[])["a", "b", "c", "d"])
            (await server.PostAsync(Maps, Map(name))).Expect(201);
        Assert.Equal("2 2", $"{one.Asked.Count} {two.Asked.Count}");

        // Nobody listens at these addresses.
        await EndpointAsync(server, "hook-1", one.Port, "127.0.0.9", "127.0.0.8", "127.0.0.1");
        await EndpointAsync(server, "hook-2", two.Port);
        foreach (var name in (string[])["e", "f", "g"])
            (await server.PostAsync(Maps, Map(name))).Expect(201);
        Assert.Equal("5 2", $"{one.Asked.Count} {two.Asked.Count}");
    }

    [Theory]
    [InlineData(HookTrust.Root, true)]
    [InlineData(HookTrust.RootForClients, false)]
    [InlineData(HookTrust.Intermediate, true)]
    [InlineData(HookTrust.IntermediateShown, true)]
    [InlineData(HookTrust.Impostor, false)]
    [InlineData(HookTrust.Other, false)]
    public async Task Trust_begins_at_the_certificates_of_the_bundle(object trust, bool trusted)
    {
        await using var hook = await HookServer.StartAsync((_, _) => Allow(), (HookTrust)trust);
        await using var server = await CustomServer.StartAsync();
        await ConfigureAsync(server, Validating, "v", Hook(hook.ByUrl()));
        (await server.PostAsync(Maps, Map("m"))).Expect(trusted ? 201 : 500);
        Assert.Equal(trusted ? 1 : 0, hook.Asked.Count);
        // The name in the certificate counts for all of them.
        await ConfigureAsync(server, Validating, "w", Hook(hook.ByUrl().Replace("localhost", "127.0.0.1", StringComparison.Ordinal)));
        (await server.PostAsync(Maps, Map("n"))).Expect(500);
    }

    [Fact]
    public async Task Dry_runs_are_told_and_nothing_of_the_configurations_themselves_is_asked()
    {
        await using var hook = await HookServer.StartAsync((_, request) => request["dryRun"]!.GetValue<bool>() ? Deny("dry") : Deny("wet"));
        await using var server = await CustomServer.StartAsync();
        await ConfigureAsync(server, Validating, "v", Hook(hook.ByUrl(), rules: """{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"]}"""));
        Assert.EndsWith("denied the request: dry", (await server.PostAsync($"{Maps}?dryRun=All", Map("m"))).Expect(403).Message, StringComparison.Ordinal);
        Assert.EndsWith("denied the request: wet", (await server.PostAsync(Maps, Map("m"))).Expect(403).Message, StringComparison.Ordinal);
        (await server.DeleteAsync($"{Validating}/v")).Expect(200);
        (await server.PostAsync(Maps, Map("m"))).Expect(201);
    }

    [Fact]
    public async Task A_rule_of_another_version_sees_the_object_in_that_one_unless_it_is_exact()
    {
        await using var hook = await HookServer.StartAsync((_, request) => Allow("""[{"op":"add","path":"/spec/size","value":7}]"""));
        await using var server = await CustomServer.StartAsync();
        await server.EstablishAsync("""
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.example.com"},
             "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"things","kind":"Thing"},"versions":[
              {"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"size":{"type":"integer"}}}}}}},
              {"name":"v1beta1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"size":{"type":"integer"}}}}}}}]}}
            """);
        const string Rule = """{"operations":["CREATE"],"apiGroups":["example.com"],"apiVersions":["v1"],"resources":["things"]}""";
        const string Old = "/apis/example.com/v1beta1/namespaces/default/things";
        await ConfigureAsync(server, Mutating, "m", Hook(hook.ByUrl(), ",\"matchPolicy\":\"Exact\"", rules: Rule));
        Assert.Null((await server.PostAsync(Old, """{"metadata":{"name":"a"},"spec":{}}""")).Expect(201).Body["spec"]!["size"]);
        Assert.Empty(hook.Asked);

        (await server.PatchAsync($"{Mutating}/m", "json-patch+json", """[{"op":"remove","path":"/webhooks/0/matchPolicy"}]""")).Expect(200);
        Assert.Equal(7, (await server.PostAsync(Old, """{"metadata":{"name":"b"},"spec":{}}""")).Expect(201).Body["spec"]!["size"]!.GetValue<int>());
        var request = Assert.Single(hook.Asked).Request;
        Assert.Equal("v1 v1beta1 example.com/v1", $"{request["kind"]!["version"]} {request["requestKind"]!["version"]} {request["object"]!["apiVersion"]}");
    }

    [Fact]
    public async Task A_scale_is_shown_as_a_scale_and_may_be_changed()
    {
        await using var hook = await HookServer.StartAsync((_, request) => request["object"]!["spec"]!["replicas"]!.GetValue<int>() > 5 ? Allow("""[{"op":"replace","path":"/spec/replicas","value":5}]""") : Allow());
        await using var server = await CustomServer.StartAsync();
        await server.EstablishAsync(CustomServer.Things("""{"type":"object","properties":{"replicas":{"type":"integer"}}}""", "\"subresources\":{\"scale\":{\"specReplicasPath\":\".spec.replicas\",\"statusReplicasPath\":\".status.replicas\"}}"));
        (await server.PostAsync(CustomServer.ThingPath, CustomServer.Thing("a", """{"replicas":1}"""))).Expect(201);
        await ConfigureAsync(server, Mutating, "m", Hook(hook.ByUrl(), rules: """{"operations":["UPDATE"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*/scale"]}"""));
        (await server.PatchAsync($"{CustomServer.ThingPath}/a/scale", "merge-patch+json", """{"spec":{"replicas":9}}""")).Expect(200);
        Assert.Equal(5, (await server.GetAsync($"{CustomServer.ThingPath}/a")).Body["spec"]!["replicas"]!.GetValue<int>());
        var request = Assert.Single(hook.Asked).Request;
        Assert.Equal("Scale scale 9 1", $"{request["kind"]!["kind"]} {request["subResource"]} {request["object"]!["spec"]!["replicas"]} {request["oldObject"]!["spec"]!["replicas"]}");
    }

    [Fact]
    public async Task A_server_starts_although_a_webhook_would_refuse_what_it_writes_itself()
    {
        await using var store = new Weft.Storage.Memory.MemoryStore(TimeProvider.System);
        ApiServerOptions Advertised(ApiServerOptions options, string address) => options with { AdvertiseAddress = System.Net.IPAddress.Parse(address) };
        var first = await CustomServer.StartAsync(store, options: options => Advertised(options, "10.0.0.1"));
        await ConfigureAsync(first, Validating, "v", Hook("{\"url\":\"https://localhost:1/\"}", rules: """{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"]}"""));
        (await first.PostAsync(Maps, Map("m"))).Expect(500);
        await first.Host.DisposeAsync();

        var second = await CustomServer.StartAsync(store, options: options => Advertised(options, "10.0.0.2"));
        Assert.Contains("10.0.0.2", (await second.GetAsync("/api/v1/namespaces/default/endpoints/kubernetes")).Text, StringComparison.Ordinal);
        (await second.PostAsync(Maps, Map("m"))).Expect(500);
        await second.Host.DisposeAsync();
    }

    [Theory]
    [InlineData("\"name\":\"short\"", "webhooks[0].name: Invalid value: \"short\": should be a domain with at least three segments")]
    [InlineData("\"sideEffects\":\"Some\"", "webhooks[0].sideEffects: Unsupported value: \"Some\"")]
    [InlineData("\"timeoutSeconds\":31", "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds")]
    [InlineData("\"admissionReviewVersions\":[\"v1beta1\"]", "webhooks[0].admissionReviewVersions: Invalid value: [\"v1beta1\"]: must include v1")]
    [InlineData("\"clientConfig\":{\"url\":\"http://a.b/\"}", "webhooks[0].clientConfig.url: Invalid value: \"http://a.b/\": 'https' is the only allowed URL scheme")]
    [InlineData("\"clientConfig\":{\"url\":\"https://a.b/\",\"service\":{\"name\":\"a\",\"namespace\":\"b\"}}", "webhooks[0].clientConfig: Required value: exactly one of url or service is required")]
    [InlineData("\"clientConfig\":{\"url\":\"https://a.b/\",\"caBundle\":\"eA==\"}", "webhooks[0].clientConfig.caBundle: Invalid value")]
    [InlineData("\"rules\":[{\"operations\":[\"GET\"],\"apiGroups\":[\"\"],\"apiVersions\":[\"v1\"],\"resources\":[\"pods\"]}]", "webhooks[0].rules[0].operations[0]: Unsupported value: \"GET\"")]
    [InlineData("\"rules\":[{\"operations\":[\"*\"],\"apiGroups\":[\"\"],\"apiVersions\":[\"v1\"],\"resources\":[\"*\",\"pods\"]}]", "webhooks[0].rules[0].resources: Invalid value")]
    [InlineData("\"matchConditions\":[{\"name\":\"a\",\"expression\":\"object.\"}]", "webhooks[0].matchConditions[0].expression: Invalid value: \"object.\": compilation failed: ERROR: <input>:1:8: Syntax error")]
    [InlineData("\"matchConditions\":[{\"name\":\"a\",\"expression\":\"authorizer.path('/').check('get').allowed()\"}]", "undeclared reference to 'authorizer'")]
    public async Task A_wrong_configuration_is_refused_with_its_place(string member, string error)
    {
        await using var server = await CustomServer.StartAsync();
        var name = member.Split(':')[0].Trim('"');
        var webhook = (JsonObject)JsonNode.Parse(Hook("{\"url\":\"https://a.b/\"}"))!;
        webhook[name] = JsonNode.Parse("{" + member + "}")![name]!.DeepClone();
        var refused = (await server.PostAsync(Mutating, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "m" }, ["webhooks"] = new JsonArray(webhook) }.ToJsonString())).Expect(422);
        Assert.Contains(error, refused.Message, StringComparison.Ordinal);
    }
}
