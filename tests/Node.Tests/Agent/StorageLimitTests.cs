using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Testing;

namespace Weft.Node.Tests.Agent;

/// <summary>Limits of what pods hold on the disk, by real containers that write.</summary>
[Collection("machine")]
public sealed class StorageLimitTests
{
    [Fact]
    public async Task A_pod_that_fills_its_volume_beyond_the_limit_is_evicted_and_one_within_stays()
    {
        await using var node = await NodeFixture.StartAsync(154);
        const string spec = """{"terminationGracePeriodSeconds":1,"volumes":[{"name":"v","emptyDir":{"sizeLimit":"1Mi"}}],"containers":[{"name":"main","command":["sh","-c","head -c COUNT /dev/zero > /v/file; exec sleep 1000"],"volumeMounts":[{"name":"v","mountPath":"/v"}]}]}""";
        await node.PodAsync("within", spec.Replace("COUNT", "500000", StringComparison.Ordinal));
        await node.PodAsync("beyond", spec.Replace("COUNT", "2000000", StringComparison.Ordinal));

        var pod = await node.UntilAsync("beyond", p => p.Status.Phase == "Failed", "evicted");

        Assert.Equal(("Evicted", "Usage of EmptyDir volume \"v\" exceeds the limit \"1Mi\". "), (pod.Status.Reason, pod.Status.Message));
        Assert.Contains(await node.EventsAsync("beyond"), e => e.Reason == "Evicted");
        Assert.Equal("Running", (await node.FindAsync("within"))!.Status.Phase);
    }

    [Fact]
    public async Task A_volume_in_memory_is_full_at_its_limit()
    {
        await using var node = await NodeFixture.StartAsync(155);
        await node.PodAsync("full", """
            {"restartPolicy":"Never","volumes":[{"name":"v","emptyDir":{"medium":"Memory","sizeLimit":"1Mi"}}],
             "containers":[{"name":"main","command":["sh","-c","head -c 2000000 /dev/zero > /v/file; stat -c %s /v/file"],"volumeMounts":[{"name":"v","mountPath":"/v"}]}]}
            """);

        await node.UntilAsync("full", p => p.Status.Phase == "Succeeded", "ended");

        Assert.Contains("No space left", await node.LogAsync("full"), StringComparison.Ordinal);
        Assert.Contains("1048576\n", await node.LogAsync("full"), StringComparison.Ordinal);   // two streams: either line may come first
    }

    [Fact]
    public async Task A_claim_for_one_pod_is_one_pods_on_the_node_too()
    {
        await using var node = await NodeFixture.StartAsync(156);
        var root = (await node.Client.For<Weft.Api.Core.Node>().GetAsync(new ObjectKey("", "n1"), default)).Metadata.Annotations["weft.dev/local-volumes"];
        await node.CreateAsync("""
            {"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"data","namespace":"default"},
             "spec":{"accessModes":["ReadWriteOncePod"],"storageClassName":"","volumeName":"pvc-1","resources":{"requests":{"storage":"1Gi"}}}}
            """);
        var claim = await node.Client.For<PersistentVolumeClaim>().GetAsync(new ObjectKey("default", "data"), default);
        await node.CreateAsync("""
            {"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"pvc-1","annotations":{"pv.kubernetes.io/provisioned-by":"weft.dev/local"}},
             "spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOncePod"],"local":{"path":"ROOT/pvc-1"},"claimRef":{"namespace":"default","name":"data","uid":"UID"},
              "nodeAffinity":{"required":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"kubernetes.io/hostname","operator":"In","values":["n1"]}]}]}}}}
            """.Replace("ROOT", root, StringComparison.Ordinal).Replace("UID", claim.Metadata.Uid, StringComparison.Ordinal));
        await node.Client.For<PersistentVolumeClaim>().PatchStatusAsync(new ObjectKey("default", "data"), Patch.Merge(new JsonObject { ["status"] = new JsonObject { ["phase"] = "Bound" } }), default);
        const string spec = """{"terminationGracePeriodSeconds":0,"volumes":[{"name":"d","persistentVolumeClaim":{"claimName":"data"}}],"containers":[{"name":"main","command":["sleep","1000"],"volumeMounts":[{"name":"d","mountPath":"/data"}]}]}""";

        await node.PodAsync("first", spec);
        await node.ReadyAsync("first");
        await node.RestartAgentAsync();   // who had it is known again
        await node.PodAsync("second", spec);

        await Eventually.TrueAsync(async () => (await node.EventsAsync("second")).Any(e => e.Reason == "FailedMount" && e.Message!.Contains("ReadWriteOncePod", StringComparison.Ordinal)), "the second waits and says for what");
        Assert.Equal("Pending", (await node.FindAsync("second"))!.Status.Phase);
        await node.DeleteAsync("first");
        await node.ReadyAsync("second");
    }
}
