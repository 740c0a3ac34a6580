using System.Security.Cryptography;
using Weft.Cli.Clusters;
using Weft.Cli.Processes;
using Weft.Cli.Supervision;
using Weft.Cluster.Tests.Chaos;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Nodes;

/// <summary>Several nodes: they reach each other, are reached by streams, are lost, come back, and join from elsewhere.</summary>
public sealed class NodesTests(NodesCluster cluster, ITestOutputHelper output) : IClassFixture<NodesCluster>
{
    private const string Grace = "      terminationGracePeriodSeconds: 1\n";

    private const string Users = """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: process-user, namespace: default}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "weft:process-user"}
        subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: "system:serviceaccounts:default"}]
        ---

        """;

    // A pod of an image starts within a second or two; a machine that builds at the same time takes ten times as long.
    private static readonly TimeSpan ToStart = TimeSpan.FromSeconds(30);

    private static readonly string AffinityTo23 =
        $"      affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{{matchExpressions: [{{key: kubernetes.io/hostname, operator: In, values: [{Node(2)}, {Node(3)}]}}]}}]}}}}}}\n";

    private static string Node(int number) => number == 1 ? NodesCluster.Machine : $"{NodesCluster.Machine}-{number}";

    [Fact]
    public async Task Pods_of_all_nodes_reach_each_other_and_are_reached_by_streams()
    {
        string[] pods = ["p1", "p2", "p3"];
        await cluster.ApplyAsync(string.Concat(pods.Select((pod, i) => NodesCluster.Pod(pod, Node(i + 1)))));
        await cluster.ReadyAsync(pods);
        foreach (var from in pods)
        {
            Assert.StartsWith($"ready from {from}", (await cluster.KubectlAsync("logs", from)).Succeeded(), StringComparison.Ordinal);
            foreach (var to in pods)
                await ReachesAsync(from, to);
        }

        Assert.Equal(7, (await cluster.KubectlAsync("exec", "p2", "--", "/bin/sh", "-c", "exit 7")).ExitCode);
        (await cluster.KubectlAsync("delete", "pod", "p1", "p2", "p3", "--wait=false")).Succeeded();
    }

    private async Task ReachesAsync(string from, string to)
    {
        var address = await cluster.GetAsync("{.status.podIP}", "pod", to);
        // A name server of its own is not asked, and the first answer of a program that just started may take its time.
        await Eventually.TrueAsync(async () => (await cluster.KubectlAsync("exec", from, "--", "curl", "-s", "-m", "5", $"http://{address}:8080/")).Output.Trim() == to, $"{from} reaches {to}");
    }

    [Fact]
    public async Task What_every_node_and_its_pods_use_is_asked_over_the_tunnels()
    {
        await cluster.ApplyAsync(NodesCluster.Pod("measured", Node(2)));
        await cluster.ReadyAsync("measured");
        await Eventually.TrueAsync(async () =>
        {
            var nodes = (await cluster.KubectlAsync("top", "nodes", "--no-headers")).Output;
            return new[] { 1, 2, 3 }.All(number => nodes.Split('\n').Any(line => line.StartsWith(Node(number) + " ", StringComparison.Ordinal) && !line.Contains("<unknown>", StringComparison.Ordinal)));
        }, "kubectl top nodes shows all three");
        await Eventually.TrueAsync(async () => (await cluster.KubectlAsync("top", "pod", "measured", "--no-headers")).Output.StartsWith("measured ", StringComparison.Ordinal), "a pod of node 2 has figures");
        (await cluster.KubectlAsync("delete", "pod", "measured", "--wait=false")).Succeeded();
    }

