using System.Text.Json.Nodes;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Registry;

public sealed class PodAdmissionTests
{
    private const string Pods = "/api/v1/namespaces/default/pods";

    [Fact]
    public async Task The_runtime_class_of_process_pods_stays()
    {
        await using var server = await TestServer.StartAsync();
        const string classes = "/apis/node.k8s.io/v1/runtimeclasses";
        (await server.PostAsync(classes, """{"metadata":{"name":"process"},"handler":"process"}""")).Expect(201);
        Assert.Contains("may not be deleted", (await server.DeleteAsync($"{classes}/process")).Expect(403).Message, StringComparison.Ordinal);
        (await server.GetAsync($"{classes}/process")).Expect(200);
    }

    [Fact]
    public async Task A_pod_gets_its_account_token_tolerations_and_priority()
    {
        await using var server = await StartAsync();
        (await server.PostAsync("/apis/scheduling.k8s.io/v1/priorityclasses", """{"metadata":{"name":"high"},"value":1000}""")).Expect(201);

        var pod = (await server.PostAsync(Pods, Pod("a", "\"priorityClassName\":\"high\","))).Expect(201).Body["spec"]!;

        Assert.Equal("default", pod["serviceAccountName"]!.GetValue<string>());
        Assert.Equal(1000, pod["priority"]!.GetValue<int>());
        Assert.Equal("PreemptLowerPriority", pod["preemptionPolicy"]!.GetValue<string>());
        Assert.Equal(["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"], pod["tolerations"]!.AsArray().Select(item => item!["key"]!.GetValue<string>()));
        var volume = Assert.Single(pod["volumes"]!.AsArray())!;
        Assert.StartsWith("kube-api-access-", volume["name"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(3607, volume["projected"]!["sources"]![0]!["serviceAccountToken"]!["expirationSeconds"]!.GetValue<int>());
        Assert.Equal("/var/run/secrets/kubernetes.io/serviceaccount", pod["containers"]![0]!["volumeMounts"]![0]!["mountPath"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_pod_may_decline_the_token()
    {
        await using var server = await StartAsync();
        var pod = (await server.PostAsync(Pods, Pod("a", "\"automountServiceAccountToken\":false,"))).Expect(201).Body["spec"]!;
        Assert.Null(pod["volumes"]);
    }

    [Theory]
    [InlineData("\"serviceAccountName\":\"nobody\",", "pods \"a\" is forbidden: error looking up service account default/nobody: serviceaccount \"nobody\" not found")]
    [InlineData("\"priorityClassName\":\"none\",", "pods \"a\" is forbidden: no PriorityClass with name none was found")]
    [InlineData("\"runtimeClassName\":\"none\",", "pods \"a\" is forbidden: pod rejected: RuntimeClass \"none\" not found")]
    [InlineData("\"priority\":5,", "pods \"a\" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name")]
    public async Task What_a_pod_names_must_exist(string field, string message)
    {
        await using var server = await StartAsync();
        Assert.Equal(message, (await server.PostAsync(Pods, Pod("a", field))).Expect(403).Message);
    }

    [Theory]
    [InlineData("process", "process")]
    [InlineData("process", "runc")]
    [InlineData("other", "process")]
    public async Task A_host_process_needs_the_right_to_use_its_class(string name, string handler)
    {
        // Nobody may use anything, until the account of the pod may.
        var rights = new UseRights();
        await using var server = await StartAsync(parts => parts with { Authorizer = rights });
        (await server.PostAsync("/apis/node.k8s.io/v1/runtimeclasses", $$"""{"metadata":{"name":"{{name}}"},"handler":"{{handler}}"}""")).Expect(201);

        var refused = (await server.PostAsync(Pods, Pod("a", $"\"runtimeClassName\":\"{name}\","))).Expect(403);
        Assert.Contains("neither user \"tester\" nor service account \"default\" has the right to use it", refused.Message, StringComparison.Ordinal);

        rights.Allowed = "system:serviceaccount:default:default";
        (await server.PostAsync(Pods, Pod("a", $"\"runtimeClassName\":\"{name}\","))).Expect(201);
        rights.Allowed = "tester";
        (await server.PostAsync(Pods, Pod("b", $"\"runtimeClassName\":\"{name}\","))).Expect(201);
    }

    [Fact]
    public async Task Nothing_is_created_in_a_namespace_that_is_missing_or_going()
    {
        await using var server = await StartAsync();
        Assert.Equal("namespaces \"none\" not found", (await server.PostAsync("/api/v1/namespaces/none/configmaps", """{"metadata":{"name":"a"}}""")).Expect(404).Message);

        (await server.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"going"}}""")).Expect(201);
        (await server.DeleteAsync("/api/v1/namespaces/going")).Expect(200);
        Assert.Equal("Terminating", (await server.GetAsync("/api/v1/namespaces/going")).Expect(200).Body["status"]!["phase"]!.GetValue<string>());
        var refused = (await server.PostAsync("/api/v1/namespaces/going/configmaps", """{"metadata":{"name":"a"}}""")).Expect(403);
        Assert.Equal("configmaps \"a\" is forbidden: unable to create new content in namespace going because it is being terminated", refused.Message);
        Assert.Equal("NamespaceTerminating", refused.Body["details"]!["causes"]![0]!["reason"]!.GetValue<string>());

        var space = (await server.GetAsync("/api/v1/namespaces/going")).Body;
        space["spec"]!["finalizers"] = new JsonArray();
        (await server.PutAsync("/api/v1/namespaces/going/finalize", space.ToJsonString())).Expect(200);
        (await server.GetAsync("/api/v1/namespaces/going")).Expect(404);
        (await server.DeleteAsync("/api/v1/namespaces/default")).Expect(403);
    }

    [Fact]
    public async Task A_binding_places_a_pod_once()
    {
        await using var server = await StartAsync();
        (await server.PostAsync(Pods, Pod("a", ""))).Expect(201);
        const string binding = """{"apiVersion":"v1","kind":"Binding","metadata":{"name":"a"},"target":{"kind":"Node","name":"one"}}""";

        (await server.PostAsync($"{Pods}/a/binding", binding)).Expect(201);
        var pod = (await server.GetAsync($"{Pods}/a")).Body;
        Assert.Equal("one", pod["spec"]!["nodeName"]!.GetValue<string>());
        Assert.Contains(pod["status"]!["conditions"]!.AsArray(), item => item!["type"]!.GetValue<string>() == "PodScheduled" && item["status"]!.GetValue<string>() == "True");
        Assert.Contains("pod a is already assigned to node \"one\"", (await server.PostAsync($"{Pods}/a/binding", binding)).Expect(409).Message, StringComparison.Ordinal);

        // Placed, it is given its grace; the node's own delete with 0 ends it.
        Assert.Equal(30, (await server.DeleteAsync($"{Pods}/a")).Expect(200).Metadata["deletionGracePeriodSeconds"]!.GetValue<int>());
        (await server.DeleteAsync($"{Pods}/a", """{"gracePeriodSeconds":0}""")).Expect(200);
        (await server.GetAsync($"{Pods}/a")).Expect(404);
    }

    [Fact]
    public async Task An_unplaced_pod_is_deleted_or_evicted_at_once()
    {
        await using var server = await StartAsync();
        (await server.PostAsync(Pods, Pod("a", ""))).Expect(201);
        (await server.PostAsync(Pods, Pod("b", ""))).Expect(201);
        (await server.DeleteAsync($"{Pods}/a")).Expect(200);
        (await server.PostAsync($"{Pods}/b/eviction", """{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"b"}}""")).Expect(201);
        (await server.PostAsync(Pods, Pod("c", ""))).Expect(201);
        (await server.PostAsync($"{Pods}/c/eviction", """{"apiVersion":"policy/v1beta1","kind":"Eviction","metadata":{"name":"c"}}""")).Expect(201);
        Assert.Empty((await server.GetAsync(Pods)).Body["items"]!.AsArray());
    }

    [Fact]
    public async Task Scale_is_the_same_for_built_in_and_custom_kinds()
    {
        await using var server = await StartAsync();
        foreach (var (path, body) in new[]
        {
            ("/apis/example.com/v1/namespaces/default/widgets", """{"metadata":{"name":"x"},"spec":{"replicas":1}}"""),
            ("/apis/apps/v1/namespaces/default/deployments",
                """{"metadata":{"name":"x"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}"""),
        })
        {
            (await server.PostAsync(path, body)).Expect(201);
            var scale = (await server.GetAsync($"{path}/x/scale")).Expect(200);
            Assert.Equal("Scale", scale.Body["kind"]!.GetValue<string>());
            Assert.Equal(1, scale.Body["spec"]!["replicas"]!.GetValue<int>());

            scale.Body["spec"]!["replicas"] = 4;
            var wanted = scale.Body;
            wanted["spec"]!["replicas"] = 4;
            Assert.Equal(4, (await server.PutAsync($"{path}/x/scale", wanted.ToJsonString())).Expect(200).Body["spec"]!["replicas"]!.GetValue<int>());
            (await server.PutAsync($"{path}/x/scale", wanted.ToJsonString())).Expect(409);
            (await server.PatchAsync($"{path}/x/scale", "merge-patch+json", """{"spec":{"replicas":-1}}""")).Expect(422);
            Assert.Equal(4, (await server.GetAsync($"{path}/x")).Body["spec"]!["replicas"]!.GetValue<int>());
        }
    }

    private static async Task<TestServer> StartAsync(Func<ApiServerParts, ApiServerParts>? parts = null)
    {
        var server = await TestServer.StartAsync(parts: parts);
        (await server.PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"default"}}""")).Expect(201);
        return server;
    }

    private static string Pod(string name, string fields) =>
        "{\"metadata\":{\"name\":\"NAME\"},\"spec\":{FIELDS\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"
            .Replace("NAME", name, StringComparison.Ordinal).Replace("FIELDS", fields, StringComparison.Ordinal);

    private sealed class UseRights : IAuthorizer
    {
        public string Allowed { get; set; } = "";

        public ValueTask<AccessDecision> AuthorizeAsync(AccessAttributes attributes, CancellationToken cancellationToken) =>
            new(new AccessDecision(attributes.Verb != "use" || attributes.User.Name == Allowed, ""));
    }
}
