using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Weft.Api.Istio;
using Weft.Node.Interop;
using Weft.Node.Network;
using Weft.Node.Network.Mesh;
using Weft.Node.Network.Policies;
using Weft.Node.Tests.Network.Services;
using Weft.Testing;
using static Weft.Node.Tests.Network.Mesh.CaptureLab;

namespace Weft.Node.Tests.Network.Mesh;

/// <summary>What is captured and what is not, by real connections between namespaces. Every server speaks first.</summary>
public sealed class CaptureTrafficTests
{
    private const string Service = $$"""{"clusterIP":"{{ClusterIp}}","type":"NodePort","ports":[{"port":80,"nodePort":30080}]}""";

    [Fact]
    public async Task What_a_meshed_pod_opens_comes_to_the_outbound_socket_with_its_addresses()
    {
        await using var lab = await CreateAsync();
        await lab.Services.ProgramAsync(Service, Other);
        lab.Proxy!.Targets[new(IPAddress.Parse(ClusterIp), 80)] = new(IPAddress.Parse(Other), 8080);

        // Of a service, which was not translated; of another pod; of one on another node; of the world. The server sees who asked.
        Assert.Equal(new Answer(Other, Meshed), await lab.AskAsync(Meshed, ClusterIp, 80));
        Assert.Equal([new(MeshPorts.Outbound, IPAddress.Parse(Meshed), new(IPAddress.Parse(ClusterIp), 80))], lab.Proxy.Taken());
        Assert.Equal(new Answer(Other, Meshed), await lab.AskAsync(Meshed, Other));
        Assert.Equal([new(MeshPorts.Outbound, IPAddress.Parse(Meshed), new(IPAddress.Parse(Other), 8080))], lab.Proxy.Taken());
        Assert.Equal(new Answer(Remote, Meshed), await lab.AskAsync(Meshed, Remote));
        Assert.Equal([new(MeshPorts.Outbound, IPAddress.Parse(Meshed), new(IPAddress.Parse(Remote), 8080))], lab.Proxy.Taken());
        Assert.Null(await lab.AskAsync(Meshed, Outsider, 9));
        Assert.Equal([new(MeshPorts.Outbound, IPAddress.Parse(Meshed), new(IPAddress.Parse(Outsider), 9))], lab.Proxy.Taken());

        // A pod that is its own endpoint.
        lab.Proxy.Targets[new(IPAddress.Parse(ClusterIp), 80)] = new(IPAddress.Parse(Meshed), 8080);
        Assert.Equal(Meshed, (await lab.AskAsync(Meshed, ClusterIp, 80))?.Server);
        lab.Proxy.Targets[new(IPAddress.Parse(ClusterIp), 80)] = new(IPAddress.Parse(Other), 8080);

        // A service that has no endpoints in the node's rules may have some in the mesh.
        await lab.Services.ProgramAsync(Service, "");
        Assert.Equal(new Answer(Other, Meshed), await lab.AskAsync(Meshed, ClusterIp, 80));
    }

    [Fact]
    public async Task A_service_without_endpoints_that_no_rule_speaks_for_is_refused_until_one_comes()
    {
        await using var lab = await CreateAsync();
        lab.Proxy!.Targets[new(IPAddress.Parse(ClusterIp), 80)] = new(IPAddress.Parse(Other), 8080);
        foreach (var _ in (int[])[1, 2])
        {
            await lab.Services.ProgramAsync(Service, "", refusesMeshed: true);
            using var client = await ClientAsync(lab, Meshed);
            var refused = await Assert.ThrowsAsync<SocketException>(async () => await client.ConnectAsync(IPAddress.Parse(ClusterIp), 80));
            Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
            Assert.Empty(lab.Proxy.Taken());
            await lab.Services.ProgramAsync(Service, Other, refusesMeshed: true);
            Assert.Equal(new Answer(Other, Meshed), await lab.AskAsync(Meshed, ClusterIp, 80));
            Assert.Single(lab.Proxy.Taken());
        }
    }

