using System.Text.Json.Nodes;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>`weft why`, `weft tap` and `weft top` over two nodes: what is said beforehand is what happens, and what happened is told.</summary>
[Collection(MeshClusterCollection.Name)]
public sealed class ObservationTests(MeshCluster cluster)
{
    private async Task<JsonNode> WhyAsync(MeshNamespace mesh, params string[] request)
    {
        var answer = (await cluster.WeftAsync(["why", "-n", mesh.Name, "-o", "json", .. request])).Succeeded();
        return JsonNode.Parse(answer)!;
    }

    private async Task<List<JsonObject>> RecentAsync(MeshNamespace mesh, params string[] options) =>
        [.. (await cluster.WeftAsync(["tap", "-n", mesh.Name, "--recent", "-o", "json", .. options])).Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];

    private static string Outcome(JsonNode why) => $"{why["explanation"]!["outcome"]} {why["explanation"]!["status"]}".TrimEnd();

    private static string Steps(JsonNode why) => string.Join('\n', why["explanation"]!["steps"]!.AsArray().Select(step => $"{step!["name"]}: {step["text"]} {string.Join("; ", step["why"]!.AsArray())}"));

    [Fact]
    public async Task Why_says_beforehand_what_happens_and_names_what_decides()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        var plain = await WhyAsync(mesh, "--from", "deploy/client", "http://web/x");
        Assert.Equal("Forwarded", Outcome(plain));
        var endpoints = plain["explanation"]!["endpoints"]!.AsArray();
        Assert.Equal(2, endpoints.Count);
        Assert.All(endpoints, one => Assert.Equal("healthy", (string?)one!["health"]));
        Assert.Contains(plain["notes"]!.AsArray(), note => ((string?)note)!.EndsWith($"by DestinationRule {mesh.Name}/web", StringComparison.Ordinal));

        await mesh.RuleAsync("""
            - match: [{headers: {x-canary: {exact: "yes"} } }]
              route: [{destination: {host: web, subset: v2} }]
            - match: [{uri: {prefix: /broken} }]
              fault: {abort: {httpStatus: 418, percentage: {value: 100} } }
              route: [{destination: {host: web} }]
            - route: [{destination: {host: web, subset: v1} }]
            """);
        var canary = await WhyAsync(mesh, "--from", "deploy/client", "http://web/x", "-H", "x-canary: yes");
        Assert.Contains($"VirtualService {mesh.Name}/web/http[0] takes it", Steps(canary), StringComparison.Ordinal);
        Assert.StartsWith($"{mesh.Name}/web-v2-", (string?)canary["explanation"]!["endpoints"]![0]!["workload"], StringComparison.Ordinal);
        var other = await WhyAsync(mesh, "--from", "deploy/client", "http://web/x");
        Assert.Contains($"not {mesh.Name}/web/http[0]: header x-canary is not 'yes'", Steps(other), StringComparison.Ordinal);
        Assert.StartsWith($"{mesh.Name}/web-v1-", (string?)other["explanation"]!["endpoints"]![0]!["workload"], StringComparison.Ordinal);
        Assert.Equal(["v2"], (await mesh.VersionsAsync("http://web/x", 5, "-H 'x-canary: yes'")).Keys);

        Assert.Equal("Answered 418", Outcome(await WhyAsync(mesh, "--from", "deploy/client", "http://web/broken")));
        Assert.Equal(["418"], (await mesh.StatusesAsync("http://web/broken")).Keys);
        await mesh.Namespace.ApplyAsync("""
            apiVersion: v1
            kind: Service
            metadata: {name: empty}
            spec: {selector: {app: nobody}, ports: [{name: http, port: 80}]}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: empty}
            spec: {hosts: [empty], http: [{match: [{uri: {prefix: /bad} }], route: [{destination: {host: web, subset: v9} }]}, {route: [{destination: {host: empty} }]}]}
            """);
        JsonNode nowhere = null!;
        await mesh.Namespace.EventuallyAsync("the rule that is not valid is served", async () => Steps(nowhere = await WhyAsync(mesh, "--from", "deploy/client", "http://empty/bad")).Contains("empty/http[0] takes it", StringComparison.Ordinal));
        Assert.Equal("Unreachable 503", Outcome(nowhere));
        Assert.Contains(nowhere["notes"]!.AsArray(), note => ((string?)note)!.Contains("has no subset 'v9'", StringComparison.Ordinal));
        var empty = await WhyAsync(mesh, "--from", "deploy/client", "http://empty/");
        Assert.Equal("Unreachable 503", Outcome(empty));
        Assert.Contains("kubernetes.io/service-name=empty", Steps(empty), StringComparison.Ordinal);
        Assert.Equal(["503"], (await mesh.StatusesAsync("http://empty/")).Keys);
        Assert.Equal("Refused", Outcome(await WhyAsync(mesh, "--from", "deploy/client", "http://web:81/")));
        Assert.Equal("Unreachable", Outcome(await WhyAsync(mesh, "--from", "deploy/client", "http://webb.shop.svc/")));

        await mesh.ProgrammedAsync("authorizationpolicy/web", """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: web}
            spec:
              selector: {matchLabels: {app: web} }
              rules:
              - to: [{operation: {paths: ["/open*"]} }]
            """);
        var refused = await WhyAsync(mesh, "--from", "deploy/client", "http://web/shut");
        Assert.Equal("Refused 403", Outcome(refused));
        Assert.Contains($"{mesh.Name}/web rule 0 is for to paths /open*", Steps(refused), StringComparison.Ordinal);
        Assert.Equal("Forwarded", Outcome(await WhyAsync(mesh, "--from", "deploy/client", "http://web/open")));
        Assert.Equal(["403"], (await mesh.StatusesAsync("http://web/shut")).Keys);
        Assert.Equal(["200"], (await mesh.StatusesAsync("http://web/open")).Keys);

