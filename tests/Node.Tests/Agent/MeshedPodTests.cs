using Weft.Node.Network;
using Weft.Node.Network.Mesh;
using Weft.Node.Tests.Network.Mesh;
using Weft.Testing;

namespace Weft.Node.Tests.Agent;

/// <summary>The agent in a cluster with a mesh. Its proxy is a list.</summary>
[Collection("machine")]
public sealed class MeshedPodTests
{
    private const string Sleep = """{"containers":[{"name":"main","command":["sleep","1000"]}]}""";

    [Fact]
    public async Task A_meshed_pod_starts_when_it_is_captured_and_the_proxy_knows_it_and_is_forgotten_with_its_end()
    {
        await using var node = await NodeFixture.StartMeshedAsync(171);
        var pod = await node.PodAsync("web", Sleep, """{"labels":{"app":"web"}}""");
        await node.PodAsync("outside", Sleep, """{"labels":{"weft.dev/mesh":"disabled"}}""");
        await node.ReadyAsync("outside");

        await Eventually.TrueAsync(async () => (await node.EventsAsync("web")).Any(e => e.Reason == "MeshNotReady"));
        var waiting = (await node.FindAsync("web"))!;
        Assert.DoesNotContain(waiting.Status.ContainerStatuses, status => status.ContainerID is { Length: > 0 });
        Assert.Equal(1, await CapturedAsync(node));

        await using (var proxy = new FakeRegistry(node.Options.MeshSocket!))
        {
            var ready = await node.ReadyAsync("web");
            Assert.Equal($$$$"""{"do":"add","pod":{"uid":"{{{{pod.Metadata.Uid}}}}","addresses":["{{{{ready.Status.PodIP}}}}"],"namespace":"default","name":"web","serviceAccount":"default","labels":{"app":"web"}}}""",
                Assert.Single(proxy.Lines, line => line.Contains("\"add\"", StringComparison.Ordinal)));
            Assert.Contains(ready.Status.PodIP!, await SetAsync(node));

            await node.PatchAsync("api/v1/namespaces/default/pods/web", """{"metadata":{"labels":{"app":"other"}}}""");
            await Eventually.TrueAsync(() => proxy.Lines[^1].Contains("\"app\":\"other\"", StringComparison.Ordinal));
        }

        // The next run of the agent finds it, and the next proxy hears of it.
        await node.RestartAgentAsync();
        Assert.Equal(1, await CapturedAsync(node));
        await using var next = new FakeRegistry(node.Options.MeshSocket!);
        await Eventually.TrueAsync(() => next.Lines.Any(line => line.Contains("\"app\":\"other\"", StringComparison.Ordinal)));

        await node.DeleteAsync("web", grace: 1);
        await node.GoneAsync("web");
        Assert.Equal(0, await CapturedAsync(node));
        await Eventually.TrueAsync(() => next.Lines[^1] == $$"""{"do":"remove","uid":"{{pod.Metadata.Uid}}"}""");
    }

    [Fact]
    public async Task A_pod_that_waits_for_the_proxy_can_be_deleted()
    {
        await using var node = await NodeFixture.StartMeshedAsync(172);
        await node.PodAsync("web", Sleep);
        await Eventually.TrueAsync(async () => await CapturedAsync(node) == 1);

        await node.DeleteAsync("web", grace: 1);
        await node.GoneAsync("web");

        Assert.Equal(0, await CapturedAsync(node));
    }

    [Fact]
    public async Task Rules_that_somebody_flushed_come_again_and_go_with_the_mesh()
    {
        await using var node = await NodeFixture.StartMeshedAsync(173);
        await using var proxy = new FakeRegistry(node.Options.MeshSocket!);
        await node.PodAsync("web", Sleep);
        await node.ReadyAsync("web");

        await Nft.RunAsync($"delete table ip {NodeFirewall.TableName(node.Options.ClusterName)}\n");
        await Eventually.TrueAsync(async () => (await Nft.ReadAsync(["list", "tables"])).Contains(NodeFirewall.TableName(node.Options.ClusterName) + "\n", StringComparison.Ordinal)
            && (await Nft.ReadAsync(["list", "table", "ip", NodeFirewall.TableName(node.Options.ClusterName)])).Contains(CaptureRules.Sign, StringComparison.Ordinal));
        Assert.Equal(1, await CapturedAsync(node));
        Assert.Contains($"lookup {CaptureRoutes.Table(node.Options.ClusterCidr!)}", await RulesAsync());

        Assert.Equal("on", await SaidAsync(node));
        // Other nodes reach it there: the first address of the node's range.
        Assert.Equal($"{Weft.Node.Network.HostLink.Gateway(node.Options.PodCidr)}:15020", await SaidAsync(node, "weft.dev/mesh-metrics"));

        await node.RestartWithoutMeshAsync();
        Assert.Equal("off", await SaidAsync(node));
        Assert.Null(await SaidAsync(node, "weft.dev/mesh-metrics"));
        Assert.DoesNotContain("mesh", await Nft.ReadAsync(["list", "table", "ip", NodeFirewall.TableName(node.Options.ClusterName)]));
        Assert.DoesNotContain($"lookup {CaptureRoutes.Table(node.Options.ClusterCidr!)}", await RulesAsync());
    }

    private static async Task<string?> SaidAsync(NodeFixture node, string annotation = "weft.dev/mesh") =>
        (await node.Client.For<Weft.Api.Core.Node>().GetAsync(new Weft.Api.ObjectKey("", node.Options.NodeName), default)).Metadata.Annotations.GetValueOrDefault(annotation);

    private static async Task<int> CapturedAsync(NodeFixture node) => (await SetAsync(node)).Split("10.213.").Length - 1;

    private static Task<string> SetAsync(NodeFixture node) => Nft.ReadAsync(["list", "set", "ip", NodeFirewall.TableName(node.Options.ClusterName), CaptureRules.Pods]);

    private static async Task<string> RulesAsync()
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("/usr/sbin/ip", ["rule"]) { RedirectStandardOutput = true })!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return text;
    }
}
