using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>A cluster that runs without its mesh takes the mesh's objects, and does not say that anybody serves by them.</summary>
[Collection(ContainerClusterCollection.Name)]
public sealed class WithoutMeshTests(ContainerCluster cluster)
{
    [Fact]
    public async Task A_rule_says_that_nobody_serves_by_it()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync("""
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: default}
            spec: {mtls: {mode: STRICT} }
            """);
        await ns.EventuallyAsync("the condition tells", async () =>
            (await ns.GetAsync("{.status.conditions[?(@.type=='Programmed')].status} {.status.conditions[?(@.type=='Programmed')].message}", "peerauthentication/default")).StartsWith("False the cluster runs without its mesh", StringComparison.Ordinal));
    }
}