        // The same in words, for people.
        var text = (await cluster.WeftAsync("why", "-n", mesh.Name, "--from", "deploy/client", "http://web/shut")).Succeeded();
        Assert.Contains("=> REFUSED 403", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tap_shows_requests_of_all_nodes_and_why_tells_of_one_that_was_sent()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        var watching = cluster.WeftAsync("tap", "-n", mesh.Name, "--path", "/seen", "--max", "3", "-o", "json");
        // It ends by itself when it has seen three; those before it watches do not count.
        await mesh.Namespace.EventuallyAsync("the tap has seen them", async () =>
        {
            await mesh.StatusesAsync("http://web/seen", 2, "-H 'x-request-id: seen-1' -H 'authorization: Bearer hunter2'");
            return watching.IsCompleted;
        });
        var lines = (await watching).Succeeded();
        Assert.DoesNotContain("hunter2", lines, StringComparison.Ordinal);
        Assert.All(lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!), line =>
        {
            Assert.Equal(("out", "/seen?", 200, "client"), ((string?)line["side"], (string?)line["path"], (int)line["status"]!, (string?)line["source"]!["workload"]));
            Assert.StartsWith("web-v", (string?)line["destination"]!["workload"], StringComparison.Ordinal);
            Assert.Contains((string?)line["security"], new[] { "mtls", "local" });
        });

        await mesh.ProgrammedAsync("authorizationpolicy/shut", """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: shut}
            spec:
              selector: {matchLabels: {app: web} }
              action: DENY
              rules:
              - to: [{operation: {paths: ["/shut"]} }]
            """);
        Assert.Equal(["403"], (await mesh.StatusesAsync("http://web/shut", 1, "-H 'x-request-id: shut-1'")).Keys);
        JsonObject? denied = null;
        await mesh.Namespace.EventuallyAsync("both sides remember it", async () => (denied = (await RecentAsync(mesh, "svc/web", "--failed", "--status", "403")).Find(one => (string?)one["side"] == "in")) is not null);
        Assert.Equal($"{mesh.Name}/shut", (string?)denied!["policy"]);
        foreach (var way in new[] { new[] { "--id", "shut-1" }, ["--last", "svc/web", "--failed"] })
        {
            var text = (await cluster.WeftAsync(["why", "-n", mesh.Name, .. way])).Succeeded();
            Assert.Contains("where it was sent", text, StringComparison.Ordinal);
            Assert.Contains("where it was received", text, StringComparison.Ordinal);
            Assert.Contains($"policy    {mesh.Name}/shut rule 0 refused it", text, StringComparison.Ordinal);
        }

        Assert.False((await cluster.WeftAsync("why", "-n", mesh.Name, "--id", "never")).ExitCode == 0);
    }

    [Fact]
    public async Task Top_counts_services_workloads_and_routes()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.RuleAsync("- route: [{destination: {host: web} }]");
        using var stop = new CancellationTokenSource();
        var load = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await mesh.StatusesAsync("http://web/load", 50);
        });
        async Task<JsonArray> TopAsync(string kind) => JsonNode.Parse((await cluster.WeftAsync("top", kind, "-n", mesh.Name, "--once", "--window", "2", "-o", "json")).Succeeded())!.AsArray();
        try
        {
            foreach (var (kind, name) in new[] { ("services", $"web.{mesh.Name}"), ("workloads", "web-v1"), ("routes", $"web.{mesh.Name} {mesh.Name}/web/http[0]") })
            {
                await mesh.Namespace.EventuallyAsync($"{kind} are counted", async () =>
                    (await TopAsync(kind)).Any(row => (string?)row!["name"] == name && (double)row["requestsPerSecond"]! > 0 && (double)row["successRate"]! == 1 && row["p99"] is not null));
            }

            // It goes on until nobody reads it.
            var head = await cluster.RunAsync("sh", ["-c", $"{WeftCluster.Program} top services -n {mesh.Name} --window 1 --name {cluster.Name} --data-dir {cluster.DataDir} | head -n 1"], new Dictionary<string, string> { ["KUBECONFIG"] = cluster.Kubeconfig });
            Assert.StartsWith("NAMESPACE", head.Succeeded(), StringComparison.Ordinal);
        }
        finally
        {
            await stop.CancelAsync();
            await load;
        }
    }

    [Fact]
    public async Task Who_may_look_into_one_namespace_sees_that_one_alone()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.Namespace.ApplyAsync("""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: look}
            rules:
            - {apiGroups: [mesh.weft.dev], resources: [requests, metrics], verbs: [list, watch]}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: look}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: look}
            subjects: [{kind: User, name: ann, apiGroup: rbac.authorization.k8s.io}]
            """);
        Task<CommandResult> AnnAsync(string path) => cluster.KubectlAsync("--as", "ann", "get", "--raw", "/apis/mesh.weft.dev/v1/" + path);
        var own = await AnnAsync($"namespaces/{mesh.Name}/requests");
        var lines = own.Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!["request"]).OfType<JsonObject>().ToList();
        Assert.NotEmpty(lines);
        Assert.All(lines, request => Assert.Contains(mesh.Name, new[] { (string?)request["source"]!["namespace"], (string?)request["destination"]!["namespace"] }));
        foreach (var path in new[] { "requests", "namespaces/default/requests", "metrics", "namespaces/default/metrics" })
            Assert.Contains("cannot list resource", (await AnnAsync(path)).Error, StringComparison.Ordinal);
        (await AnnAsync($"namespaces/{mesh.Name}/metrics")).Succeeded();
    }
}
