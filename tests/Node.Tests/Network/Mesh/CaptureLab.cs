using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Node.Interop;
using Weft.Node.Network.Mesh;
using Weft.Node.Network.Nftables;
using Weft.Node.Tests.Network.Services;

namespace Weft.Node.Tests.Network.Mesh;

/// <summary>The node and pods of <see cref="ServiceLab"/>, with capture and a proxy.</summary>
internal sealed class CaptureLab : IAsyncDisposable
{
    public const string Meshed = ServiceLab.Local, Other = ServiceLab.OtherLocal, Remote = ServiceLab.Remote, Outsider = ServiceLab.Outsider, Machine = ServiceLab.Machine;
    public const string ClusterIp = "10.96.0.5";

    private readonly NftTransactions _kernel = new(CaptureRules.TypeOf);
    private readonly List<Socket> _servers = [];
    private readonly List<Task> _running = [];

    private CaptureLab(ServiceLab services) => Services = services;

    public ServiceLab Services { get; }

    /// <summary>Null: none listens.</summary>
    public StubProxy? Proxy { get; private set; }

    public static async Task<CaptureLab> CreateAsync(bool proxy = true, bool captures = true)
    {
        var lab = new CaptureLab(await ServiceLab.CreateAsync());
        try
        {
            await lab.Services.Node.RunAsync("ip", ["addr", "add", $"{ServiceWorld.Lab.DnsAddress}/32", "dev", "lo"]);
            await lab.Services.Node.RunAsync("sh", ["-c", "echo 1 > /proc/sys/net/ipv4/conf/veth1/route_localnet"]);   // as PodLinks does
            if (proxy)
                lab.Proxy = await StubProxy.StartAsync(lab.Services.Node);
            if (captures)
                await lab.CaptureAsync();
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>The rules as the agent sets them at its start, with one meshed pod.</summary>
    public async Task CaptureAsync()
    {
        var table = CaptureRoutes.Table(ServiceWorld.Lab.ClusterCidr);
        await Services.Node.RunAsync("ip", ["route", "replace", "local", "default", "dev", "lo", "table", $"{table}"]);
        await Services.Node.RunAsync("ip", ["rule", "add", .. CaptureRoutes.Rule(table)]);
        await Services.Node.NftAsync(CaptureRules.Whole(ServiceWorld.Lab, [Meshed]));
    }

    /// <summary>By the agent's own messages, not by nft.</summary>
    public async Task ChangeAsync(string script) => Assert.Null(await Services.Node.ApplyAsync(_kernel, script));

    public Task<Answer?> AskAsync(string? from, string to, int port = 8080, Action<Socket>? prepare = null) => Services.AskAsync(from, to, port, prepare: prepare);

    /// <summary>A process of the node itself, which answers as pods do.</summary>
    public async Task ServeOnNodeAsync(string address, int port)
    {
        var listener = await NamespaceThread.InNetworkAsync(Services.Node.Path, () =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
            socket.Listen();
            return socket;
        });
        _servers.Add(listener);
        _running.Add(AnswerAsync(listener));

        async Task AnswerAsync(Socket listener)
        {
            try
            {
                while (true)
                {
                    using var connection = await listener.AcceptAsync();
                    await connection.SendAsync(Encoding.ASCII.GetBytes($"node {((IPEndPoint)connection.RemoteEndPoint!).Address}"));
                    connection.Shutdown(SocketShutdown.Both);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            server.Dispose();
        await Task.WhenAll(_running);
        if (Proxy is not null)
            await Proxy.DisposeAsync();
        _kernel.Dispose();
        await Services.DisposeAsync();
    }
}
