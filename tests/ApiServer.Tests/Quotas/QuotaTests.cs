using System.Text.Json.Nodes;
using Weft.ApiServer.Tests.Kit;
using Weft.Storage.Sqlite;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Quotas;

/// <summary>Quotas through the whole server: what is counted, and that it is exact whoever writes at the same moment.</summary>
public sealed class QuotaTests
{
    private const string Namespace = "/api/v1/namespaces/default/", Quota = Namespace + "resourcequotas/q";

    private static async Task<TestServer> StartAsync(string hard, string used, string scopes = "")
    {
        var server = await TestServer.StartAsync();
        (await server.PostAsync(Namespace + "serviceaccounts", """{"metadata":{"name":"default"}}""")).Expect(201);
        await QuotaAsync(server, hard, used, scopes);
        return server;
    }

    // The count of what was there before is the controller's; here it is given.
    private static async Task QuotaAsync(TestServer server, string hard, string used, string scopes = "")
    {
        (await server.PostAsync(Namespace + "resourcequotas", $$$"""{"metadata":{"name":"q"},"spec":{"hard":{{{hard}}}{{{scopes}}}}}""")).Expect(201);
        (await server.PatchAsync(Quota + "/status", "merge-patch+json", $$$"""{"status":{"hard":{{{hard}}},"used":{{{used}}}}}""")).Expect(200);
    }

