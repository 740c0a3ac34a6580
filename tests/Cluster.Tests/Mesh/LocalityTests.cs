using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Near endpoints before far ones, on two nodes, by their labels.</summary>
[Collection(ChangingMeshCollection.Name)]
public sealed class LocalityTests(MeshCluster cluster) : IAsyncLifetime
{
    private const string Region = "topology.kubernetes.io/region", Zone = "topology.kubernetes.io/zone", Subzone = "topology.istio.io/subzone";
    private string[] _nodes = [];
    private TestNamespace _ns = null!;

    public async ValueTask InitializeAsync()
    {
        _nodes = (await cluster.KubectlAsync("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}")).Succeeded().Split(' ');
        Assert.Equal(2, _nodes.Length);
        _ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await _ns.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
            ---
            {{MeshNamespace.Echo("web", "here", more: On(_nodes[0]))}}
            ---
            {{MeshNamespace.Echo("web", "there", more: On(_nodes[1]))}}
            ---
            {{TestNamespace.Deployment("client").Replace("runtimeClassName: process", $"runtimeClassName: process\n      {On(_nodes[0])}", StringComparison.Ordinal)}}
            """);
        foreach (var name in new[] { "web-here", "web-there", "client" })
            await _ns.RolledOutAsync(name);
        await PlaceAsync(_nodes[0], "eu", "berlin", "rack-1");
        await PlaceAsync(_nodes[1], "eu", "paris", "rack-1");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            (await cluster.KubectlAsync("label", "node", node, Region + "-", Zone + "-", Subzone + "-")).Succeeded();
        await _ns.DisposeAsync();
    }

    [Fact]
    public async Task The_near_endpoint_is_asked_until_it_is_gone_or_fails_and_again_when_it_is_back()
    {
        await RuleAsync("{enabled: true}");
        await AskedAsync("here");
        (await _ns.KubectlAsync("scale", "deployment/web-here", "--replicas=0")).Succeeded();
        await AskedAsync("there");
        (await _ns.KubectlAsync("scale", "deployment/web-here", "--replicas=1")).Succeeded();
        await AskedAsync("here");

        // Nodes that change their places: what was near is far, without anything else being said.
        await PlaceAsync(_nodes[0], "us", "ohio", "rack-1");
        await PlaceAsync(_nodes[1], "us", "ohio", "rack-2");
        await AskedAsync("here");
        await PlaceAsync(_nodes[1], "us", "ohio", "rack-1");
        await AskedAsync("here", "there");
    }

    [Fact]
    public async Task Shares_by_place_and_the_order_of_labels_are_as_the_rule_has_them()
    {
        await RuleAsync("{distribute: [{from: eu/berlin/*, to: {'eu/paris/*': 100} }]}");
        await AskedAsync("there");
        await RuleAsync("{distribute: [{from: eu/berlin/*, to: {'eu/paris/*': 20, 'eu/berlin/*': 80} }]}");
        await AskedAsync("here", "there");
        var seen = await VersionsAsync(1_000);
        Assert.InRange(seen["here"], 740, 860);

        await RuleAsync("{failoverPriority: ['topology.kubernetes.io/region', 'version=there']}");
        await AskedAsync("there");
        await RuleAsync("{failoverPriority: ['topology.kubernetes.io/zone', 'version=there']}");
        await AskedAsync("here");
    }

    [Fact]
    public async Task A_service_may_prefer_what_is_close_or_be_of_the_node_alone()
    {
        await AskedAsync("here", "there");
        await ServiceAsync("""{"trafficDistribution":"PreferClose"}""");
        await AskedAsync("here");
        await ServiceAsync("""{"trafficDistribution":null,"internalTrafficPolicy":"Local"}""");
        await AskedAsync("here");
        (await _ns.KubectlAsync("scale", "deployment/web-here", "--replicas=0")).Succeeded();
        await _ns.EventuallyAsync("nobody of this node answers", async () => await ClientAsync("curl -s -o /dev/null -w '%{http_code}' http://web/") == "503");
        await ServiceAsync("""{"trafficDistribution":"PreferSameNode","internalTrafficPolicy":"Cluster"}""");
        await AskedAsync("there");
    }

    private Task AskedAsync(params string[] versions) =>
        Eventually.TrueAsync(async () => (await VersionsAsync(40)).Keys.Order(StringComparer.Ordinal).SequenceEqual(versions), $"asked are {string.Join(" and ", versions)}");

    private async Task<IReadOnlyDictionary<string, int>> VersionsAsync(int requests) =>
        MeshNamespace.Counted(await ClientAsync($"curl -s -m 60 'http://web/?n=[1-{requests}]' | grep -o '\"VERSION\":\"[a-z0-9]*\"' | cut -d'\"' -f4 | sort | uniq -c; true"));

    private async Task<string> ClientAsync(string script) => (await _ns.KubectlAsync("exec", "deploy/client", "--", "sh", "-c", script)).Succeeded();

    private async Task ServiceAsync(string spec) => (await _ns.KubectlAsync("patch", "service/web", "--type=merge", "-p", $$"""{"spec":{{spec}}}""")).Succeeded();

    private async Task PlaceAsync(string node, string region, string zone, string subzone) =>
        (await cluster.KubectlAsync("label", "--overwrite", "node", node, $"{Region}={region}", $"{Zone}={zone}", $"{Subzone}={subzone}")).Succeeded();

    private async Task RuleAsync(string localities)
    {
        await _ns.ApplyAsync($$"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: web}
            spec:
              host: web
              trafficPolicy:
                outlierDetection: {consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 3s}
                loadBalancer: {simple: ROUND_ROBIN, localityLbSetting: {{localities}} }
            """);
        (await _ns.KubectlAsync("wait", "--for=condition=Programmed", "destinationrule/web", "--timeout=60s")).Succeeded();
    }

    private static string On(string node) => $"nodeSelector: {{kubernetes.io/hostname: {node} }}";
}
