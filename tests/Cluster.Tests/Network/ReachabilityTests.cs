using System.Text.Json;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Network;

/// <summary>In a cluster as it is when nothing is said.</summary>
public sealed class ReachabilityTests(NetworkCluster cluster) : Reachability(cluster), IClassFixture<NetworkCluster>;

/// <summary>The same of a cluster without its mesh, and what that tells of the mesh's objects.</summary>
public sealed class WithoutMeshTests(UnmeshedCluster cluster) : Reachability(cluster), IClassFixture<UnmeshedCluster>
{
    [Fact]
    public async Task A_rule_of_the_mesh_says_that_nobody_serves_by_it()
    {
        await using var ns = await TestNamespace.CreateAsync(Cluster, Kubectl);
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

public sealed class UnmeshedCluster : NetworkCluster
{
    protected override IReadOnlyList<string> UpArguments => ["--mesh", "off"];
}

/// <summary>
/// Who reaches what. Each place to ask from asks every address of the service over TCP and UDP; the server answers with its own name and the address
/// it was asked from. A place or a target more is a line more.
/// </summary>
public abstract class Reachability(NetworkCluster cluster)
{
    // Answers a TCP connection and a UDP packet with its name and who asked, and says so in its log.
    private const string Echo = "socat UDP4-RECVFROM:8080,fork,reuseaddr SYSTEM:'echo $(hostname) $SOCAT_PEERADDR | tee /dev/stderr' & exec socat TCP4-LISTEN:8080,fork,reuseaddr SYSTEM:'echo $(hostname) $SOCAT_PEERADDR'";

    protected NetworkCluster Cluster => cluster;

    protected static string Kubectl => WeftCluster.Kubectls[0];

    /// <param name="Pod">Name of the pod to ask in; null: on the machine.</param>
    /// <param name="OwnNetwork">Whether it has an address of its own, which the server must see, and a loopback of its own.</param>
    private sealed record Place(string Name, string? Pod, bool OwnNetwork);

    private static readonly Place[] Places =
    [
        new("the machine", null, false),
        new("a pod", "client", true),
        new("a pod on the host's network", "hostclient", false),
        new("the server itself", "server", true),
    ];

    /// <param name="KeepsSource">Whether the server sees the pod that asks.</param>
    /// <param name="FromPods">Whether it makes sense from a pod's own network: 127.0.0.1 there is the pod's.</param>
    private sealed record Target(string Name, string Address, int Port, bool KeepsSource = false, bool FromPods = true)
    {
        /// <summary>Where it is another than that of TCP.</summary>
        public int? UdpPort { get; init; }
    }

    [Fact]
    public async Task Every_place_reaches_every_address_of_a_service()
    {
        await using var ns = await StartAsync();
        var pods = await AddressesAsync(ns);
        var targets = await TargetsAsync(ns, pods["server"]);
        var failures = new List<string>();
        foreach (var place in Places)
        {
            var asked = targets.Where(target => target.FromPods || !place.OwnNetwork).ToList();
            var answers = await AskAsync(ns, place, asked);
            for (var i = 0; i < answers.Count; i++)
            {
                var (target, protocol) = (asked[i / 2], i % 2 == 0 ? "tcp" : "udp");
                var expected = !place.OwnNetwork || !target.KeepsSource || place.Pod == "server" ? "server" : $"server {pods[place.Pod!]}";
                if (!answers[i].StartsWith(expected, StringComparison.Ordinal))
                    failures.Add($"{place.Name} -> {target.Name} {target.Address}:{target.Port}/{protocol}: '{answers[i]}' instead of '{expected}'");
            }
        }
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    [Fact]
    public async Task A_pod_cannot_send_from_an_address_that_is_not_its_own()
    {
        await using var ns = await StartAsync();
        var pods = await AddressesAsync(ns);
        // Another pod's address, an unused one of the pods' range, this machine's, and loopback.
        foreach (var spoofed in (string[])[pods["server"], "10.244.200.200", NetworkCluster.NodeAddress])
        {
            (await InNetworkOfAsync(ns, "client", "ip", "addr", "add", spoofed + "/32", "dev", "lo")).Succeeded();
            await InNetworkOfAsync(ns, "client", "sh", "-c", $"for i in 1 2 3; do echo x | socat -t0.2 - UDP4:{pods["other"]}:8080,bind={spoofed}; done");
            await InNetworkOfAsync(ns, "client", "ip", "addr", "del", spoofed + "/32", "dev", "lo");
        }

        // A packet that may pass comes after them: when it has arrived, the others will not.
        await ns.EventuallyAsync("an honest packet arrives", async () =>
        {
            await ns.KubectlAsync("exec", "client", "--", "sh", "-c", $"echo x | socat -t0.3 - UDP4:{pods["other"]}:8080");
            return (await ns.KubectlAsync("logs", "other")).Output.Contains($"other {pods["client"]}\n", StringComparison.Ordinal);
        });
        Assert.Equal([$"other {pods["client"]}"], (await ns.KubectlAsync("logs", "other")).Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct());
    }

    [Fact]
    public async Task A_service_without_endpoints_refuses_at_once_and_serves_when_one_comes()
    {
        await using var ns = await StartAsync();
        await ns.ApplyAsync("""
            apiVersion: v1
            kind: Service
            metadata: {name: empty}
            spec: {selector: {app: nobody}, ports: [{port: 80, targetPort: 8080}]}
            """);
        var address = await ns.GetAsync("{.spec.clusterIP}", "service", "empty");
        foreach (var place in Places)
        {
            var said = await RunAsync(ns, place, $"socat -t1 - TCP4:{address}:80,connect-timeout=20 </dev/null 2>&1 || true");
            Assert.Contains("Connection refused", said, StringComparison.Ordinal);
        }

        (await ns.KubectlAsync("label", "pod", "other", "app=nobody", "--overwrite")).Succeeded();
        await ns.EventuallyAsync("the service answers", async () => (await RunAsync(ns, Places[0], $"socat -t1 - TCP4:{address}:80 </dev/null 2>&1 || true")).StartsWith("other", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Services_of_the_old_form_are_taken_as_they_stand()
    {
        await using var ns = await StartAsync();
        var applied = await ns.InputAsync("""
            apiVersion: v1
            kind: Service
            metadata:
              name: web-service
            spec:
              selector:
                app: server
              ports:
              - protocol: TCP
                port: 80
                targetPort: 8080
                nodePort: 30000
            """, "apply", "-f", "-");
        applied.Succeeded();
        Assert.Contains("type: NodePort", applied.Error, StringComparison.Ordinal);
        await ns.EventuallyAsync("the node port answers", async () => (await RunAsync(ns, Places[0], "socat -t1 - TCP4:127.0.0.1:30000 </dev/null 2>&1 || true")).StartsWith("server", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_udp_client_that_goes_on_sending_follows_the_endpoint()
    {
        await using var ns = await StartAsync();
        var address = await ns.GetAsync("{.spec.clusterIP}", "service", "web");
        // One socket that sends again and again: to the kernel it is one flow.
        var asking = RunAsync(ns, new Place("a pod", "client", true), $"(for i in $(seq 1 600); do echo $i; sleep 0.1; done) | timeout 60 socat -t1 - UDP4:{address}:80 | grep -m 1 other || true");
        await ns.EventuallyAsync("the flow stands", async () => (await ns.KubectlAsync("logs", "server")).Output.Contains("server 10.", StringComparison.Ordinal));

        // The other one first: with none for a moment the client would be refused, and end.
        (await ns.KubectlAsync("label", "pod", "other", "app=server", "--overwrite")).Succeeded();
        await ns.EventuallyAsync("both are endpoints", async () => (await ns.GetAsync("{.subsets[*].addresses[*].ip}", "endpoints", "web")).Split(' ').Distinct().Count() == 2);
        (await ns.KubectlAsync("label", "pod", "server", "app=nobody", "--overwrite")).Succeeded();

        Assert.StartsWith("other", await asking, StringComparison.Ordinal);
    }

    private async Task<TestNamespace> StartAsync()
    {
        var ns = await TestNamespace.CreateAsync(cluster, Kubectl);
        await ns.ApplyAsync(string.Join("\n---\n", Pod("server", "", Echo, "\n    ports: [{containerPort: 8080, hostPort: 18080}, {containerPort: 8080, hostPort: 18080, protocol: UDP}]"), Pod("client", "", Echo), Pod("other", "", Echo), Pod("hostclient", "hostNetwork: true, ", "exec sleep 100000"), """
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec:
              type: NodePort
              externalIPs: [198.51.100.7]
              selector: {app: server}
              ports:
              - {name: tcp, port: 80, targetPort: 8080}
              - {name: udp, port: 80, targetPort: 8080, protocol: UDP}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: balanced}
            spec:
              type: LoadBalancer
              selector: {app: server}
              ports:
              - {name: tcp, port: 8081, targetPort: 8080}
              - {name: udp, port: 8081, targetPort: 8080, protocol: UDP}
            """));
        (await ns.KubectlAsync("wait", "--for=condition=Ready", "pod", "--all", "--timeout=120s")).Succeeded();
        await ns.EventuallyAsync("the balancer has an address", async () => await ns.GetAsync("{.status.loadBalancer.ingress[*].ip}", "service", "balanced") != "");
        foreach (var service in (string[])["web", "balanced"])
        {
            var address = await ns.GetAsync("{.spec.clusterIP}", "service", service);
            var port = service == "web" ? 80 : 8081;
            await ns.EventuallyAsync($"{service} is programmed", async () => (await RunAsync(ns, Places[0], $"socat -t1 - TCP4:{address}:{port} </dev/null 2>&1 || true")).StartsWith("server", StringComparison.Ordinal));
        }
        return ns;
    }

    private static string Pod(string name, string network, string script, string more = "") => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}, labels: {app: {{name}} } }
        spec:
          {{(network.Length > 0 ? "hostNetwork: true" : "hostNetwork: false")}}
          runtimeClassName: process
          terminationGracePeriodSeconds: 1
          containers:
          - name: main
            image: host
            command: [/bin/sh, -c, {{JsonSerializer.Serialize(script)}}]{{more}}
        """;

    private static async Task<IReadOnlyDictionary<string, string>> AddressesAsync(TestNamespace ns) =>
        (await ns.GetAsync("{range .items[*]}{.metadata.name} {.status.podIP}{\"\\n\"}{end}", "pods")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ')).ToDictionary(words => words[0], words => words[1]);

    private static async Task<IReadOnlyList<Target>> TargetsAsync(TestNamespace ns, string pod)
    {
        var clusterIp = await ns.GetAsync("{.spec.clusterIP}", "service", "web");
        var balancer = await ns.GetAsync("{.status.loadBalancer.ingress[0].ip}", "service", "balanced");
        var (tcp, udp) = (int.Parse(await ns.GetAsync("{.spec.ports[0].nodePort}", "service", "web")), int.Parse(await ns.GetAsync("{.spec.ports[1].nodePort}", "service", "web")));
        return
        [
            new("pod address", pod, 8080, KeepsSource: true),
            new("cluster address", clusterIp, 80, KeepsSource: true),
            new("node port on the node's address", NetworkCluster.NodeAddress, tcp) { UdpPort = udp },
            new("node port on loopback", "127.0.0.1", tcp, FromPods: false) { UdpPort = udp },
            new("load balancer", balancer, 8081),
            new("load balancer on the node's address", NetworkCluster.NodeAddress, 8081),
            new("load balancer on loopback", "127.0.0.1", 8081, FromPods: false),
            new("external address", "198.51.100.7", 80),
            new("host port", NetworkCluster.NodeAddress, 18080),
            new("host port on loopback", "127.0.0.1", 18080, FromPods: false),
        ];
    }

    /// <summary>One answer for TCP and one for UDP of each target. A lost UDP packet is sent again: UDP may lose one.</summary>
    private async Task<IReadOnlyList<string>> AskAsync(TestNamespace ns, Place place, IReadOnlyList<Target> targets)
    {
        var script = string.Concat(targets.Select(target => $"""
            r=$(socat -t2 - TCP4:{target.Address}:{target.Port},connect-timeout=10 </dev/null 2>&1); echo "$r" | head -n 1
            for i in 1 2 3 4 5 6 7 8 9 10; do r=$(echo x | socat -t0.3 - UDP4:{target.Address}:{target.UdpPort ?? target.Port} 2>&1); [ -n "$r" ] && break; done; echo "$r" | head -n 1

            """));
        return (await RunAsync(ns, place, script)).Split('\n')[..^1];
    }

    private async Task<string> RunAsync(TestNamespace ns, Place place, string script) =>
        (place.Pod is null ? await cluster.RunAsync("sh", ["-c", script]) : await ns.KubectlAsync("exec", place.Pod, "--", "sh", "-c", script)).Succeeded();

    // As root in the pod's network: what a container with NET_RAW could do.
    private async Task<CommandResult> InNetworkOfAsync(TestNamespace ns, string pod, params string[] command)
    {
        var uid = await ns.GetAsync("{.metadata.uid}", "pod", pod);
        var sandbox = Directory.GetDirectories(Path.Combine("/run", "weft-" + cluster.Name, "node", "s"))
            .Single(directory => File.Exists(Path.Combine(directory, "sandbox.json")) && File.ReadAllText(Path.Combine(directory, "sandbox.json")).Contains(uid, StringComparison.Ordinal));
        return await Shell.RunAsync("nsenter", ["--net=" + Path.Combine(sandbox, "net"), .. command]);
    }
}
