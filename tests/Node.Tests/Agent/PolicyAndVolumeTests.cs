using System.Diagnostics;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Node.Network.Policies;
using Weft.Testing;

namespace Weft.Node.Tests.Agent;

public sealed class PolicyAndVolumeTests
{
    private const string Ask = """import sys,time,urllib.request\nwhile True:\n  try:\n    urllib.request.urlopen('http://ADDRESS:8080/', timeout=3).read(); r='reached'\n  except OSError:\n    r='denied'\n  if r==sys.argv[1]: break\n  time.sleep(0.2)\nprint(r)""";

    [Fact]
    public async Task A_network_policy_lets_only_its_peers_reach_a_pod_and_probes_always()
    {
        await using var node = await NodeFixture.StartAsync(171);
        await node.PodAsync("server", """
            {"containers":[{"name":"main","command":["python3","-m","http.server","8080","--directory","/usr/share/doc"],"readinessProbe":{"httpGet":{"path":"/","port":8080},"periodSeconds":1}}]}
            """, """{"labels":{"app":"server"}}""");
        var server = await node.ReadyAsync("server");
        await node.CreateAsync("""
            {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"friends","namespace":"default"},
             "spec":{"podSelector":{"matchLabels":{"app":"server"}},"ingress":[{"from":[{"podSelector":{"matchLabels":{"role":"friend"}}}],"ports":[{"port":8080}]}]}}
            """);
        await Eventually.TrueAsync(async () => (await TableAsync(node)).Contains(server.Status.PodIP!, StringComparison.Ordinal), "the policy is in force");

        await ClientAsync(node, "friend", server.Status.PodIP!, "reached", """{"labels":{"role":"friend"}}""");
        await ClientAsync(node, "stranger", server.Status.PodIP!, "denied", null);
        await ClientAsync(node, "locked", server.Status.PodIP!, "reached", """{"labels":{"role":"friend","egress":"none"}}""");
        await node.CreateAsync("""
            {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"locked","namespace":"default"},
             "spec":{"podSelector":{"matchLabels":{"egress":"none"}},"policyTypes":["Egress"]}}
            """);
        await ClientAsync(node, "locked2", server.Status.PodIP!, "denied", """{"labels":{"role":"friend","egress":"none"}}""");

        // The node itself, and with it the probe, goes through.
        using var http = new HttpClient();
        Assert.True((await http.GetAsync($"http://{server.Status.PodIP}:8080/")).IsSuccessStatusCode);
        Assert.True(NodeFixture.IsReady((await node.FindAsync("server"))!));

        foreach (var name in (string[])["friends", "locked"])
            await node.Client.For<Weft.Api.Networking.NetworkPolicy>().DeleteAsync(new ObjectKey("default", name), default);
        await ClientAsync(node, "again", server.Status.PodIP!, "reached", null);
    }

    [Fact]
    public async Task A_claims_data_outlives_its_pod_and_goes_with_its_volume()
    {
        await using var node = await NodeFixture.StartAsync(172);
        var found = await node.Client.For<Weft.Api.Core.Node>().GetAsync(new ObjectKey("", "n1"), default);
        var root = found.Metadata.Annotations["weft.dev/local-volumes"];
        await node.CreateAsync("""
            {"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"data","namespace":"default"},
             "spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"","volumeName":"pvc-1","resources":{"requests":{"storage":"1Gi"}}}}
            """);
        var claim = await node.Client.For<PersistentVolumeClaim>().GetAsync(new ObjectKey("default", "data"), default);
        await node.CreateAsync("""
            {"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"pvc-1","annotations":{"pv.kubernetes.io/provisioned-by":"weft.dev/local"},"finalizers":["weft.dev/local-volume"]},
             "spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"local":{"path":"ROOT/pvc-1"},"claimRef":{"namespace":"default","name":"data","uid":"UID"},
              "nodeAffinity":{"required":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"kubernetes.io/hostname","operator":"In","values":["n1"]}]}]}}}}
            """.Replace("ROOT", root, StringComparison.Ordinal).Replace("UID", claim.Metadata.Uid, StringComparison.Ordinal));
        var volumes = node.Client.For<PersistentVolume>();
        await volumes.PatchStatusAsync(new ObjectKey("", "pvc-1"), Patch.Merge(new JsonObject { ["status"] = new JsonObject { ["phase"] = "Bound" } }), default);

        const string spec = """{"restartPolicy":"Never","volumes":[{"name":"d","persistentVolumeClaim":{"claimName":"data"}}],"containers":[{"name":"main","command":["sh","-c","COMMAND"],"volumeMounts":[{"name":"d","mountPath":"/data"}]}]}""";
        await node.PodAsync("writer", spec.Replace("COMMAND", "echo kept > /data/file", StringComparison.Ordinal));
        // Until it is bound, the pod waits and says so.
        await Eventually.TrueAsync(async () => (await node.EventsAsync("writer")).Any(e => e.Message!.Contains("not bound", StringComparison.Ordinal)), "the pod says that its claim is not bound");
        await node.Client.For<PersistentVolumeClaim>().PatchStatusAsync(new ObjectKey("default", "data"), Patch.Merge(new JsonObject { ["status"] = new JsonObject { ["phase"] = "Bound" } }), default);
        await node.UntilAsync("writer", p => p.Status.Phase == "Succeeded", "succeeded");
        await node.DeleteAsync("writer");
        await node.GoneAsync("writer");
        await node.PodAsync("reader", spec.Replace("COMMAND", "cat /data/file", StringComparison.Ordinal));
        await node.UntilAsync("reader", p => p.Status.Phase == "Succeeded", "succeeded");
        Assert.Equal("kept\n", await node.LogAsync("reader"));

        await volumes.DeleteAsync(new ObjectKey("", "pvc-1"), default);
        await volumes.PatchStatusAsync(new ObjectKey("", "pvc-1"), Patch.Merge(new JsonObject { ["status"] = new JsonObject { ["phase"] = "Released" } }), default);
        await Eventually.TrueAsync(() => Task.FromResult(!Directory.Exists(root + "/pvc-1")), "the directory is gone");
        await Eventually.TrueAsync(
            async () => await volumes.FindAsync(new ObjectKey("", "pvc-1"), default) is not { } left || !left.Metadata.Finalizers.Contains("weft.dev/local-volume"), "the finalizer is gone");
    }

    private static async Task ClientAsync(NodeFixture node, string name, string address, string expected, string? metadata)
    {
        var spec = """{"restartPolicy":"Never","containers":[{"name":"main","command":["python3","-c","CODE","EXPECTED"]}]}"""
            .Replace("CODE", Ask.Replace("ADDRESS", address, StringComparison.Ordinal), StringComparison.Ordinal).Replace("EXPECTED", expected, StringComparison.Ordinal);
        await node.PodAsync(name, spec, metadata);
        await node.UntilAsync(name, p => p.Status.Phase == "Succeeded", expected);
    }

    private static async Task<string> TableAsync(NodeFixture node)
    {
        var start = new ProcessStartInfo("nft", ["list", "table", "ip", PolicyScript.Table(node.Options.ClusterName)]) { RedirectStandardOutput = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return text;
    }
}
