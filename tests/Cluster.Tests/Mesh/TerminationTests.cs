using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Pods that end at once on SIGTERM, without a preStop hook, under load: whoever takes them away, no request is lost.</summary>
[Collection(ChangingMeshCollection.Name)]
public sealed class TerminationTests(MeshCluster cluster, ITestOutputHelper output)
{
    [Fact]
    public async Task Rolling_update_scaling_and_drain_lose_no_request()
    {
        await using var web = await LoadedService.CreateAsync(cluster, replicas: 10);
        var ns = web.Namespace;
        await web.UnharmedAsync("before", output);

        await ns.ApplyAsync(LoadedService.Web(10, "2"));
        await ns.RolledOutAsync("web");
        await web.UnharmedAsync("rolling update", output);

        (await ns.KubectlAsync("scale", "deployment/web", "--replicas=1")).Succeeded();
        await ns.EventuallyAsync("one is left", async () => (await ns.GetAsync("{.items[*].metadata.name}", "pods", "-l", "app=web")).Split(' ').Length == 1);
        await web.UnharmedAsync("scaled to one", output);
        (await ns.KubectlAsync("scale", "deployment/web", "--replicas=10")).Succeeded();
        await ns.RolledOutAsync("web");
        await web.UnharmedAsync("scaled to ten", output);

        foreach (var node in (await ns.GetAsync("{.items[*].metadata.name}", "nodes")).Split(' '))
        {
            try
            {
                (await ns.KubectlAsync("drain", node, "--pod-selector=app=web", "--ignore-daemonsets", "--timeout=120s")).Succeeded();
                await ns.RolledOutAsync("web");
                await web.UnharmedAsync("drain of " + node, output);
            }
            finally
            {
                (await ns.KubectlAsync("uncordon", node)).Succeeded();
            }
        }
    }
}