    [Fact]
    public async Task What_is_opened_to_a_meshed_pod_comes_to_the_inbound_socket_wherever_it_comes_from()
    {
        await using var lab = await CreateAsync();
        await lab.Services.ProgramAsync(Service, Meshed);
        var pod = new IPEndPoint(IPAddress.Parse(Meshed), 8080);

        foreach (var (from, to, port) in ((string?, string, int)[])[
            (Other, Meshed, 8080), (Remote, Meshed, 8080), (Other, ClusterIp, 80), (Outsider, Machine, 30080), (null, Meshed, 8080), (null, ClusterIp, 80), (null, "127.0.0.1", 30080)])
        {
            var answer = await lab.AskAsync(from, to, port);
            var all = lab.Proxy!.Taken();
            Assert.True(all.Count == 1, $"{from ?? "the node"} to {to}:{port}: captured {all.Count} times, answer {answer}");
            var taken = all[0];
            Assert.Equal((MeshPorts.Inbound, pod), (taken.Port, taken.Destination));
            Assert.Equal(Meshed, answer?.Server);
            if (from is not null)
                Assert.Equal((from, from), (answer!.Source, taken.Source.ToString()));
        }

        await lab.AskAsync(Remote, Meshed, MeshPorts.Hbone);
        Assert.Equal([new(MeshPorts.Hbone, IPAddress.Parse(Remote), new(IPAddress.Parse(Meshed), MeshPorts.Hbone))], lab.Proxy!.Taken());

        // Between two meshed pods of a node it is captured once.
        await lab.ChangeAsync(CaptureRules.Add(ServiceWorld.Lab, [Other]));
        Assert.Equal(new Answer(Meshed, Other), await lab.AskAsync(Other, Meshed));
        Assert.Equal([new(MeshPorts.Outbound, IPAddress.Parse(Other), pod)], lab.Proxy.Taken());
    }

    [Fact]
    public async Task Who_is_not_meshed_speaks_past_the_proxy_and_so_does_what_is_marked()
    {
        await using var lab = await CreateAsync();
        Assert.Equal(new Answer(Remote, Other), await lab.AskAsync(Other, Remote));
        Assert.NotNull(await lab.AskAsync(null, Other));
        // A probe of the agent.
        Assert.NotNull(await lab.AskAsync(null, Meshed, prepare: MarkedConnect.Mark));
        Assert.NotNull(await lab.Services.AskAsync(Other, Meshed, 8080, ProtocolType.Udp));
        Assert.NotNull(await lab.Services.AskAsync(Meshed, Other, 8080, ProtocolType.Udp));
        Assert.Empty(lab.Proxy!.Taken());

        await lab.ChangeAsync(CaptureRules.Remove(ServiceWorld.Lab, [Meshed]));
        Assert.Equal(new Answer(Other, Meshed), await lab.AskAsync(Meshed, Other));
        Assert.Equal(new Answer(Meshed, Other), await lab.AskAsync(Other, Meshed));
        Assert.Empty(lab.Proxy.Taken());
    }