    [Fact]
    public async Task A_large_stream_arrives_whole_and_a_reader_that_stands_still_holds_up_nobody_else()
    {
        await cluster.ApplyAsync(NodesCluster.Pod("big", Node(2)));
        await cluster.ReadyAsync("big");
        var file = Path.Combine(cluster.DirectoryPath, "blob");
        var blob = RandomNumberGenerator.GetBytes(16 * 1024 * 1024);
        await File.WriteAllBytesAsync(file, blob, TestContext.Current.CancellationToken);

        var sums = (await cluster.InAsync(cluster.Namespace, "/bin/sh", ["-c", $"{WeftCluster.Kubectls[0]} exec -i big -- cat < {file} | sha256sum"])).Succeeded();
        Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(blob)), sums, StringComparison.Ordinal);

        // Its output is read by nobody; the other stream to the same node does not notice.
        var answer = await cluster.InAsync(cluster.Namespace, "/bin/sh",
            ["-c", $"({WeftCluster.Kubectls[0]} exec big -- cat /dev/zero | sleep 5) & {WeftCluster.Kubectls[0]} exec big -- hostname; kill $! 2>/dev/null; wait"]);
        Assert.Contains("big", answer.Output, StringComparison.Ordinal);
        (await cluster.KubectlAsync("delete", "pod", "big", "--wait=false")).Succeeded();
    }

    [Theory]
    [InlineData("process")]
    [InlineData("containers")]
    public async Task Pods_of_a_lost_node_run_elsewhere_and_the_node_comes_back(string kind)
    {
        await cluster.ApplyAsync(kind == "process" ? Users + TestNamespace.Deployment("moving", 1).Replace(Grace, Grace + AffinityTo23, StringComparison.Ordinal) : await ContainersAsync());
        await Eventually.TrueAsync(async () => await cluster.GetAsync("{.status.readyReplicas}", "deployment", "moving") == "1", "it runs");
        var on = (await cluster.GetAsync("{.items[*].spec.nodeName}", "pods", "-l", "app=moving")).Trim();
        var paths = cluster.Paths.LocalNode(on == Node(2) ? 2 : 3);

        // As when the power fails: nobody says goodbye.
        var lost = TimeProvider.System.GetTimestamp();
        foreach (var process in (ProcessIdentity[])[Supervisor.Find(paths)!, .. ChildState.Load(paths).Select(child => child.Process).OfType<ProcessIdentity>(), .. Containerd.Below(paths.DataDir)])
            Signals.Send(process.Pid, Signals.Kill);
        await Eventually.TrueAsync(async () => await cluster.GetAsync("{.status.conditions[?(@.type=='Ready')].status}", "node", on) == "Unknown", $"{on} is Unknown");
        await Eventually.TrueAsync(async () => (await cluster.GetAsync("{range .items[?(@.status.phase=='Running')]}{.spec.nodeName} {end}", "pods", "-l", "app=moving")).Split(' ').Any(node => node.Length > 0 && node != on), "it runs elsewhere");
        var took = TimeProvider.System.GetElapsedTime(lost);
        output.WriteLine(FormattableString.Invariant($"{kind}: runs elsewhere after {took.TotalSeconds:0.0} s"));
        Assert.InRange(took, NodesCluster.Grace / 2, NodesCluster.Grace + NodesCluster.EvictAfter + ToStart);

        (await cluster.WeftAsync("up")).Succeeded();
        await Eventually.TrueAsync(async () => await cluster.GetAsync("{.status.conditions[?(@.type=='Ready')].status}", "node", on) == "True", $"{on} is Ready again");
        await Eventually.TrueAsync(async () => await cluster.GetAsync("{.spec.taints}", "node", on) is "" or "[]", "without taints");
        // What ran there was evicted, and its node has seen to it now.
        await Eventually.TrueAsync(async () => (await cluster.GetAsync("{.items[*].metadata.name}", "pods", "-l", "app=moving")).Split(' ').Length == 1, "one pod is left");

        var now = (await cluster.GetAsync("{.items[*].spec.nodeName}", "pods", "-l", "app=moving")).Trim();
        (await cluster.KubectlAsync("drain", now, "--ignore-daemonsets", "--force", "--timeout=60s")).Succeeded();
        await Eventually.TrueAsync(async () => await cluster.GetAsync("{.status.readyReplicas}", "deployment", "moving") == "1"
            && (await cluster.GetAsync("{.items[*].spec.nodeName}", "pods", "-l", "app=moving")).Trim() == on, "the drained node's pod runs on the other");
        (await cluster.KubectlAsync("uncordon", now)).Succeeded();
        (await cluster.KubectlAsync("delete", "deployment", "moving")).Succeeded();
        await Eventually.TrueAsync(async () => await cluster.GetAsync("{.items[*].metadata.name}", "pods", "-l", "app=moving") == "", "they are gone");
    }

    /// <summary>The Deployment with an image, which is in the cluster's registry then.</summary>
    private async Task<string> ContainersAsync()
    {
        (await Shell.RunAsync(Path.Combine(WeftCluster.Checkout, "images", "build"), ["busybox"])).Succeeded();
        (await cluster.WeftAsync("image", "load", Path.Combine(WeftCluster.Checkout, "images", "out", "busybox.tar"))).Succeeded();
        return TestNamespace.Deployment("moving", 1).Replace(Grace, Grace + AffinityTo23, StringComparison.Ordinal)
            .Replace("      runtimeClassName: process\n", "", StringComparison.Ordinal).Replace("image: host", "image: busybox", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_joins_with_a_token_and_others_are_refused()
    {
        var token = (await cluster.WeftAsync("token", "create", "--ttl", "1h", "--description", "a test")).Succeeded().Trim();
        var revoked = (await cluster.WeftAsync("token", "create")).Succeeded().Trim();
        (await cluster.WeftAsync("token", "revoke", revoked.Split("::")[1].Split('.')[0])).Succeeded();
        var list = (await cluster.WeftAsync("token", "list")).Succeeded();
        Assert.Contains("a test", list, StringComparison.Ordinal);
        Assert.DoesNotContain(token.Split('.')[1], list, StringComparison.Ordinal);

        // A machine of its own: a namespace with a cable to the cluster's.
        var machine = cluster.Namespace + "-b";
        await cluster.AddNamespaceAsync(machine);
        await NodesCluster.IpAsync("-n", cluster.Namespace, "link", "add", "mb", "type", "veth", "peer", "name", "eth0", "netns", machine);
        await NodesCluster.IpAsync("-n", cluster.Namespace, "addr", "add", "172.31.91.1/24", "dev", "mb");
        await NodesCluster.IpAsync("-n", cluster.Namespace, "link", "set", "mb", "up");
        await NodesCluster.IpAsync("-n", machine, "addr", "add", "172.31.91.2/24", "dev", "eth0");
        await NodesCluster.IpAsync("-n", machine, "link", "set", "eth0", "up");
        await NodesCluster.IpAsync("-n", machine, "route", "add", "default", "via", "172.31.91.1");
        var name = cluster.Name + "j";
        var data = Path.Combine(cluster.DirectoryPath, "joined");
        try
        {
            Assert.Contains("another hash", (await JoinAsync("K10" + new string('0', 64) + token[67..], "joined")).Error, StringComparison.Ordinal);
            Assert.Contains("revoked", (await JoinAsync(revoked, "joined")).Error, StringComparison.Ordinal);
            Assert.Contains("alive", (await JoinAsync(token, Node(2))).Error, StringComparison.Ordinal);
            (await JoinAsync(token, "joined")).Succeeded();
            Assert.DoesNotContain(token.Split('.')[1], await File.ReadAllTextAsync(Path.Combine(data, "agent.json"), TestContext.Current.CancellationToken), StringComparison.Ordinal);

            await cluster.ApplyAsync(NodesCluster.Pod("far", "joined") + NodesCluster.Pod("asked", Node(2)));
            await cluster.ReadyAsync("far", "asked");
            // It was told that the mesh is on: what its pod opens and what is opened to it goes by its proxy.
            Assert.Equal("on", await cluster.GetAsync(@"{.metadata.annotations.weft\.dev/mesh}", "node", "joined"));
            Assert.Contains(await cluster.GetAsync("{.status.podIP}", "pod", "far"), (await cluster.InAsync(machine, "nft", ["list", "set", "ip", "weft_" + name, "mesh_pods"])).Succeeded(), StringComparison.Ordinal);
            await ReachesAsync("far", "asked");
            await ReachesAsync("asked", "far");
            Assert.Equal("far", (await cluster.KubectlAsync("exec", "far", "--", "hostname")).Succeeded().Trim());
            (await cluster.KubectlAsync("delete", "pod", "far", "asked", "--timeout=60s")).Succeeded();
        }
        finally
        {
            (await cluster.InAsync(machine, WeftCluster.Program, ["down", "--purge", "--name", name, "--data-dir", data])).Succeeded();
        }

        (await cluster.KubectlAsync("delete", "node", "joined")).Succeeded();

        Task<CommandResult> JoinAsync(string with, string node) => cluster.InAsync(
            machine, WeftCluster.Program, ["agent", "--join", $"https://172.31.91.1:{NodesCluster.ApiPort}", "--token", with, "--node-name", node, "--name", name, "--data-dir", data]);
    }

    [Fact]
    public async Task Simulated_nodes_play_pods_and_let_them_go()
    {
        await cluster.ApplyAsync("""
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: played}
            spec:
              replicas: 100
              selector: {matchLabels: {app: played}}
              template:
                metadata: {labels: {app: played}}
                spec:
                  nodeSelector: {weft.dev/simulated: "true"}
                  containers: [{name: main, image: anything}]
            """);
        await Eventually.TrueAsync(async () => await cluster.GetAsync("{.status.readyReplicas}", "deployment", "played") == "100", "100 pods are played");
        Assert.Equal(100, (await cluster.GetAsync("{.items[*].status.podIP}", "pods", "-l", "app=played")).Split(' ').Distinct().Count());
        (await cluster.KubectlAsync("delete", "deployment", "played")).Succeeded();
        await Eventually.TrueAsync(async () => await cluster.GetAsync("{.items[*].metadata.name}", "pods", "-l", "app=played") == "", "they are gone");
    }

    [Fact]
    public async Task A_bundle_tells_about_the_cluster_and_gives_no_secret_away()
    {
        (await cluster.KubectlAsync("create", "secret", "generic", "keys", "--from-literal=key=hunter2hunter2")).Succeeded();
        var token = (await cluster.WeftAsync("token", "create")).Succeeded().Trim();
        var (file, folder) = (Path.Combine(cluster.DirectoryPath, "bundle.tar.gz"), Path.Combine(cluster.DirectoryPath, "bundle"));
        (await cluster.WeftAsync("debug", "bundle", "--output", file)).Succeeded();
        Directory.CreateDirectory(folder);
        (await Shell.RunAsync("tar", ["xzf", file, "-C", folder, "--strip-components=1"])).Succeeded();

        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).ToList();
        Assert.All(["check.json", "versions.txt", "processes.txt", "settings.json", "log/weft.log", "node-2/log/weft.log", "network/nft.txt", "objects/nodes.json", "objects/secrets.json", "metrics.txt"],
            part => Assert.True(new FileInfo(Path.Combine(folder, part)) is { Exists: true, Length: > 0 }, part));
        var key = (await File.ReadAllTextAsync(Path.Combine(cluster.Paths.Pki, "ca.pem"), TestContext.Current.CancellationToken)).Split('\n')[1];
        foreach (var path in files)
        {
            var text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
            foreach (var secret in new[] { "hunter2hunter2", Convert.ToBase64String("hunter2hunter2"u8), token.Split('.')[1], key })
                Assert.False(text.Contains(secret, StringComparison.Ordinal), $"{path} holds a secret");
        }

        (await cluster.KubectlAsync("delete", "secret", "keys")).Succeeded();
    }
}
