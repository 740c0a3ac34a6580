using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>The tour of `weft demo`, which looks at every answer itself and ends with 1 where one is not as promised.</summary>
[Collection(MeshClusterCollection.Name)]
public sealed class DemoTests(MeshCluster cluster)
{
    [Fact]
    public async Task The_tour_finds_everything_as_promised_and_again_on_a_shop_that_has_had_it()
    {
        try
        {
            for (var round = 0; round < 2; round++)
            {
                var demo = await cluster.WeftAsync("demo");
                // What is wrong comes first: of a long text only the beginning may be seen.
                Assert.True(demo.ExitCode == 0, string.Join('\n', [.. demo.Output.Split('\n').Where(line => line.Contains("WRONG", StringComparison.Ordinal)), demo.Error, demo.Output]));
                foreach (var step in new[] { "1. Canary", "2. Retries", "3. Mutual TLS", "4. Policy", "5. Login", "6. Failover", "7. Why", "Everything was as promised." })
                    Assert.Contains(step, demo.Output, StringComparison.Ordinal);
                Assert.DoesNotContain("WRONG", demo.Output, StringComparison.Ordinal);
            }
        }
        finally
        {
            await cluster.KubectlAsync("delete", "namespace", "shop", "--ignore-not-found", "--wait=false");
            await cluster.KubectlAsync("-n", "istio-system", "delete", "requestauthentication/shop-login", "authorizationpolicy/shop-login", "--ignore-not-found");
        }
    }
}
