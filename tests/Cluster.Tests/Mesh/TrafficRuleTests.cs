using System.Diagnostics;
using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Rules of Istio's traffic management between pods, by ordinary manifests.</summary>
[Collection(ChangingMeshCollection.Name)]
public sealed class TrafficRuleTests(MeshCluster cluster)
{
    [Fact]
    public async Task A_canary_gets_its_tenth_of_the_requests()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.RuleAsync("""
            - route:
              - {destination: {host: web, subset: v1}, weight: 90}
              - {destination: {host: web, subset: v2}, weight: 10}
            """);
        const int Requests = 10_000;
        var seen = await mesh.VersionsAsync("http://web/", Requests);
        Assert.Equal(Requests, seen.Values.Sum());
        // One degree of freedom: 10.83 is exceeded by chance once in a thousand.
        var chi = (Math.Pow(seen["v1"] - 9_000, 2) / 9_000) + (Math.Pow(seen["v2"] - 1_000, 2) / 1_000);
        Assert.True(chi < 10.83, $"v1 {seen["v1"]}, v2 {seen["v2"]}: chi-square {chi:0.0}");
    }

    [Fact]
    public async Task A_header_chooses_a_version_and_a_path_is_rewritten()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.RuleAsync("""
            - match: [{headers: {x-group: {exact: beta} } }]
              route: [{destination: {host: web, subset: v2} }]
            - match: [{uri: {prefix: /old/} }]
              rewrite: {uri: /new/}
              route: [{destination: {host: web, subset: v1}, headers: {request: {set: {x-by: mesh} } } }]
            - route: [{destination: {host: web, subset: v1} }]
            """);
        Assert.Equal(["v2"], (await mesh.VersionsAsync("http://web/", 50, "-H 'x-group: beta'")).Keys);
        Assert.Equal(["v1"], (await mesh.VersionsAsync("http://web/", 50)).Keys);
        var rewritten = await mesh.ClientAsync("curl -s http://web/old/page");
        Assert.Contains("\"path\":\"/new/page\"", rewritten, StringComparison.Ordinal);
        Assert.Contains("\"x-by\":\"mesh\"", rewritten, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Faults_are_given_to_those_who_ask_for_them()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.RuleAsync("""
            - match: [{headers: {x-fault: {exact: abort} } }]
              fault: {abort: {httpStatus: 418, percentage: {value: 100} } }
              route: [{destination: {host: web} }]
            - match: [{headers: {x-fault: {exact: delay} } }]
              fault: {delay: {fixedDelay: 1s, percentage: {value: 100} } }
              route: [{destination: {host: web} }]
            - route: [{destination: {host: web} }]
            """);
        Assert.Equal(["418"], (await mesh.StatusesAsync("http://web/", 10, "-H 'x-fault: abort'")).Keys);
        Assert.Equal(["200"], (await mesh.StatusesAsync("http://web/", 10)).Keys);
        var started = Stopwatch.GetTimestamp();
        Assert.Equal(["200"], (await mesh.StatusesAsync("http://web/", 1, "-H 'x-fault: delay'")).Keys);
        Assert.True(Stopwatch.GetElapsedTime(started) >= TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_route_gives_up_in_time_and_tries_elsewhere_what_was_refused()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.RuleAsync("""
            - match: [{uri: {prefix: /slow} }]
              timeout: 0.3s
              route: [{destination: {host: web} }]
            - route: [{destination: {host: web} }]
              retries: {attempts: 3, retryOn: "connect-failure,refused-stream,5xx"}
            """);
        Assert.Equal(["504"], (await mesh.StatusesAsync("http://web/slow?delayMs=5000")).Keys);

        // An endpoint that refuses: half of the first tries meet it, and no request is lost.
        await mesh.Namespace.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: deaf, labels: {app: web, version: v1} }
            spec:
              terminationGracePeriodSeconds: 1
              containers: [{name: main, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, "100000"]}]
            """);
        (await mesh.Namespace.KubectlAsync("wait", "--for=condition=Ready", "pod/deaf", "--timeout=120s")).Succeeded();
        Assert.Equal(["200"], (await mesh.StatusesAsync("http://web/", 300)).Keys);
    }

    [Fact]
    public async Task One_user_stays_with_one_endpoint()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.ProgrammedAsync("destinationrule/web", """
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: web}
            spec:
              host: web
              trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user} } }
            """);
        var seen = new HashSet<string>();
        foreach (var user in Enumerable.Range(1, 16))
        {
            var versions = await mesh.VersionsAsync("http://web/", 5, $"-H 'x-user: {user}'");
            seen.Add(Assert.Single(versions).Key);
        }

        Assert.Equal(2, seen.Count);
    }

    [Fact]
    public async Task What_is_too_much_at_once_is_refused_at_once()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.ProgrammedAsync("destinationrule/web", """
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: web}
            spec:
              host: web
              trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1} } }
            """);
        var codes = await mesh.ClientAsync("for i in 1 2 3 4 5 6 7 8; do curl -s -o /dev/null -w '%{http_code}\\n' 'http://web/?delayMs=1000' & done; wait");
        var lines = codes.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("503", lines);
        Assert.Contains("200", lines);
    }

    [Fact]
    public async Task A_broken_rule_says_why_and_the_one_before_goes_on()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.RuleAsync("""
            - route: [{destination: {host: web, subset: v2} }]
            """);
        await mesh.Namespace.ApplyAsync("""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: web-too}
            spec:
              hosts: [web]
              http: [{route: [{destination: {host: nowhere} }]}]
            """);
        await mesh.Namespace.EventuallyAsync("its status tells", async () =>
            (await mesh.Namespace.GetAsync("{.status.conditions[*].message}", "virtualservice/web-too")).Length > 0);
        Assert.Equal(["v2"], (await mesh.VersionsAsync("http://web/", 20)).Keys);
    }
}
