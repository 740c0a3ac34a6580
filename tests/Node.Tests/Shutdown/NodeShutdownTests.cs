using System.Net.Sockets;
using System.Text.Json;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Shutdown;
using Weft.Node.Tests.Agent;
using Weft.Testing;

namespace Weft.Node.Tests.Shutdown;

/// <summary>The agent with real containers, told over its socket that the machine goes down.</summary>
[Collection("machine")]
public sealed class NodeShutdownTests
{
    // Ends when told to, and says when that was; one that does not hear is ended by force.
    private const string Obedient = """["sh","-c","trap 'echo ended; exit 0' TERM; while true; do sleep 0.05; done"]""";
    private const string Deaf = """["sh","-c","trap '' TERM; while true; do sleep 0.05; done"]""";

    [Fact]
    public async Task Pods_end_by_priority_and_say_why_and_the_node_takes_no_more()
    {
        await using var node = await NodeFixture.StartAsync(151);
        foreach (var (name, value) in new[] { ("low", 10), ("high", 5000) })
            await node.CreateAsync($$"""{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":"{{name}}"},"value":{{value}}}""");
        await PodAsync(node, "plain", Obedient, "low");
        await PodAsync(node, "deaf", Deaf, "low");
        await PodAsync(node, "late", Obedient, "high");
        foreach (var name in new[] { "plain", "deaf", "late" })
            await node.ReadyAsync(name);

        var reports = await AskAsync(node, new([new(0, 1), new(1000, 20)]));

        Assert.True(reports[^1].Done);
        Assert.Equal(2, reports.Count(r => r.Message.StartsWith("ending ", StringComparison.Ordinal)));
        var pods = new Dictionary<string, Pod>();
        foreach (var name in new[] { "plain", "deaf", "late" })
            pods[name] = await node.UntilAsync(name, p => p.Status.ContainerStatuses is [{ State.Terminated: not null }], "its container's end is told");
        Assert.All(pods.Values, p => Assert.Equal(
            ("Failed", "Terminated", "Pod was terminated in response to imminent node shutdown."), (p.Status.Phase, p.Status.Reason, p.Status.Message)));
        Assert.All(pods.Values, p => Assert.Equal("TerminationByKubelet", p.Status.Conditions.Single(c => c.Type == "DisruptionTarget").Reason));
        Assert.Equal([0, 137, 0], new[] { "plain", "deaf", "late" }.Select(n => pods[n].Status.ContainerStatuses[0].State!.Terminated!.ExitCode));
        Assert.True(End(pods["late"]) >= End(pods["deaf"]), "the higher priority ends after the lower one's time");

        var ready = (await node.Client.For<Weft.Api.Core.Node>().GetAsync(new ObjectKey("", "n1"), default)).Status.Conditions.Single(c => c.Type == "Ready");
        Assert.Equal(("False", "KubeletNotReady", "node is shutting down"), (ready.Status, ready.Reason, ready.Message));
        await PodAsync(node, "new", Obedient, "low");
        var refused = await node.UntilAsync("new", p => p.Status.Phase == "Failed", "is refused");
        Assert.Equal(("NodeShutdown", "Pod was rejected: Pod was rejected as the node is shutting down."), (refused.Status.Reason, refused.Status.Message));
    }

    [Fact]
    public async Task A_pod_that_never_began_and_one_that_is_being_deleted_keep_nobody_waiting()
    {
        await using var node = await NodeFixture.StartAsync(152);
        await node.PodAsync("waits", """{"containers":[{"name":"main","command":["sleep","1000"]}],"volumes":[{"name":"v","configMap":{"name":"absent"}}]}""");
        await node.PodAsync("leaves", $$"""{"terminationGracePeriodSeconds":1,"containers":[{"name":"main","command":{{Deaf}}}]}""");
        await node.ReadyAsync("leaves");
        await Eventually.TrueAsync(async () => (await node.EventsAsync("waits")).Any(e => e.Reason == "FailedMount"), "the other waits for its volume");
        await node.DeleteAsync("leaves");

        // Ten minutes for the group: the answer comes because both have ended.
        Assert.True((await AskAsync(node, new([new(0, 600)])))[^1].Done);

        Assert.Equal("Terminated", (await node.UntilAsync("waits", p => p.Status.Phase == "Failed", "failed")).Status.Reason);
        Assert.Null(await node.FindAsync("leaves"));
    }

    [Fact]
    public async Task An_agent_that_only_ends_leaves_its_pods_alone()
    {
        await using var node = await NodeFixture.StartAsync(153);
        await node.PodAsync("stays", """{"containers":[{"name":"main","command":["sleep","1000"]}]}""");
        var before = await node.ReadyAsync("stays");

        await node.RestartAgentAsync();

        var after = await node.ReadyAsync("stays");
        Assert.Equal(before.Status.ContainerStatuses[0].ContainerID, after.Status.ContainerStatuses[0].ContainerID);
    }

    private static Task<Pod> PodAsync(NodeFixture node, string name, string command, string priorityClass) =>
        node.PodAsync(name, $$"""{"priorityClassName":"{{priorityClass}}","containers":[{"name":"main","command":{{command}}}]}""");

    private static DateTimeOffset End(Pod pod) => pod.Status.ContainerStatuses[0].State!.Terminated!.FinishedAt!.Value;

    private static async Task<List<ShutdownReport>> AskAsync(NodeFixture node, ShutdownRequest request)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(node.Options.RunDir, ShutdownSocket.Name)));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(request, ShutdownJson.Default.ShutdownRequest), (byte)'\n']);
        using var lines = new StreamReader(stream);
        var reports = new List<ShutdownReport>();
        while (await lines.ReadLineAsync() is { } line)
            reports.Add(JsonSerializer.Deserialize(line, ShutdownJson.Default.ShutdownReport)!);
        return reports;
    }
}
