using System.Globalization;
using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Endpoints that fail: taken out and taken back, relieved by degrees, replaced by others; and copies of requests that nobody hears of.</summary>
[Collection(ChangingMeshCollection.Name)]
public sealed class FailoverTests(MeshCluster cluster)
{
    [Fact]
    public async Task An_endpoint_that_fails_is_taken_out_and_comes_back()
    {
        await using var ns = await PairAsync();
        await RuleAsync(ns, "", "outlierDetection: {consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 3s, maxEjectionPercent: 100}");
        await ns.EventuallyAsync("both answer", async () => (await VersionsAsync(ns, 20)).Count == 2);
        await Scripted.FailAsync(ns, "web-v2", 100);
        var failed = 0;
        await ns.EventuallyAsync("only the good one is asked", async () =>
        {
            var statuses = await StatusesAsync(ns, 20);
            failed += statuses.GetValueOrDefault("500");
            return statuses is { Count: 1 } && statuses.ContainsKey("200");
        });
        Assert.True(failed >= 3, $"{failed} answers were errors");
        await Scripted.FailAsync(ns, "web-v2", 0);
        await ns.EventuallyAsync("both answer again", async () => (await VersionsAsync(ns, 20)).Count == 2);
        Assert.Equal(["200"], (await StatusesAsync(ns, 40)).Keys);
    }

    [Fact]
    public async Task Weight_leaves_an_endpoint_as_it_degrades_and_comes_back_the_same_way()
    {
        await using var ns = await PairAsync();
        // R = 1/(1 + e^(-k (x - theta))), k = 20, theta = 0.7: half of the weight is left at 70 % good answers, 2 % at 50 %.
        await RuleAsync(ns, "weft.dev/health-weight: 'steepness=20, threshold=0.7'", "loadBalancer: {simple: ROUND_ROBIN}");
        await ShareAsync(ns, "as many for one as for the other", 0.45, 0.55);
        await Scripted.FailAsync(ns, "web-v2", 30);
        await ShareAsync(ns, "half as many for the one that fails three in ten times", 0.26, 0.41);
        await Scripted.FailAsync(ns, "web-v2", 60);
        await ShareAsync(ns, "few for the one that fails six in ten times", 0, 0.08);
        await Scripted.FailAsync(ns, "web-v2", 0);
        await ShareAsync(ns, "as many again", 0.45, 0.55);
    }

