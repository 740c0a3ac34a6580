using System.Globalization;
using System.Text.Json;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Network;

/// <summary>
/// Who reaches what in a cluster of two nodes, from containers, process pods, pods on a node's network and the nodes themselves: every place asks the
/// servers of both nodes at every address, over TCP and UDP. The servers answer with their own name and the address they were asked from.
/// </summary>
[Collection(ContainerClusterCollection.Name)]
public sealed class NodeReachabilityTests(ContainerCluster cluster)
{
    private const string Near = "near", Far = "far";

    private static readonly string[] Servers = [Near, Far];

    private static string Kubectl => WeftCluster.Kubectls[0];

    private static string NodeName(int node) => Environment.MachineName.ToLowerInvariant() + (node == 1 ? "" : "-2");

    /// <param name="Pod">Null: the node itself.</param>
    private sealed record Place(string Name, int Node, string? Pod = null, bool OnHostNetwork = false, bool IsProcess = false)
    {
        public bool OnNodesNetwork => Pod is null || OnHostNetwork;
    }

    private static readonly Place[] Places =
    [
        new("a container of node 1, itself a server", 1, Near),
        new("a container of node 2, itself a server", 2, Far),
        new("another container of node 1", 1, "client-1"),
        new("another container of node 2", 2, "client-2"),
        new("a process pod of node 1", 1, "process-1", IsProcess: true),
        new("a process pod of node 2", 2, "process-2", IsProcess: true),
        new("a container on the network of node 1", 1, "host-1", OnHostNetwork: true),
        new("a container on the network of node 2", 2, "host-2", OnHostNetwork: true),
        new("node 1", 1),
        new("node 2", 2),
    ];

    /// <param name="KeepsSource">Whether the server sees the pod that asks.</param>
    private sealed record Target(string Name, string Server, string Address, int Tcp, int Udp, bool KeepsSource = false)
    {
        /// <summary>In a pod's own network that is the pod's.</summary>
        public bool IsLoopback => Address == "127.0.0.1";
    }

