using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Node.Interop;
using Weft.Node.Network;
using Weft.Node.Network.Nftables;
using Weft.Node.Network.Services;

namespace Weft.Node.Tests.Network.Services;

/// <summary>
/// A node (n1) with the rules of services, two pods of its own (10.1.0.2, 10.1.0.3), one of another node (10.1.1.2), and two clients from outside
/// (192.0.2.2, 198.51.100.2), each a namespace with a link to the node's. Each pod answers with its address and the one it sees, on TCP and UDP 8080.
/// </summary>
internal sealed class ServiceLab : IAsyncDisposable
{
    public const string Local = "10.1.0.2", OtherLocal = "10.1.0.3", Remote = "10.1.1.2", Outsider = "192.0.2.2", Stranger = "198.51.100.2", Machine = "192.0.2.1";
    private const int Port = 8080;

    // Of a dropped packet nothing is to be seen but that no answer comes; a first packet that is lost is sent again after a second.
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(2.5);

    private readonly Dictionary<string, NetworkNamespace> _hosts = [];
    private readonly List<Socket> _servers = [];
    private readonly List<Task> _running = [];
    private readonly NftTransactions _transactions = new(ServiceTable.TypeOf);
    private readonly NftLedger _ledger = new(NodeFirewall.TableName(ServiceWorld.Lab.ClusterName));
    private readonly NetworkNamespace _node;

    private ServiceLab(NetworkNamespace node) => _node = node;

    public NetworkNamespace Node => _node;

    public NetworkNamespace Host(string address) => _hosts[address];

