using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weft.Proxy.Tests.Support;

/// <summary>What has happened to a server, as its clients see it.</summary>
internal enum Fault
{
    None,
    /// <summary>Its process has ended: connections are reset, and there is nobody to connect to.</summary>
    Killed,
    /// <summary>Its process is stopped (SIGSTOP): the kernel still takes connections and bytes, nobody reads them.</summary>
    Stopped,
    /// <summary>Answers after <see cref="FaultyServer.Slowness"/>.</summary>
    Slow,
    /// <summary>Takes no new connections; those that stand are closed after what is under way.</summary>
    Refusing,
    /// <summary>Takes connections and requests, and never answers.</summary>
    HalfOpen,
    /// <summary>Answers 503.</summary>
    Failing,
}

/// <summary>A server of HTTP/1.1 on plain sockets with faults that can be switched. It knows each request by its path and says which came, and which of them it did not answer.</summary>
internal sealed class FaultyServer : IAsyncDisposable
{
    public static readonly TimeSpan Slowness = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<Socket, byte> _connections = new();
    private readonly CancellationTokenSource _end = new();
    private TaskCompletionSource _goOn = Done();
    private Socket _listener;
    private Task _accepting;
    private volatile Fault _fault;

    /// <param name="address">Null: loopback.</param>
    public FaultyServer(IPAddress? address = null)
    {
        _listener = Listen(new IPEndPoint(address ?? IPAddress.Loopback, 0));
        Address = (IPEndPoint)_listener.LocalEndPoint!;
        _accepting = AcceptAsync(_listener);
    }

    public IPEndPoint Address { get; }

    /// <summary>Paths as often as they came; those of checks are not among them.</summary>
    public ConcurrentQueue<string> Arrived { get; } = new();

    /// <summary>Those of <see cref="Arrived"/> that were not answered, or too late.</summary>
    public ConcurrentQueue<string> Unanswered { get; } = new();

    public Fault Fault
    {
        get => _fault;
        set
        {
            var before = _fault;
            _fault = value;
            if (value == Fault.Stopped)
                _goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (value is Fault.Killed or Fault.Refusing)
                _listener.Dispose();
            if (value == Fault.Killed)
                Reset();
            if (before is Fault.Killed or Fault.Refusing && value is not (Fault.Killed or Fault.Refusing))
                _accepting = AcceptAsync(_listener = Listen(Address));
            // What hung in a half-open server is lost, as after its restart.
            if (before == Fault.HalfOpen)
                Reset();
            if (before == Fault.Stopped)
                _goOn.TrySetResult();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _goOn.TrySetResult();
        _listener.Dispose();
        Reset();
        await _accepting;
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

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }

    private void Reset()
    {
        foreach (var connection in _connections.Keys)
        {
            try
            {
                connection.LingerState = new LingerOption(true, 0);
            }
            catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
            {
                continue; // it has ended by itself meanwhile
            }

            connection.Dispose();
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                await _goOn.Task;
                var connection = await listener.AcceptAsync(_end.Token);
                _connections.TryAdd(connection, 0);
                _ = ServeAsync(connection);
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // killed, refusing, or the end
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        try
        {
            using (connection)
            {
                var buffer = new byte[16 << 10];
                var have = 0;
                while (true)
                {
                    await _goOn.Task;
                    var got = await connection.ReceiveAsync(buffer.AsMemory(have), _end.Token);
                    await _goOn.Task;
                    if (got == 0)
                        return;
                    have += got;
                    if (Path(buffer.AsSpan(0, have)) is not { } path)
                        continue;
                    have = 0;
                    if (!await AnswerAsync(connection, path) || _fault is Fault.Refusing)
                        return;
                }
            }
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // the client, or this server
        }
        finally
        {
            _connections.TryRemove(connection, out _);
        }
    }

    private async Task<bool> AnswerAsync(Socket connection, string path)
    {
        var isCheck = path == "/healthz";
        if (!isCheck)
            Arrived.Enqueue(path);
        try
        {
            if (_fault == Fault.HalfOpen)
            {
                if (!isCheck)
                    Unanswered.Enqueue(path);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _end.Token);
            }

            if (_fault == Fault.Slow)
                await Task.Delay(Slowness, TimeProvider.System, _end.Token);
            var answer = _fault == Fault.Failing ? "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n" : "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            await connection.SendAsync(Encoding.ASCII.GetBytes(answer), _end.Token);
            // An answer that nobody waits for any more: the other side has closed.
            var over = connection.Poll(0, SelectMode.SelectRead) && connection.Available == 0;
            if (!isCheck && (over || _fault == Fault.Failing))
                Unanswered.Enqueue(path);
            return true;
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            if (!isCheck)
                Unanswered.Enqueue(path);
            return false;
        }
    }

    // The path of a whole request; its body, of a length that is told, has to be there.
    private static string? Path(ReadOnlySpan<byte> data)
    {
        var head = data.IndexOf("\r\n\r\n"u8);
        if (head < 0)
            return null;
        var text = Encoding.ASCII.GetString(data[..head]);
        var at = text.IndexOf("content-length: ", StringComparison.OrdinalIgnoreCase);
        var length = at < 0 ? 0 : int.Parse(text.AsSpan(at + 16).ToString().Split('\r')[0], System.Globalization.CultureInfo.InvariantCulture);
        return data.Length >= head + 4 + length ? text.Split(' ')[1] : null;
    }
}
