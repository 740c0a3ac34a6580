using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Who may speak to whom: mutual TLS modes and authorization between pods.</summary>
[Collection(MeshClusterCollection.Name)]
public sealed class MeshSecurityTests(MeshCluster cluster)
{
    private const string Curl = "curl -s -m 3 -o /dev/null -w '%{http_code}'";

    [Fact]
    public async Task Strict_refuses_everything_without_an_identity()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await using var outside = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        (await outside.KubectlAsync("label", "namespace", outside.Name, "weft.dev/mesh=disabled")).Succeeded();
        await outside.ApplyAsync(TestNamespace.Deployment("stranger"));
        await outside.RolledOutAsync("stranger");
        var pod = await mesh.Namespace.GetAsync("{.items[0].status.podIP}", "pods", "-l", "version=v1");
        var service = await mesh.Namespace.GetAsync("{.spec.clusterIP}", "service/web");
        Task<CommandResult> StrangerAsync(string address) => outside.KubectlAsync("exec", "deploy/stranger", "--", "sh", "-c", $"{Curl} http://{address}/");
        Task<CommandResult> HostAsync(string address) => cluster.RunAsync("/bin/sh", ["-c", $"{Curl} http://{address}/"]);

        // Without the rule everybody is served.
        await mesh.Namespace.EventuallyAsync("the stranger is served", async () => (await StrangerAsync(service)).Output == "200");
        Assert.Equal("200", (await HostAsync(pod + ":8080")).Output);

        await mesh.ProgrammedAsync("peerauthentication/default", """
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: default}
            spec: {mtls: {mode: STRICT} }
            """);
        foreach (var address in new[] { service, pod + ":8080" })
        {
            Assert.NotEqual("200", (await StrangerAsync(address)).Output);
            Assert.NotEqual("200", (await HostAsync(address)).Output);
        }

        Assert.Equal(["200"], (await mesh.StatusesAsync("http://web/", 20)).Keys);
        Assert.Equal("200", await mesh.ClientAsync($"{Curl} http://{pod}:8080/"));
        // Probes are the node's own.
        Assert.Equal("True", await mesh.Namespace.GetAsync("{.items[0].status.conditions[?(@.type=='Ready')].status}", "pods", "-l", "version=v1"));
    }

    [Fact]
    public async Task A_policy_lets_named_accounts_and_paths_pass_and_nothing_else()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.Namespace.ApplyAsync($$"""
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: buyer}
            ---
            {{TestNamespace.Deployment("buyer").Replace("runtimeClassName: process", "runtimeClassName: process\n      serviceAccountName: buyer", StringComparison.Ordinal)}}
            """);
        await mesh.Namespace.RolledOutAsync("buyer");
        await mesh.ProgrammedAsync("authorizationpolicy/web", $$"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: web}
            spec:
              selector: {matchLabels: {app: web} }
              action: ALLOW
              rules:
              - from: [{source: {principals: ["cluster.local/ns/{{mesh.Name}}/sa/buyer"]} }]
                to: [{operation: {methods: [GET], paths: ["/buy*"]} }]
            """);
        Task<CommandResult> BuyerAsync(string path) => mesh.Namespace.KubectlAsync("exec", "deploy/buyer", "--", "sh", "-c", $"{Curl} {path}");
        Assert.Equal("200", (await BuyerAsync("http://web/buy/1")).Output);
        Assert.Equal("403", (await BuyerAsync("http://web/sell")).Output);
        Assert.Equal("403", (await BuyerAsync("-X POST http://web/buy/1")).Output);
        Assert.Equal("403", (await BuyerAsync("'http://web/buy/%2e%2e/sell'")).Output);
        Assert.Equal(["403"], (await mesh.StatusesAsync("http://web/buy/1", 10)).Keys);
        // A header that claims an identity is only a header.
        Assert.Equal(["403"], (await mesh.StatusesAsync("http://web/buy/1", 5, $"-H 'x-forwarded-client-cert: URI=spiffe://cluster.local/ns/{mesh.Name}/sa/buyer'")).Keys);
    }
}