    public static async Task<ServiceLab> CreateAsync()
    {
        var lab = new ServiceLab(await NetworkNamespace.CreateAsync());
        try
        {
            await lab._node.RunAsync("sh", ["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
            await lab._node.RunAsync("ip", ["-batch", "-"], $"addr add {ServiceWorld.Lab.Gateway}/32 dev lo\naddr add 10.97.0.1/32 dev lo\nroute add {ServiceWorld.Lab.ServiceCidr} dev lo src {ServiceWorld.Lab.Gateway}\n");
            foreach (var (address, link, gateway) in ((string, string, string)[])[
                (Local, "veth1", ServiceWorld.Lab.Gateway), (OtherLocal, "veth2", ServiceWorld.Lab.Gateway), (Remote, "node2", ServiceWorld.Lab.Gateway), (Outsider, "net1", Machine), (Stranger, "net2", "198.51.100.1")])
                await lab.ConnectAsync(address, link, gateway);
            foreach (var address in (string[])[Local, OtherLocal, Remote])
                await lab.ServeAsync(address);
            await lab._node.NftAsync(NodeFirewall.Ruleset(ServiceWorld.Lab.ClusterName, ServiceWorld.Lab.PodCidr, ServiceWorld.Lab.ClusterCidr) + ServiceTable.Whole(ServiceWorld.Lab, [], lab._ledger));
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>Brings the node's rules to what the service wants now, as the agent does it.</summary>
    /// <param name="refusesMeshed">As of <see cref="ServiceObjects.Of"/>.</param>
    public async Task ProgramAsync(string spec, string endpoints, string name = "web", bool refusesMeshed = false)
    {
        var service = ServiceWorld.Service(spec, name, """{"loadBalancer":{"ingress":[{"ip":"10.97.0.1"}]}}""");
        var protocol = service.Spec.Ports[0].Protocol ?? "TCP";
        var plan = ServicePlanner.Plan(service, [ServiceWorld.Slice(endpoints, $$"""[{"name":"","port":8080,"protocol":"{{protocol}}"}]""")], ServiceWorld.Lab)!;
        var script = _ledger.Change([($"default/{name}", plan.Age, ServiceObjects.Of(plan, ServiceWorld.Lab, (_, _) => false, refusesMeshed))]);
        Assert.Null(await _node.ApplyAsync(_transactions, script));
    }

    /// <param name="from">A pod's or client's address; null: the node itself.</param>
    /// <returns>Who answered, and the source that it saw; null: refused, or no answer.</returns>
    /// <param name="prepare">Sees the socket before it connects.</param>
    public async Task<Answer?> AskAsync(string? from, string to, int port, ProtocolType protocol = ProtocolType.Tcp, Action<Socket>? prepare = null)
    {
        var space = from is null ? _node : _hosts[from];
        var udp = protocol == ProtocolType.Udp;
        using var socket = await NamespaceThread.InNetworkAsync(space.Path, () => new Socket(AddressFamily.InterNetwork, udp ? SocketType.Dgram : SocketType.Stream, protocol));
        using var patience = new CancellationTokenSource(Patience);
        var buffer = new byte[100];
        prepare?.Invoke(socket);
        try
        {
            await socket.ConnectAsync(IPAddress.Parse(to), port, patience.Token);
            if (udp)
                await socket.SendAsync("?"u8.ToArray(), patience.Token);
            var length = 0;
            while (await socket.ReceiveAsync(buffer.AsMemory(length), patience.Token) is > 0 and var read)
            {
                length += read;
                if (udp)
                    break;
            }
            return Encoding.ASCII.GetString(buffer, 0, length).Split(' ') is [var server, var source] ? new Answer(server, source) : null;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Who answers, of so many connections.</summary>
    public async Task<IReadOnlyList<string>> AskersAsync(int connections, string? from, string to, int port, ProtocolType protocol = ProtocolType.Tcp)
    {
        var servers = new List<string>();
        for (var i = 0; i < connections; i++)
            servers.Add((await AskAsync(from, to, port, protocol))?.Server ?? "none");
        return servers;
    }

    private async Task ConnectAsync(string address, string link, string gateway)
    {
        var host = _hosts[address] = await NetworkNamespace.CreateAsync();
        await _node.RunAsync("ip", ["link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", host.Path]);
        await _node.RunAsync("ip", ["-batch", "-"], $"addr add {gateway}/32 dev {link}\nlink set {link} up\nroute add {address}/32 dev {link}\n");
        await host.RunAsync("ip", ["-batch", "-"], $"addr add {address}/32 dev eth0\nlink set eth0 up\nroute add {gateway}/32 dev eth0\nroute add default via {gateway}\n");
    }

    private async Task ServeAsync(string address)
    {
        foreach (var protocol in (ProtocolType[])[ProtocolType.Tcp, ProtocolType.Udp])
        {
            var socket = await NamespaceThread.InNetworkAsync(_hosts[address].Path, () =>
            {
                var made = new Socket(AddressFamily.InterNetwork, protocol == ProtocolType.Udp ? SocketType.Dgram : SocketType.Stream, protocol);
                made.Bind(new IPEndPoint(IPAddress.Any, Port));
                if (protocol == ProtocolType.Tcp)
                    made.Listen();
                return made;
            });
            _servers.Add(socket);
            _running.Add(protocol == ProtocolType.Tcp ? AnswerStreamsAsync(socket, address) : AnswerDatagramsAsync(socket, address));
        }
    }

    private static async Task AnswerStreamsAsync(Socket listener, string name)
    {
        try
        {
            while (true)
            {
                using var connection = await listener.AcceptAsync();
                await connection.SendAsync(Encoding.ASCII.GetBytes($"{name} {((IPEndPoint)connection.RemoteEndPoint!).Address}"));
                connection.Shutdown(SocketShutdown.Both);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task AnswerDatagramsAsync(Socket socket, string name)
    {
        try
        {
            while (true)
            {
                var asked = await socket.ReceiveFromAsync(new byte[10], new IPEndPoint(IPAddress.Any, 0));
                await socket.SendToAsync(Encoding.ASCII.GetBytes($"{name} {((IPEndPoint)asked.RemoteEndPoint).Address}"), asked.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            server.Dispose();
        await Task.WhenAll(_running);
        _transactions.Dispose();
        foreach (var host in _hosts.Values)
            await host.DisposeAsync();
        await _node.DisposeAsync();
    }
}

internal sealed record Answer(string Server, string Source);