    [Fact]
    public async Task Every_place_of_both_nodes_reaches_the_servers_of_both_at_every_address()
    {
        await using var ns = await StartAsync();
        var pods = await AddressesAsync(ns);
        var targets = await TargetsAsync(ns, pods);
        var failures = await Task.WhenAll(Places.Select(place => FailuresAsync(ns, place, [.. targets.Where(target => place.OnNodesNetwork || !target.IsLoopback)], pods)));
        Assert.True(failures.All(of => of.Count == 0), string.Join('\n', [.. failures.SelectMany(of => of), "what the nodes' proxies say of broken connections:", .. BrokenConnections()]));

        // By name, through the DNS of the node that asks.
        foreach (var client in (string[])["client-1", "client-2", Far])
        {
            foreach (var server in Servers)
                Assert.Contains($"\"host\":\"{server}\"", (await ns.KubectlAsync("exec", client, "-c", "shell", "--", "timeout", "30", "wget", "-qO-", $"http://{server}.{ns.Name}.svc.cluster.local:8080/")).Succeeded().Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        }

        foreach (var client in (string[])["process-1", "process-2"])
            Assert.StartsWith("far ", (await ns.KubectlAsync("exec", client, "--", "sh", "-c", "socat -t2 - TCP4:far:9090,connect-timeout=20 </dev/null")).Succeeded(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_cannot_send_from_an_address_that_is_not_its_own()
    {
        await using var ns = await StartAsync();
        var pods = await AddressesAsync(ns);
        // To a pod of its own node and to one of the other: in the name of each other, of nobody, and of the node.
        var got = new Dictionary<string, Task<CommandResult>>();
        var ready = new List<string>();
        foreach (var receiver in (string[])["process-1", "process-2"])
            got[receiver] = InNetworkOfAsync(ns, Places.Single(place => place.Pod == receiver), Receive);
        foreach (var receiver in got.Keys)
            await ns.EventuallyAsync($"{receiver} listens", async () => (await InNetworkOfAsync(ns, Places.Single(place => place.Pod == receiver), "ss -Hlun sport = 9191")).Output.Length > 0);

        var sender = Places.Single(place => place.Pod == "client-1");
        foreach (var receiver in got.Keys)
        {
            foreach (var spoofed in (string[])[pods[Near], pods[Far], NetworkCluster.NodeAddress, "192.0.2.66"])
                await InNetworkOfAsync(ns, sender, $"ip addr add {spoofed}/32 dev lo; for i in 1 2 3; do echo x | socat -u - UDP4:{pods[receiver]}:9191,bind={spoofed}; done; ip addr del {spoofed}/32 dev lo");
        }

        // A packet that may pass comes after them: when it has arrived, the others will not.
        foreach (var (receiver, said) in got)
        {
            await ns.EventuallyAsync($"an honest packet arrives at {receiver}", async () =>
            {
                await InNetworkOfAsync(ns, sender, $"echo honest | socat -u - UDP4:{pods[receiver]}:9191");
                return said.IsCompleted;
            });
            Assert.All((await said).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.True(line == "honest" || line == pods["client-1"], line));
        }
    }

    // Prints who sent, and what, until something honest has come.
    private const string Receive = """
        f=$(mktemp)
        socat -u UDP4-RECVFROM:9191,fork SYSTEM:"(echo \$SOCAT_PEERADDR; cat) >> $f" & p=$!
        i=0; until grep -q honest $f || [ $i = 900 ]; do i=$((i+1)); sleep 0.1; done
        kill $p; cat $f; rm $f
        """;

    [Fact]
    public async Task A_policy_holds_for_pods_of_other_nodes_too()
    {
        await using var ns = await StartAsync();
        await ns.ApplyAsync("""
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: friends}
            spec:
              podSelector: {matchLabels: {app: near}}
              policyTypes: [Ingress]
              ingress: [{from: [{podSelector: {matchLabels: {friend: "yes"}}}]}]
            """);
        var address = await ns.GetAsync("{.spec.clusterIP}", "service", Near);
        async Task<bool> ReachesAsync(string pod) =>
            (await InNetworkOfAsync(ns, Places.Single(place => place.Pod == pod), $"socat -t2 - TCP4:{address}:9090,connect-timeout=3 </dev/null 2>/dev/null || true")).Output.StartsWith("near ", StringComparison.Ordinal);

        foreach (var pod in (string[])["client-1", "client-2", "process-2"])
            await ns.EventuallyAsync($"{pod} is kept out", async () => !await ReachesAsync(pod));
        (await ns.KubectlAsync("label", "pod", "client-2", "process-2", "friend=yes")).Succeeded();
        foreach (var pod in (string[])["client-2", "process-2"])
            await ns.EventuallyAsync($"{pod} is let in", () => ReachesAsync(pod));
        Assert.False(await ReachesAsync("client-1"));
    }

    private async Task<List<string>> FailuresAsync(TestNamespace ns, Place place, IReadOnlyList<Target> targets, IReadOnlyDictionary<string, string> pods)
    {
        // A lost UDP packet is sent again: UDP may lose one.
        var script = string.Concat(targets.Select(target => $"""
            r=$(socat -t2 - TCP4:{target.Address}:{target.Tcp},connect-timeout=10 </dev/null 2>&1); echo "$r" | head -n 1
            for i in 1 2 3 4 5 6 7 8 9 10; do r=$(echo x | socat -t0.3 - UDP4:{target.Address}:{target.Udp} 2>&1); [ -n "$r" ] && break; done; echo "$r" | head -n 1

            """));
        var answers = (await InNetworkOfAsync(ns, place, script)).Succeeded().Split('\n')[..^1];
        var failures = new List<string>();
        for (var i = 0; i < answers.Length; i++)
        {
            var (target, protocol) = (targets[i / 2], i % 2 == 0 ? "tcp" : "udp");
            var expected = target.KeepsSource && !place.OnNodesNetwork && place.Pod != target.Server ? $"{target.Server} {pods[place.Pod!]}:" : target.Server + " ";
            if (!answers[i].StartsWith(expected, StringComparison.Ordinal))
                failures.Add($"{place.Name} -> {target.Server} by {target.Name} {target.Address}/{protocol}: '{answers[i]}' instead of '{expected}'");
        }

        Assert.Equal(2 * targets.Count, answers.Length);
        return failures;
    }

    /// <summary>Lines of the access logs of connections that did not end as their clients ended them.</summary>
    private IEnumerable<string> BrokenConnections() =>
        Directory.EnumerateFiles(cluster.DataDir, "access.log", SearchOption.AllDirectories).SelectMany(File.ReadLines)
            .Where(line => line.Contains("\"protocol\":\"TCP\"", StringComparison.Ordinal) && !line.Contains("\"response_flags\":\"-\"", StringComparison.Ordinal)).TakeLast(20);

    private async Task<TestNamespace> StartAsync()
    {
        var ns = await TestNamespace.CreateAsync(cluster, Kubectl);
        await ns.ApplyAsync(string.Join("\n---\n", [
            .. Places.Where(place => place.Pod is not null).Select(place => Pod(ns, place)),
            .. Servers.Select(server => $$"""
                apiVersion: v1
                kind: Service
                metadata: {name: {{server}}}
                spec:
                  type: LoadBalancer
                  selector: {app: {{server}}}
                  ports:
                  - {name: http, port: 8080}
                  - {name: tcp, port: 9090}
                  - {name: udp, port: 9090, protocol: UDP}
                """),
        ]));
        (await ns.KubectlAsync("wait", "--for=condition=Ready", "pod", "--all", "--timeout=180s")).Succeeded();
        foreach (var server in Servers)
        {
            await ns.EventuallyAsync("the balancer has an address", async () => await ns.GetAsync("{.status.loadBalancer.ingress[*].ip}", "service", server) != "");
            var address = await ns.GetAsync("{.spec.clusterIP}", "service", server);
            foreach (var node in Places.Where(place => place.Pod is null))
                await ns.EventuallyAsync($"{node.Name} knows {server}", async () => (await InNetworkOfAsync(ns, node, $"socat -t2 - TCP4:{address}:9090,connect-timeout=5 </dev/null 2>&1 || true")).Output.StartsWith(server, StringComparison.Ordinal));
        }

        return ns;
    }

    // The mark is how a pod's processes are found on the machine.
    private static string Pod(TestNamespace ns, Place place)
    {
        var env = $$"""env: [{name: REACH_MARK, value: {{ns.Name}}.{{place.Pod}}}]""";
        var port = place.Pod == Near ? 19091 : 19092;
        var shell = $$"""{name: shell, image: busybox, command: [sleep, "100000"], {{env}}}""";
        var containers = place switch
        {
            { IsProcess: true } => $$"""[{name: main, image: host, command: [/bin/sleep, "100000"], {{env}}}]""",
            { Pod: Near or Far } => $$"""[{{shell}}, {name: main, image: echo, ports: [{containerPort: 9090, hostPort: {{port}}}, {containerPort: 9090, hostPort: {{port}}, protocol: UDP}]}]""",
            _ => $"[{shell}]",
        };
        return $$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: {{place.Pod}}, labels: {app: {{place.Pod}} } }
            spec:
              {{(place.IsProcess ? "runtimeClassName: process" : "enableServiceLinks: true")}}
              hostNetwork: {{(place.OnHostNetwork ? "true" : "false")}}
              terminationGracePeriodSeconds: 1
              nodeSelector: {kubernetes.io/hostname: {{NodeName(place.Node)}} }
              containers: {{containers}}
            """;
    }

    private static async Task<IReadOnlyDictionary<string, string>> AddressesAsync(TestNamespace ns) =>
        (await ns.GetAsync("{range .items[*]}{.metadata.name} {.status.podIP}{\"\\n\"}{end}", "pods")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ')).ToDictionary(words => words[0], words => words[1]);

    private static async Task<IReadOnlyList<Target>> TargetsAsync(TestNamespace ns, IReadOnlyDictionary<string, string> pods)
    {
        var nodes = new Dictionary<int, string>();
        foreach (var node in (int[])[1, 2])
            nodes[node] = await ns.GetAsync("{.status.addresses[?(@.type=='InternalIP')].address}", "node", NodeName(node));
        var targets = new List<Target>();
        foreach (var server in Servers)
        {
            using var service = JsonDocument.Parse((await ns.KubectlAsync("get", "service", server, "-o", "json")).Succeeded());
            var spec = service.RootElement.GetProperty("spec");
            int NodePort(string name) => spec.GetProperty("ports").EnumerateArray().Single(port => port.GetProperty("name").GetString() == name).GetProperty("nodePort").GetInt32();
            var (tcp, udp) = (NodePort("tcp"), NodePort("udp"));
            var balancer = service.RootElement.GetProperty("status").GetProperty("loadBalancer").GetProperty("ingress")[0].GetProperty("ip").GetString()!;
            var hostPort = server == Near ? 19091 : 19092;
            targets.AddRange([
                new("its pod's address", server, pods[server], 9090, 9090, KeepsSource: true),
                new("its cluster address", server, spec.GetProperty("clusterIP").GetString()!, 9090, 9090, KeepsSource: true),
                new("the node port on node 1", server, nodes[1], tcp, udp),
                new("the node port on node 2", server, nodes[2], tcp, udp),
                new("the node port on loopback", server, "127.0.0.1", tcp, udp),
                new("the balancer's address", server, balancer, 9090, 9090),
                new("the host port of its node", server, nodes[server == Near ? 1 : 2], hostPort, hostPort),
            ]);
        }

        return targets;
    }

    /// <summary>As root in the network of a place: the machine's socat asks, and what a container with NET_RAW could do is done.</summary>
    private async Task<CommandResult> InNetworkOfAsync(TestNamespace ns, Place place, string script)
    {
        if (place.Pod is null)
            return place.Node == 1 ? await cluster.RunAsync("sh", ["-c", script]) : await Shell.RunAsync("nsenter", [$"--net=/run/netns/weft-{cluster.Name}.2", "sh", "-c", script]);
        var pid = ProcessOf($"REACH_MARK={ns.Name}.{place.Pod}");
        return await Shell.RunAsync("nsenter", [string.Create(CultureInfo.InvariantCulture, $"--net=/proc/{pid}/ns/net"), "sh", "-c", script]);
    }

    private static int ProcessOf(string mark)
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                continue;
            try
            {
                if (File.ReadAllText(Path.Combine(directory, "environ")).Split('\0').Contains(mark))
                    return pid;
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It ended meanwhile, or belongs to the kernel.
            }
        }

        throw new InvalidOperationException($"no process has {mark} in its environment");
    }
}
