using System.Text.Json.Nodes;
using Weft.ApiServer.Tests.CustomResources;
using Weft.ApiServer.Tests.Kit;
using static Weft.ApiServer.Tests.Webhooks.HookServer;

namespace Weft.ApiServer.Tests.Webhooks;

/// <summary>What the server does itself with what webhooks made of an object: its own mutators, and what it alone may set.</summary>
public sealed class WebhooksAndPluginsTests
{
    private const string Pods = "/api/v1/namespaces/default/pods";
    private const string Claims = "/api/v1/namespaces/default/persistentvolumeclaims";
    private const string Mutating = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

    private static async Task<TestServer> StartAsync()
    {
        var server = await CustomServer.StartAsync();
        (await server.PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"default"}}""")).Expect(201);
        return server;
    }

    private static async Task ConfigureAsync(TestServer server, string name, string client, string more = "") => (await server.PostAsync(Mutating, $$$"""
        {"metadata":{"name":"{{{name}}}"},"webhooks":[{"name":"{{{name}}}.hooks.example.com","clientConfig":{{{client}}},"sideEffects":"None","admissionReviewVersions":["v1"],
         "rules":[{"operations":["CREATE","UPDATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["pods","pods/status","persistentvolumeclaims"]}]{{{more}}}}]}
        """)).Expect(201);

    private static string Pod(string spec = "") => $$$"""{"metadata":{"name":"a"},"spec":{{{{spec}}}"containers":[{"name":"c","image":"i"}]}}""";

    // Everything that a plugin gives a pod.
    private static async Task GiveAsync(TestServer server)
    {
        (await server.PostAsync("/api/v1/namespaces/default/limitranges", """{"metadata":{"name":"l"},"spec":{"limits":[{"type":"Container","default":{"cpu":"0.5"}}]}}""")).Expect(201);
        (await server.PostAsync("/apis/scheduling.k8s.io/v1/priorityclasses", """{"metadata":{"name":"usual"},"value":7,"globalDefault":true}""")).Expect(201);
        (await server.PostAsync("/apis/node.k8s.io/v1/runtimeclasses", """
            {"metadata":{"name":"r"},"handler":"r","overhead":{"podFixed":{"cpu":"0.25"}},
             "scheduling":{"nodeSelector":{"with":"r"},"tolerations":[{"key":"r","operator":"Exists"},{"key":"s","value":"t","effect":"NoSchedule"}]}}
            """)).Expect(201);
        (await server.PostAsync("/apis/storage.k8s.io/v1/storageclasses", """{"metadata":{"name":"s","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},"provisioner":"p"}""")).Expect(201);
    }

    [Fact]
    public async Task What_a_client_may_not_set_a_webhook_may_not_set_either()
    {
        var patch = "";
        await using var hook = await HookServer.StartAsync((_, _) => Allow(patch));
        await using var server = await StartAsync();
        await ConfigureAsync(server, "m", hook.ByUrl());

        patch = """
            [{"op":"add","path":"/status","value":{"phase":"Running","podIP":"10.9.9.9"}},{"op":"add","path":"/metadata/deletionTimestamp","value":"2020-01-01T00:00:00Z"},
             {"op":"add","path":"/metadata/resourceVersion","value":"1"},{"op":"add","path":"/metadata/creationTimestamp","value":"2020-01-01T00:00:00Z"},
             {"op":"add","path":"/spec/containers/0/resources","value":{"limits":{"cpu":"1","memory":"1Gi"} }}]
            """;
        var made = (await server.PostAsync(Pods, Pod())).Expect(201).Body;
        // The class of service is that of the spec as the webhook left it.
        Assert.Equal("""{"phase":"Pending","qosClass":"Guaranteed"}""", made["status"]!.ToJsonString());
        Assert.Null(made["metadata"]!["deletionTimestamp"]);
        Assert.DoesNotContain("2020", made["metadata"]!["creationTimestamp"]!.GetValue<string>(), StringComparison.Ordinal);

        patch = """[{"op":"add","path":"/status/podIP","value":"10.9.9.9"},{"op":"add","path":"/metadata/labels","value":{"l":"1"} }]""";
        var updated = (await server.PatchAsync($"{Pods}/a", "merge-patch+json", """{"metadata":{"annotations":{"x":"y"}}}""")).Expect(200).Body;
        Assert.Null(updated["status"]!["podIP"]);
        Assert.Equal("1", updated["metadata"]!["labels"]!["l"]!.GetValue<string>());

        patch = """[{"op":"replace","path":"/spec/containers/0/image","value":"other"},{"op":"add","path":"/metadata/labels/l","value":"2"},{"op":"add","path":"/status/message","value":"seen"}]""";
        var reported = (await server.PatchAsync($"{Pods}/a/status", "merge-patch+json", """{"status":{"phase":"Running"}}""")).Expect(200).Body;
        Assert.Equal("i 1 Running seen", $"{reported["spec"]!["containers"]![0]!["image"]} {reported["metadata"]!["labels"]!["l"]} {reported["status"]!["phase"]} {reported["status"]!["message"]}");
        Assert.Equal(3, hook.Asked.Count);
    }

    [Fact]
    public async Task The_plugins_see_what_a_webhook_put_in_and_it_sees_what_they_made_of_that()
    {
        await using var hook = await HookServer.StartAsync((path, request) => path == "/inject" && request["object"]!["spec"]!["containers"]!.AsArray().Count == 1
            ? Allow("""[{"op":"add","path":"/spec/containers/-","value":{"name":"side","image":"s"}},{"op":"add","path":"/spec/runtimeClassName","value":"r"}]""") : Allow());
        await using var server = await StartAsync();
        await GiveAsync(server);
        await ConfigureAsync(server, "a", hook.ByUrl("/inject"), ",\"reinvocationPolicy\":\"IfNeeded\"");
        await ConfigureAsync(server, "b", hook.ByUrl("/once"));
        await ConfigureAsync(server, "c", hook.ByUrl("/again"), ",\"reinvocationPolicy\":\"IfNeeded\"");

        var spec = (await server.PostAsync(Pods, Pod())).Expect(201).Body["spec"]!;
        var side = spec["containers"]![1]!;
        Assert.Equal("/var/run/secrets/kubernetes.io/serviceaccount", Assert.Single(side["volumeMounts"]!.AsArray())!["mountPath"]!.GetValue<string>());
        Assert.Single(spec["volumes"]!.AsArray());
        Assert.Equal("500m", side["resources"]!["limits"]!["cpu"]!.GetValue<string>());
        Assert.Equal("250m", spec["overhead"]!["cpu"]!.GetValue<string>());
        Assert.Equal(["/inject", "/once", "/again", "/inject", "/again"], hook.Asked.Select(one => one.Path));
        Assert.Null(hook.Asked.ElementAt(2).Request["object"]!["spec"]!["containers"]![1]!["volumeMounts"]);
        Assert.NotNull(hook.Asked.ElementAt(4).Request["object"]!["spec"]!["containers"]![1]!["volumeMounts"]);
    }

    [Fact]
    public async Task The_plugins_leave_as_it_is_what_they_have_made_themselves()
    {
        await using var hook = await HookServer.StartAsync((_, _) => Allow("""[{"op":"add","path":"/metadata/labels","value":{"seen":"yes"} }]"""));
        await using var server = await StartAsync();
        await GiveAsync(server);
        await ConfigureAsync(server, "m", hook.ByUrl(), ",\"reinvocationPolicy\":\"IfNeeded\"");

        var spec = (await server.PostAsync(Pods, Pod("\"runtimeClassName\":\"r\","))).Expect(201).Body["spec"]!;
        Assert.Equal("usual 7 4 250m", $"{spec["priorityClassName"]} {spec["priority"]} {spec["tolerations"]!.AsArray().Count} {spec["overhead"]!["cpu"]}");
        (await server.PostAsync(Claims, """{"metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1024Mi"} }}}""")).Expect(201);
        // Had a plugin changed anything in its second turn, the webhook would have been asked again.
        Assert.Equal(["pods", "persistentvolumeclaims"], hook.Asked.Select(one => one.Request["resource"]!["resource"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_webhook_that_changes_the_priority_class_must_take_the_number_away()
    {
        var patch = """[{"op":"add","path":"/spec/priorityClassName","value":"high"}]""";
        await using var hook = await HookServer.StartAsync((_, _) => Allow(patch));
        await using var server = await StartAsync();
        (await server.PostAsync("/apis/scheduling.k8s.io/v1/priorityclasses", """{"metadata":{"name":"high"},"value":1000}""")).Expect(201);
        await ConfigureAsync(server, "m", hook.ByUrl());
        Assert.Contains("the integer value of priority (0) must not be provided in pod spec", (await server.PostAsync(Pods, Pod())).Expect(403).Message, StringComparison.Ordinal);
        patch = """[{"op":"add","path":"/spec/priorityClassName","value":"high"},{"op":"remove","path":"/spec/priority"}]""";
        Assert.Equal(1000, (await server.PostAsync(Pods, Pod())).Expect(201).Body["spec"]!["priority"]!.GetValue<int>());
    }
}
