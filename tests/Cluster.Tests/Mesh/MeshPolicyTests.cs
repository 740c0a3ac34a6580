using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Network policies between meshed pods, on one node and across two: what they say holds as it does without a mesh.</summary>
[Collection(ChangingMeshCollection.Name)]
public sealed class MeshPolicyTests(MeshCluster cluster)
{
    // By the service as HTTP, by the service as bytes, and by the pod's own address.
    private static readonly string[] Ways = ["http://{0}/", "http://{0}:9090/", "http://{1}:8080/"];

    [Fact]
    public async Task Ingress_holds_for_pods_of_both_nodes()
    {
        await using var ns = await StartAsync();
        await using var other = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await other.ApplyAsync(Client("visitor", await NodesAsync(ns), 1));
        await other.RolledOutAsync("visitor");

        async Task ReachAsync(string rule, bool near, bool far, bool visitor)
        {
            await ns.ApplyAsync($$"""
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web}
                spec: {podSelector: {matchLabels: {app: web} }, policyTypes: [Ingress], ingress: [{{rule}}]}
                """);
            await ReachesAsync(ns, "near", "web", near, rule);
            await ReachesAsync(ns, "far", "web", far, rule);
            await ReachesAsync(other, "visitor", $"web.{ns.Name}", visitor, rule, ns);
        }

        await ReachAsync("", near: false, far: false, visitor: false);
        await ReachAsync("{from: [{podSelector: {matchLabels: {app: far} } }] }", near: false, far: true, visitor: false);
        await ReachAsync("{from: [{podSelector: {matchLabels: {app: near} } }] }", near: true, far: false, visitor: false);
        await ReachAsync($"{{from: [{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {other.Name}}} }} }}] }}", near: false, far: false, visitor: true);
        await ReachAsync($"{{from: [{{ipBlock: {{cidr: {await AddressAsync(ns, "far")}/32}} }}] }}", near: false, far: true, visitor: false);
        await ReachAsync("{}", near: true, far: true, visitor: true);
    }

    [Fact]
    public async Task Egress_holds_for_pods_of_both_nodes()
    {
        await using var ns = await StartAsync();
        foreach (var (rule, web, shop) in ((string, bool, bool)[])[("", false, false), ("{to: [{podSelector: {matchLabels: {app: web} } }] }", true, false), ("{to: [{podSelector: {matchLabels: {app: shop} } }] }", false, true)])
        {
            await ns.ApplyAsync($$"""
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: clients}
                spec: {podSelector: {matchExpressions: [{key: app, operator: In, values: [near, far]}]}, policyTypes: [Egress], egress: [{{rule}}]}
                """);
            foreach (var client in (string[])["near", "far"])
            {
                await ReachesAsync(ns, client, "web", web, rule);
                await ReachesAsync(ns, client, "shop", shop, rule);
            }
        }
    }

    private static async Task ReachesAsync(TestNamespace of, string client, string host, bool expected, string rule, TestNamespace? servers = null)
    {
        var address = await AddressAsync(servers ?? of, host.Split('.')[0]);
        foreach (var way in Ways)
        {
            var url = string.Format(System.Globalization.CultureInfo.InvariantCulture, way, host, address);
            await of.EventuallyAsync($"{client} {(expected ? "reaches" : "does not reach")} {url} by the rule '{rule}'", async () =>
                (await of.KubectlAsync("exec", "deploy/" + client, "--", "curl", "-s", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", url)).Output == "200" == expected);
        }
    }

    private async Task<TestNamespace> StartAsync()
    {
        var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        var nodes = await NodesAsync(ns);
        // One server on each node, and one client on each.
        await ns.ApplyAsync(string.Join("\n---\n", [Server("web", nodes, 0), Server("shop", nodes, 1), Client("near", nodes, 0), Client("far", nodes, 1)]));
        foreach (var name in (string[])["web-v1", "shop-v1", "near", "far"])
            await ns.RolledOutAsync(name);
        foreach (var client in (string[])["near", "far"])
        {
            foreach (var server in (string[])["web", "shop"])
                await ReachesAsync(ns, client, server, true, "none");
        }

        return ns;
    }

    private static async Task<string[]> NodesAsync(TestNamespace ns) => (await ns.GetAsync("{.items[*].metadata.name}", "nodes")).Split(' ').Order(StringComparer.Ordinal).ToArray();

    private static Task<string> AddressAsync(TestNamespace ns, string app) => ns.GetAsync("{.items[0].status.podIP}", "pods", "-l", "app=" + app);

    private static string Server(string app, string[] nodes, int node) => $$"""
        apiVersion: v1
        kind: Service
        metadata: {name: {{app}} }
        spec:
          selector: {app: {{app}} }
          ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 9090, targetPort: 8080}]
        ---
        {{MeshNamespace.Echo(app, "v1", more: On(nodes, node))}}
        """;

    private static string Client(string name, string[] nodes, int node) => TestNamespace.Deployment(name, more: "      " + On(nodes, node));

    private static string On(string[] nodes, int node) => $"nodeSelector: {{kubernetes.io/hostname: {nodes[node]}}}";
}