    [Fact]
    public async Task Another_service_takes_over_when_nobody_is_left_or_all_fail()
    {
        await using var ns = await PairAsync();
        await ns.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: spare}
            spec: {selector: {app: spare}, ports: [{name: http, port: 8000, targetPort: 8080}]}
            ---
            {{MeshNamespace.Echo("spare", "v9")}}
            """);
        await ns.RolledOutAsync("spare-v9");
        await RuleAsync(ns, "weft.dev/backup: spare", "outlierDetection: {consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 3s, maxEjectionPercent: 100}");
        Assert.DoesNotContain("v9", (await VersionsAsync(ns, 40)).Keys);
        (await ns.KubectlAsync("scale", "deployment/web-v1", "deployment/web-v2", "--replicas=0")).Succeeded();
        await ns.EventuallyAsync("the spare one answers", async () => (await VersionsAsync(ns, 20)).Keys.SequenceEqual(["v9"]));
        (await ns.KubectlAsync("scale", "deployment/web-v1", "--replicas=1")).Succeeded();
        await ns.RolledOutAsync("web-v1");
        await ns.EventuallyAsync("its own answers again", async () => (await VersionsAsync(ns, 20)).Keys.SequenceEqual(["v1"]));
        await Scripted.FailAsync(ns, "web-v1", 100);
        await ns.EventuallyAsync("the spare one answers for one that fails", async () => (await StatusesAsync(ns, 20)) is { Count: 1 } one && one.ContainsKey("200"));
        await Scripted.FailAsync(ns, "web-v1", 0);
        await ns.EventuallyAsync("its own answers when it is well", async () => (await VersionsAsync(ns, 20)).Keys.SequenceEqual(["v1"]));
    }

    [Fact]
    public async Task A_mirror_gets_its_share_of_copies_and_nobody_waits_for_it()
    {
        await using var ns = await PairAsync();
        await ns.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: shadow}
            spec: {selector: {app: shadow}, ports: [{name: http, port: 80, targetPort: 8080}]}
            ---
            {{Scripted.Deployment("shadow", "v1")}}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: web}
            spec:
              hosts: [web]
              http:
              - route: [{destination: {host: web} }]
                mirror: {host: shadow}
                mirrorPercentage: {value: 50}
            """);
        await ns.RolledOutAsync("shadow-v1");
        (await ns.KubectlAsync("wait", "--for=condition=Programmed", "virtualservice/web", "--timeout=60s")).Succeeded();
        Assert.Equal(["200"], (await StatusesAsync(ns, 400)).Keys);
        var seen = "";
        await ns.EventuallyAsync("copies have come", async () => (seen = (await ns.KubectlAsync("exec", "deploy/shadow-v1", "--", "sh", "-c", "sort /tmp/seen | cut -d' ' -f1 | uniq -c")).Output).Trim().Length > 0);
        var (host, copies) = Assert.Single(MeshNamespace.Counted(seen));
        Assert.Equal("web-shadow", host);
        Assert.InRange(copies, 140, 260);

        // One that fails, and one that is gone.
        await Scripted.FailAsync(ns, "shadow-v1", 100);
        Assert.Equal(["200"], (await StatusesAsync(ns, 100)).Keys);
        (await ns.KubectlAsync("scale", "deployment/shadow-v1", "--replicas=0")).Succeeded();
        await ns.EventuallyAsync("the mirror is gone", async () => (await ns.GetAsync("{.items}", "pods", "-l", "app=shadow")) is "[]");
        Assert.Equal(["200"], (await StatusesAsync(ns, 200)).Keys);
    }

    /// <summary>A service `web` in two versions that fail when they are told to, and a client.</summary>
    private async Task<TestNamespace> PairAsync()
    {
        var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await Scripted.BringAsync(ns, "service.py");
        await ns.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
            ---
            {{Scripted.Deployment("web", "v1")}}
            ---
            {{Scripted.Deployment("web", "v2")}}
            ---
            {{TestNamespace.Deployment("client")}}
            """);
        foreach (var name in new[] { "web-v1", "web-v2", "client" })
            await ns.RolledOutAsync(name);
        await ns.EventuallyAsync("both versions answer", async () => (await VersionsAsync(ns, 20)).Count == 2);
        return ns;
    }

    private static async Task RuleAsync(TestNamespace ns, string annotations, string policy)
    {
        await ns.ApplyAsync($$"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: web, annotations: { {{annotations}} } }
            spec:
              host: web
              trafficPolicy: { {{policy}} }
            """);
        (await ns.KubectlAsync("wait", "--for=condition=Programmed", "destinationrule/web", "--timeout=60s")).Succeeded();
    }

    /// <summary>Requests until the second version has a share between these bounds.</summary>
    private static async Task ShareAsync(TestNamespace ns, string what, double least, double most)
    {
        var shares = new List<string>();
        try
        {
            await ns.EventuallyAsync(what, async () =>
            {
                var seen = await VersionsAsync(ns, 300);
                var share = seen.GetValueOrDefault("v2") / 300.0;
                shares.Add(share.ToString("0.00", CultureInfo.InvariantCulture));
                return share >= least && share <= most;
            });
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}: {string.Join(' ', shares)}", late);
        }
    }

    private static async Task<IReadOnlyDictionary<string, int>> VersionsAsync(TestNamespace ns, int requests) =>
        MeshNamespace.Counted(await ClientAsync(ns, $"curl -s -m 60 'http://web/?n=[1-{requests}]' | grep -o '\"VERSION\":\"[a-z0-9]*\"' | cut -d'\"' -f4 | sort | uniq -c; true"));

    private static async Task<Dictionary<string, int>> StatusesAsync(TestNamespace ns, int requests) =>
        MeshNamespace.Counted(await ClientAsync(ns, $"curl -s -m 60 -o /dev/null -w '%{{http_code}}\\n' 'http://web/?n=[1-{requests}]' | sort | uniq -c; true"));

    private static async Task<string> ClientAsync(TestNamespace ns, string script) => (await ns.KubectlAsync("exec", "deploy/client", "--", "sh", "-c", script)).Succeeded();
}
