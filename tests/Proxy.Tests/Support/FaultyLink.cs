using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Weft.Proxy.Tests.Support;

/// <summary>A way to a server that can fail as its process would: for servers whose protocol is more than <see cref="FaultyServer"/> speaks.</summary>
internal sealed class FaultyLink : IAsyncDisposable
{
    private readonly IPEndPoint _server;
    private readonly ConcurrentDictionary<Socket, byte> _sockets = new();
    private readonly CancellationTokenSource _end = new();
    private TaskCompletionSource _goOn = new();
    private Socket _listener;
    private volatile Fault _fault;

    public FaultyLink(IPEndPoint server)
    {
        _server = server;
        _goOn.SetResult();
        _listener = Listen(new IPEndPoint(IPAddress.Loopback, 0));
        Address = (IPEndPoint)_listener.LocalEndPoint!;
        _ = AcceptAsync(_listener);
    }

    public IPEndPoint Address { get; }

    /// <param name="value"><see cref="Support.Fault.Killed"/>, <see cref="Support.Fault.Stopped"/>, <see cref="Support.Fault.HalfOpen"/> (what comes is read, and goes nowhere) or none.</param>
    public void Set(Fault value)
    {
        var before = _fault;
        _fault = value;
        if (value == Fault.Stopped)
            _goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (value == Fault.Killed)
        {
            _listener.Dispose();
            Reset();
        }

        if (before == Fault.Killed)
            _ = AcceptAsync(_listener = Listen(Address));
        // What it has swallowed is lost, as after a restart.
        if (before == Fault.HalfOpen)
            Reset();
        if (before == Fault.Stopped)
            _goOn.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _goOn.TrySetResult();
        _listener.Dispose();
        Reset();
        _end.Dispose();
    }

    private static Socket Listen(IPEndPoint address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(address);
        socket.Listen(4096);
        return socket;
    }

    private void Reset()
    {
        foreach (var socket in _sockets.Keys)
        {
            try
            {
                socket.LingerState = new LingerOption(true, 0);
                socket.Dispose();
            }
            catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
            {
                // it has ended by itself
            }
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                await _goOn.Task;
                var client = await listener.AcceptAsync(_end.Token);
                _ = JoinAsync(client);
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // killed, or the end
        }
    }

    private async Task JoinAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        _sockets.TryAdd(client, 0);
        _sockets.TryAdd(server, 0);
        try
        {
            await server.ConnectAsync(_server, _end.Token);
            await Task.WhenAny(PassAsync(client, server), PassAsync(server, client));
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // either side
        }
        finally
        {
            client.Dispose();
            server.Dispose();
            _sockets.TryRemove(client, out _);
            _sockets.TryRemove(server, out _);
        }
    }

    private async Task PassAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 << 10];
        try
        {
            while (true)
            {
                await _goOn.Task;
                var got = await from.ReceiveAsync(buffer, _end.Token);
                await _goOn.Task;
                if (got == 0)
                    return;
                if (_fault != Fault.HalfOpen)
                    await to.SendAsync(buffer.AsMemory(0, got), _end.Token);
            }
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // either side
        }
    }
}