    /// <summary>Nobody is there, and a client of UDP would wait for an answer until it is out of patience. Some use class E inside: for whom the mesh is nothing it stays what it was.</summary>
    [Fact]
    public async Task What_is_not_captured_of_a_meshed_pod_is_refused_at_an_address_that_the_mesh_gives_hosts_and_nobody_elses_is()
    {
        const string Given = "240.240.1.2";
        await using var lab = await CreateAsync();
        await lab.Services.Host(Remote).RunAsync("ip", ["addr", "add", $"{Given}/32", "dev", "eth0"]);
        await lab.Services.Node.RunAsync("ip", ["route", "add", $"{Given}/32", "dev", "node2"]);
        using var server = await NamespaceThread.InNetworkAsync(lab.Services.Host(Remote).Path, () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        server.Bind(new IPEndPoint(IPAddress.Parse(Given), 53));
        var heard = AnswerAsync();

        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => SayAsync(Meshed))).SocketErrorCode);
        foreach (var from in (string?[])[Other, null])
        {
            await SayAsync(from);
            Assert.NotNull(await lab.AskAsync(from, Given));
        }
        // Its TCP is captured.
        lab.Proxy!.Targets[new(IPAddress.Parse(Given), 8080)] = new(IPAddress.Parse(Other), 8080);
        Assert.Equal(new Answer(Other, Meshed), await lab.AskAsync(Meshed, Given));
        // And who has such an address is answered.
        Assert.Equal(new Answer(Meshed, Given), await lab.Services.AskAsync(Remote, Meshed, 8080, ProtocolType.Udp, socket => socket.Bind(new IPEndPoint(IPAddress.Parse(Given), 0))));

        await lab.ChangeAsync(CaptureRules.Remove(ServiceWorld.Lab, [Meshed]));
        await SayAsync(Meshed);
        await lab.ChangeAsync(CaptureRules.Add(ServiceWorld.Lab, [Meshed]));
        await lab.Services.Node.NftAsync(CaptureRules.None(ServiceWorld.Lab));
        await SayAsync(Meshed);
        Assert.DoesNotContain("240.240", await lab.Services.Node.RunAsync("nft", ["list", "table", "ip", "weft_lab"]));
        server.Close();
        Assert.Equal(4, await heard);

        async Task SayAsync(string? from)
        {
            using var patience = new CancellationTokenSource(Eventually.Deadline);
            var space = from is null ? lab.Services.Node : lab.Services.Host(from);
            using var client = await NamespaceThread.InNetworkAsync(space.Path, () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
            await client.ConnectAsync(Given, 53, patience.Token);
            await client.SendAsync("?"u8.ToArray(), patience.Token);
            await client.ReceiveAsync(new byte[1], patience.Token);
        }

        async Task<int> AnswerAsync()
        {
            for (var asked = 0; ; asked++)
            {
                try
                {
                    await server.SendToAsync("!"u8.ToArray(), (await server.ReceiveFromAsync(new byte[1], new IPEndPoint(IPAddress.Any, 0))).RemoteEndPoint);
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    return asked;
                }
            }
        }
    }

    [Fact]
    public async Task Names_the_API_server_and_the_node_are_reached_without_a_proxy_and_nothing_else_is()
    {
        await using var lab = await CreateAsync(proxy: false);
        await lab.ServeOnNodeAsync(ServiceWorld.Lab.DnsAddress, 53);
        await lab.ServeOnNodeAsync(Machine, 6443);
        await lab.ServeOnNodeAsync(ServiceWorld.Lab.Gateway, 9000);
        await lab.Services.ProgramAsync("""{"clusterIP":"10.96.0.1","ports":[{"port":443}]}""", Remote, "kubernetes");

        Assert.Equal(new Answer("node", Meshed), await lab.AskAsync(Meshed, ServiceWorld.Lab.DnsAddress, 53));
        Assert.Equal(new Answer("node", Meshed), await lab.AskAsync(Meshed, Machine, 6443));
        Assert.Equal(new Answer("node", Meshed), await lab.AskAsync(Meshed, ServiceWorld.Lab.Gateway, 9000));
        Assert.Equal(new Answer(Remote, Meshed), await lab.AskAsync(Meshed, ServiceWorld.Lab.ApiAddress, 443));
        Assert.NotNull(await lab.AskAsync(null, Meshed, prepare: MarkedConnect.Mark));

        await lab.Services.ProgramAsync(Service, Other);
        Assert.Null(await lab.AskAsync(Meshed, ClusterIp, 80));
        Assert.Null(await lab.AskAsync(Meshed, Other));
        Assert.Null(await lab.AskAsync(Other, Meshed));
        Assert.Null(await lab.AskAsync(null, Meshed));
    }

    [Fact]
    public async Task Nobody_connects_to_the_proxys_sockets_themselves()
    {
        await using var lab = await CreateAsync();
        lab.Services.Patience = TimeSpan.FromSeconds(0.3);   // an answer takes a millisecond
        foreach (var from in (string?[])[Meshed, Other, Outsider, null])
        {
            foreach (var port in (int[])[MeshPorts.Outbound, MeshPorts.Inbound, MeshPorts.Hbone])
                Assert.Null(await lab.AskAsync(from, ServiceWorld.Lab.DnsAddress, port));
        }
        Assert.Empty(lab.Proxy!.Taken());
    }

    [Fact]
    public async Task The_proxy_reaches_a_process_of_its_node_under_a_pods_address()
    {
        await using var lab = await CreateAsync();
        await lab.ServeOnNodeAsync(Machine, 9000);
        lab.Proxy!.Targets[new(IPAddress.Parse(ClusterIp), 80)] = new(IPAddress.Parse(Machine), 9000);

        // Its answers are for the pod's address, and go to the proxy.
        Assert.Equal(new Answer("node", Meshed), await lab.AskAsync(Meshed, ClusterIp, 80));
    }

    [Fact]
    public async Task What_was_open_before_goes_on_as_it_began()
    {
        await using var lab = await CreateAsync(captures: false);
        using var server = await ListenAsync(lab, Other);
        using var client = await ClientAsync(lab, Meshed);
        await client.ConnectAsync(IPAddress.Parse(Other), 9000);
        using var accepted = await server.AcceptAsync();

        await lab.CaptureAsync();
        await lab.ChangeAsync(CaptureRules.Add(ServiceWorld.Lab, [Other]));

        foreach (var (from, to) in ((Socket, Socket)[])[(client, accepted), (accepted, client), (client, accepted)])
            await PassAsync(from, to);
        Assert.Empty(lab.Proxy!.Taken());
        Assert.NotNull(await lab.AskAsync(Meshed, Other));
        Assert.Single(lab.Proxy.Taken());
    }

    [Fact]
    public async Task Rules_set_again_keep_pods_captured_and_rules_taken_away_leave_nothing()
    {
        await using var lab = await CreateAsync();
        await lab.Services.Node.NftAsync(CaptureRules.Whole(ServiceWorld.Lab, [Meshed, Other]));
        await lab.Services.Node.NftAsync(CaptureRules.Whole(ServiceWorld.Lab, [Meshed]));
        Assert.NotNull(await lab.AskAsync(Meshed, Other));
        Assert.Single(lab.Proxy!.Taken());

        await lab.Services.Node.NftAsync(CaptureRules.None(ServiceWorld.Lab));
        Assert.NotNull(await lab.AskAsync(Meshed, Other));
        Assert.Empty(lab.Proxy.Taken());
        Assert.DoesNotContain("mesh", await lab.Services.Node.RunAsync("nft", ["list", "table", "ip", "weft_lab"]));
        await lab.Services.Node.NftAsync(CaptureRules.None(ServiceWorld.Lab));   // of a table without them, too
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Network_policies_judge_what_the_proxy_passes_on(bool keepsSource)
    {
        await using var lab = await CreateAsync();
        (lab.Proxy!.KeepsSource, lab.Proxy.User) = (keepsSource, 65153);
        await lab.Services.Node.NftAsync(Policies(ingress: new() { [Other] = [$"ip saddr {Remote} return"] }));
        Assert.Null(await lab.AskAsync(Meshed, Other));
        Assert.Single(lab.Proxy.Taken());
        Assert.NotNull(await lab.AskAsync(Meshed, Remote));

        await lab.Services.Node.NftAsync(Policies(ingress: new() { [Other] = [$"ip saddr {Meshed} return"] }));
        // Under the node's address nobody can tell whose request it is.
        Assert.Equal(keepsSource, await lab.AskAsync(Meshed, Other) is not null);

        await lab.Services.Node.NftAsync(Policies(egress: new() { [Meshed] = [$"ip daddr {Other} tcp dport 8080 return"] }));
        Assert.NotNull(await lab.AskAsync(Meshed, Other));
        Assert.Equal(!keepsSource, await lab.AskAsync(Meshed, Remote) is not null);   // known: the proxy has to keep the source of a pod with such policies
    }

    [Fact]
    public async Task Network_policies_judge_what_comes_in_before_the_proxy_does_anything()
    {
        await using var lab = await CreateAsync();
        lab.Proxy!.KeepsSource = false;
        await lab.Services.Node.NftAsync(Policies(ingress: new() { [Meshed] = [$"ip saddr {Other} tcp dport 8080 return"] }));

        Assert.NotNull(await lab.AskAsync(Other, Meshed));
        Assert.Single(lab.Proxy.Taken());
        Assert.Null(await lab.AskAsync(Remote, Meshed));
        Assert.Empty(lab.Proxy.Taken());
        // The node always reaches its pods.
        Assert.NotNull(await lab.AskAsync(null, Meshed));
        Assert.NotNull(await lab.AskAsync(null, Meshed, prepare: MarkedConnect.Mark));

        await lab.Services.Node.NftAsync(Policies(egress: new() { [Other] = [] }));
        lab.Proxy.Taken();
        Assert.Null(await lab.AskAsync(Other, Meshed));
        Assert.Empty(lab.Proxy.Taken());
    }

    /// <summary>A proxy keeps connections for requests that come later: by policies of later. One that is denied is over at once, and the server has nothing of what was said.</summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_connection_that_the_proxy_keeps_is_reset_when_a_policy_denies_it(bool keepsSource, bool isIngress)
    {
        await using var lab = await CreateAsync();
        (lab.Proxy!.KeepsSource, lab.Proxy.User) = (keepsSource, 65153);
        await lab.Services.Node.NftAsync(Policies(ingress: new() { [Other] = ["tcp dport 9000 return"] }));
        using var server = await ListenAsync(lab, Other);
        using var client = await ClientAsync(lab, Meshed);
        await client.ConnectAsync(IPAddress.Parse(Other), 9000);
        using var accepted = await server.AcceptAsync();
        await PassAsync(client, accepted);
        await PassAsync(accepted, client);

        await lab.Services.Node.NftAsync(isIngress ? Policies(ingress: new() { [Other] = [$"ip saddr {Remote} return"] }) : Policies(egress: new() { [Meshed] = [$"ip daddr {Remote} return"] }));
        await client.SendAsync("no more"u8.ToArray());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        var buffer = new byte[10];
        await Assert.ThrowsAsync<SocketException>(async () => await client.ReceiveAsync(buffer, patience.Token));
        Assert.Equal(0, accepted.Available);
        Assert.Null(await lab.AskAsync(Meshed, Other));
    }

    [Fact]
    public async Task What_the_agent_asks_of_an_isolated_pod_is_said_to_its_end()
    {
        await using var lab = await CreateAsync();
        await lab.Services.Node.NftAsync(Policies(ingress: new() { [Other] = [] }));
        using var server = await ListenAsync(lab, Other);
        using (var probe = await NamespaceThread.InNetworkAsync(lab.Services.Node.Path, () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)))
        {
            MarkedConnect.Mark(probe);
            await probe.ConnectAsync(IPAddress.Parse(Other), 9000);
            using var accepted = await server.AcceptAsync();
            await PassAsync(probe, accepted);
            // The first to close: its end is acknowledged by a socket that nobody has any more.
            probe.Close();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            Assert.Equal(0, await accepted.ReceiveAsync(new byte[1], patience.Token));
        }

        await Eventually.TrueAsync(async () => !(await lab.Services.Host(Other).RunAsync("ss", ["-tanH"])).Contains("LAST-ACK", StringComparison.Ordinal), "the end is acknowledged");
    }

    private static Task<Socket> ListenAsync(CaptureLab lab, string at) => NamespaceThread.InNetworkAsync(lab.Services.Host(at).Path, () =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Any, 9000));
        socket.Listen();
        return socket;
    });

    private static Task<Socket> ClientAsync(CaptureLab lab, string at) =>
        NamespaceThread.InNetworkAsync(lab.Services.Host(at).Path, () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));

    private static async Task PassAsync(Socket from, Socket to)
    {
        await from.SendAsync("still"u8.ToArray());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        Assert.Equal(5, await to.ReceiveAsync(new byte[10], patience.Token));
    }

    private static string Policies(Dictionary<string, string[]>? ingress = null, Dictionary<string, string[]>? egress = null)
    {
        var chains = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<string>>(StringComparer.Ordinal);
        return PolicyScript.Full("lab", PolicyModel.Empty with { Ingress = Judges("in", ingress ?? []), Egress = Judges("out", egress ?? []), Chains = chains.ToImmutable() });

        ImmutableSortedDictionary<string, string> Judges(string prefix, Dictionary<string, string[]> allowed)
        {
            var judges = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
            foreach (var (address, lines) in allowed)
            {
                judges[address] = $"{prefix}_{address.Replace('.', '_')}";
                chains[judges[address]] = [.. lines, PolicyScript.Denied];
            }
            return judges.ToImmutable();
        }
    }
}
