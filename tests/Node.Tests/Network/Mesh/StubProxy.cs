using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Weft.Api.Istio;
using Weft.Node.Interop;
using Weft.Node.Tests.Network.Services;

namespace Weft.Node.Tests.Network.Mesh;

/// <summary>A captured connection: by which socket it came, the accepted socket's peer and own address.</summary>
internal sealed record Captured(int Port, IPAddress Source, IPEndPoint Destination);

/// <summary>
/// What the proxy does, as little as possible of it: accepts what is captured, and connects on under the source's address to where the connection was meant to go, or
/// where the test says.
/// </summary>
internal sealed class StubProxy : IAsyncDisposable
{
    private const int SolIp = 0, Transparent = 19, BindAddressNoPort = 24, SolSocket = 1, Mark = 36;

    private readonly NetworkNamespace _node;
    private readonly List<Socket> _listeners = [];
    private readonly List<Task> _running = [];
    private readonly ConcurrentQueue<Captured> _captured = new();
    private readonly CancellationTokenSource _stop = new();

    private StubProxy(NetworkNamespace node) => _node = node;

    /// <summary>Where a destination's connections go; absent: to itself.</summary>
    public ConcurrentDictionary<IPEndPoint, IPEndPoint> Targets { get; } = new();

    /// <summary>Under the source's address; false: under the node's own.</summary>
    public bool KeepsSource { get; set; } = true;

    /// <summary>Whom its upstream sockets belong to.</summary>
    public int User { get; set; }

    public static async Task<StubProxy> StartAsync(NetworkNamespace node)
    {
        var proxy = new StubProxy(node);
        foreach (var port in (int[])[MeshPorts.Outbound, MeshPorts.Inbound, MeshPorts.Hbone])
        {
            var listener = await NamespaceThread.InNetworkAsync(node.Path, () =>
            {
                var socket = Marked(user: 0);
                socket.Bind(new IPEndPoint(IPAddress.Parse(ServiceWorld.Lab.DnsAddress), port));
                socket.Listen();
                return socket;
            });
            proxy._listeners.Add(listener);
            proxy._running.Add(proxy.AcceptAsync(listener, port));
        }
        return proxy;
    }

    /// <summary>What was captured since it was asked last.</summary>
    public IReadOnlyList<Captured> Taken()
    {
        var all = new List<Captured>();
        while (_captured.TryDequeue(out var one))
            all.Add(one);
        return all;
    }

    private async Task AcceptAsync(Socket listener, int port)
    {
        var serving = new List<Task>();
        try
        {
            while (true)
                serving.Add(ServeAsync(await listener.AcceptAsync(), port));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
        await Task.WhenAll(serving);
    }

    private async Task ServeAsync(Socket connection, int port)
    {
        using var downstream = connection;
        var (source, destination) = ((IPEndPoint)connection.RemoteEndPoint!, (IPEndPoint)connection.LocalEndPoint!);
        _captured.Enqueue(new(port, source.Address, destination));
        try
        {
            using var upstream = await NamespaceThread.InNetworkAsync(_node.Path, () =>
            {
                var socket = Marked(User);
                // A pod takes no packets from 127.0.0.1, nor from its own address.
                if (KeepsSource && !IPAddress.IsLoopback(source.Address) && !source.Address.Equals(Targets.GetValueOrDefault(destination, destination).Address))
                {
                    socket.SetRawSocketOption(SolIp, BindAddressNoPort, BitConverter.GetBytes(1));
                    socket.Bind(new IPEndPoint(source.Address, 0));
                }
                return socket;
            });
            await upstream.ConnectAsync(Targets.GetValueOrDefault(destination, destination), _stop.Token);
            var (there, back) = (CopyAsync(downstream, upstream), CopyAsync(upstream, downstream));
            await await Task.WhenAny(there, back);   // a side that was cut ends both
            await Task.WhenAll(there, back);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            downstream.Close(0);   // a reset, as the refusal that it stands for
        }
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[1000];
        while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var read)
            await to.SendAsync(buffer.AsMemory(0, read));
        to.Shutdown(SocketShutdown.Send);
    }

    private static Socket Marked(int user)
    {
        // The kernel remembers who makes a socket by the file system's user of the thread, which ends with this.
        _ = setfsuid(user);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _ = setfsuid(0);
        socket.SetRawSocketOption(SolIp, Transparent, BitConverter.GetBytes(1));
        socket.SetRawSocketOption(SolSocket, Mark, BitConverter.GetBytes(MeshPorts.SocketMark));
        return socket;
    }

    [DllImport("libc")]
    private static extern int setfsuid(int user);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var listener in _listeners)
            listener.Dispose();
        await Task.WhenAll(_running);
        _stop.Dispose();
    }
}