    private static string Pod(string name, string resources = "{}", string more = "") =>
        $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"automountServiceAccountToken":false{{{more}}},"containers":[{"name":"c","image":"i","resources":{{{resources}}}}]}}""";

    private static async Task<string> UsedAsync(TestServer server) =>
        string.Join(' ', ((await server.GetAsync(Quota)).Expect(200).Body["status"]!["used"] as JsonObject)!.OrderBy(u => u.Key, StringComparer.Ordinal).Select(u => $"{u.Key}={u.Value}"));

    [Fact]
    public async Task Pods_are_counted_and_what_is_beyond_is_refused()
    {
        await using var server = await StartAsync("""{"pods":"2","requests.cpu":"1"}""", """{"pods":"0","requests.cpu":"0"}""");

        (await server.PostAsync(Namespace + "pods", Pod("a", """{"requests":{"cpu":"600m"}}"""))).Expect(201);
        Assert.Equal("pods=1 requests.cpu=600m", await UsedAsync(server));
        Assert.Equal("pods \"b\" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1",
            (await server.PostAsync(Namespace + "pods", Pod("b", """{"requests":{"cpu":"500m"}}"""))).Expect(403).Message);
        Assert.Equal("pods \"b\" is forbidden: failed quota: q: must specify requests.cpu for: c", (await server.PostAsync(Namespace + "pods", Pod("b"))).Expect(403).Message);
        (await server.PostAsync(Namespace + "pods?dryRun=All", Pod("b", """{"requests":{"cpu":"400m"}}"""))).Expect(201);
        (await server.PostAsync(Namespace + "pods", Pod("b", """{"requests":{"cpu":"400m"}}"""))).Expect(201);
        Assert.Equal("pods=2 requests.cpu=1", await UsedAsync(server));
    }

    [Fact]
    public async Task What_has_ended_or_is_deleted_is_free_again_and_once()
    {
        await using var server = await StartAsync("""{"pods":"5","count/pods":"5"}""", """{"pods":"0","count/pods":"0"}""");
        foreach (var name in new[] { "a", "b" })
            (await server.PostAsync(Namespace + "pods", Pod(name))).Expect(201);

        (await server.PatchAsync(Namespace + "pods/a/status", "merge-patch+json", """{"status":{"phase":"Succeeded"}}""")).Expect(200);
        Assert.Equal("count/pods=2 pods=1", await UsedAsync(server));
        (await server.DeleteAsync(Namespace + "pods/a", """{"gracePeriodSeconds":0}""")).Expect(200);
        Assert.Equal("count/pods=1 pods=1", await UsedAsync(server));
        (await server.DeleteAsync(Namespace + "pods/b", """{"gracePeriodSeconds":0}""")).Expect(200);
        Assert.Equal("count/pods=0 pods=0", await UsedAsync(server));
    }

    [Fact]
    public async Task Nothing_of_a_quota_is_given_out_before_it_was_counted()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Namespace + "resourcequotas", """{"metadata":{"name":"q"},"spec":{"hard":{"configmaps":"1"}}}""")).Expect(201);

        Assert.Equal("configmaps \"c\" is forbidden: status unknown for quota: q, resources: configmaps", (await server.PostAsync(Namespace + "configmaps", """{"metadata":{"name":"c"}}""")).Expect(403).Message);
        (await server.PostAsync(Namespace + "secrets", """{"metadata":{"name":"s"}}""")).Expect(201);
    }

    [Fact]
    public async Task Objects_of_any_kind_services_and_claims_are_counted()
    {
        await using var server = await StartAsync(
            """{"count/deployments.apps":"0","services":"2","services.nodeports":"1","requests.storage":"2Gi","slow.storageclass.storage.k8s.io/requests.storage":"1Gi"}""",
            """{"count/deployments.apps":"0","services":"0","services.nodeports":"0","requests.storage":"0","slow.storageclass.storage.k8s.io/requests.storage":"0"}""");

        Assert.Contains("exceeded quota: q, requested: count/deployments.apps=1", (await server.PostAsync("/apis/apps/v1/namespaces/default/deployments",
            """{"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}""")).Expect(403).Message, StringComparison.Ordinal);
        (await server.PostAsync(Namespace + "services", """{"metadata":{"name":"s"},"spec":{"type":"NodePort","ports":[{"port":80}]}}""")).Expect(201);
        (await server.PostAsync(Namespace + "services", """{"metadata":{"name":"t"},"spec":{"ports":[{"port":80}]}}""")).Expect(201);
        // A change of a service counts too.
        Assert.Contains("requested: services.nodeports=1, used: services.nodeports=1", (await server.PatchAsync(Namespace + "services/t", "merge-patch+json", """{"spec":{"type":"NodePort"}}""")).Expect(403).Message, StringComparison.Ordinal);
        const string claim = """{"metadata":{"name":"NAME"},"spec":{"storageClassName":"slow","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}""";
        (await server.PostAsync(Namespace + "persistentvolumeclaims", claim.Replace("NAME", "a", StringComparison.Ordinal))).Expect(201);
        Assert.Contains("requested: slow.storageclass.storage.k8s.io/requests.storage=1Gi", (await server.PostAsync(Namespace + "persistentvolumeclaims", claim.Replace("NAME", "b", StringComparison.Ordinal))).Expect(403).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(""","scopes":["BestEffort"]""", "", "{}", true)]
    [InlineData(""","scopes":["BestEffort"]""", "", """{"requests":{"cpu":"1"}}""", false)]
    [InlineData(""","scopes":["NotBestEffort"]""", "", """{"requests":{"cpu":"1"}}""", true)]
    [InlineData(""","scopes":["Terminating"]""", ""","activeDeadlineSeconds":5""", "{}", true)]
    [InlineData(""","scopes":["Terminating"]""", "", "{}", false)]
    [InlineData(""","scopes":["NotTerminating"]""", "", "{}", true)]
    [InlineData(""","scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"In","values":["high"]}]}""", ""","priorityClassName":"high" """, "{}", true)]
    [InlineData(""","scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"In","values":["high"]}]}""", "", "{}", false)]
    [InlineData(""","scopes":["CrossNamespacePodAffinity"]""", ""","affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"a","namespaces":["x"]}]}}""", "{}", true)]
    public async Task Scopes_say_which_pods_count(string scopes, string more, string resources, bool counts)
    {
        await using var server = await StartAsync("""{"pods":"0"}""", """{"pods":"0"}""", scopes);
        (await server.PostAsync("/apis/scheduling.k8s.io/v1/priorityclasses", """{"metadata":{"name":"high"},"value":1000}""")).Expect(201);

        (await server.PostAsync(Namespace + "pods", Pod("a", resources, more))).Expect(counts ? 403 : 201);
    }

    [Fact]
    public async Task Of_many_creates_and_deletes_at_once_exactly_as_many_as_allowed_go_through()
    {
        const int allowed = 20, writers = 60;
        await using var server = await StartAsync($$"""{"configmaps":"{{allowed}}"}""", """{"configmaps":"0"}""");

        // Each makes one and, one in three, deletes it again.
        var made = await Task.WhenAll(Enumerable.Range(0, writers).Select(async i =>
        {
            var answer = await server.PostAsync(Namespace + "configmaps", $$$"""{"metadata":{"name":"c{{{i}}}"}}""");
            Assert.True(answer.Code is 201 or 403, answer.Text);
            if (answer.Code == 201 && i % 3 == 0)
                (await server.DeleteAsync(Namespace + $"configmaps/c{i}")).Expect(200);
            return answer.Code == 201;
        }));

        var there = (await server.GetAsync(Namespace + "configmaps")).Expect(200).Body["items"]!.AsArray().Count;
        Assert.InRange(there, 1, allowed);
        Assert.Equal($"configmaps={there}", await UsedAsync(server));
        Assert.True(made.Count(m => m) >= allowed, "every place was given out");
        // And the rest is still to be had.
        for (var i = there; i < allowed; i++)
            (await server.PostAsync(Namespace + "configmaps", $$$"""{"metadata":{"name":"more{{{i}}}"}}""")).Expect(201);
        (await server.PostAsync(Namespace + "configmaps", """{"metadata":{"name":"last"}}""")).Expect(403);
    }

    [Fact]
    public async Task The_count_outlives_the_server()
    {
        using var directory = new TempDir();
        var options = new SqliteStoreOptions { Path = directory.File("weft.db") };
        await using (var server = await TestServer.StartAsync(store: await SqliteStore.OpenAsync(options, TimeProvider.System)))
        {
            await QuotaAsync(server, """{"secrets":"2"}""", """{"secrets":"0"}""");
            (await server.PostAsync(Namespace + "secrets", """{"metadata":{"name":"a"}}""")).Expect(201);
        }

        await using var again = await TestServer.StartAsync(store: await SqliteStore.OpenAsync(options, TimeProvider.System));
        Assert.Equal("secrets=1", await UsedAsync(again));
        (await again.PostAsync(Namespace + "secrets", """{"metadata":{"name":"b"}}""")).Expect(201);
        (await again.PostAsync(Namespace + "secrets", """{"metadata":{"name":"c"}}""")).Expect(403);
    }
}
