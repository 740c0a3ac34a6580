using System.Text;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;
using Weft.Cli.Proxies.HotRestart;
using Weft.Proxy.Runtime;

namespace Weft.Host.Proxy;

/// <summary>A proxy's side of the talk with its supervisor: orders as they come, and what is left there for the proxy that follows.</summary>
internal sealed class SupervisorLink : ISocketKeeper, IDisposable
{
    private const string SocketPrefix = "sockets ", Tickets = "tickets", Configuration = "configuration";

    private readonly ControlSocket _socket;
    private readonly Channel<string> _orders = Channel.CreateUnbounded<string>(); // what a supervisor says is a handful
    private readonly Dictionary<string, List<int>> _inherited = [];

    public SupervisorLink(ControlSocket socket)
    {
        _socket = socket;
        new Thread(Listen) { IsBackground = true, Name = "supervisor" }.Start();
    }

    /// <summary>Orders, in their order. Completed: the supervisor is gone.</summary>
    public ChannelReader<string> Orders => _orders.Reader;

    /// <summary>A proxy was there before this one.</summary>
    public bool IsSuccessor { get; private set; }

    public void Say(string text) => _socket.Send(text);

    /// <summary>The keys of session tickets of the proxy before; null: there are none.</summary>
    public byte[]? TakeTickets() => TakeBytes(Tickets);

    public void KeepTickets(ReadOnlySpan<byte> keys) => KeepBytes(Tickets, keys);

    /// <summary>The text that the proxy before served by; null: there was none.</summary>
    public string? TakeConfiguration() => TakeBytes(Configuration) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    public void KeepConfiguration(string text) => KeepBytes(Configuration, Encoding.UTF8.GetBytes(text));

    public IReadOnlyList<int> Take(string name)
    {
        lock (_inherited)
            return _inherited.Remove(SocketPrefix + name, out var descriptors) ? descriptors : [];
    }

    public void GiveBack(string name, IReadOnlyList<int> descriptors)
    {
        lock (_inherited)
            _inherited[SocketPrefix + name] = [.. descriptors];
    }

    public void Keep(string name, IReadOnlyList<int> descriptors)
    {
        var word = WorkerOrders.Hold;
        foreach (var some in descriptors.Chunk(ControlSocket.MaxDescriptors))
        {
            _socket.Send($"{word} {SocketPrefix}{name}", some);
            word = WorkerOrders.More;
        }
    }

    public void Release(string name) => _socket.Send($"{WorkerOrders.Release} {SocketPrefix}{name}");

    /// <summary>Gives up what nobody has taken: sockets of listeners that the configuration has no more.</summary>
    public void ReleaseRest()
    {
        lock (_inherited)
        {
            foreach (var (name, descriptors) in _inherited)
            {
                descriptors.ForEach(ControlSocket.CloseDescriptor);
                if (name.StartsWith(SocketPrefix, StringComparison.Ordinal))
                    _socket.Send($"{WorkerOrders.Release} {name}");
            }

            _inherited.Clear();
        }
    }

    // Not closed while the thread may read from it: the process ends soon, and the descriptor with it.
    public void Dispose() => _socket.Shutdown();

    private byte[]? TakeBytes(string name)
    {
        lock (_inherited)
        {
            if (!_inherited.Remove(name, out var descriptors) || descriptors is not [var descriptor])
                return null;
            using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
            return MemoryFile.Read(handle);
        }
    }

    private void KeepBytes(string name, ReadOnlySpan<byte> content)
    {
        using var file = MemoryFile.Of(content);
        _socket.Send($"{WorkerOrders.Hold} {name}", (int)file.DangerousGetHandle());
    }

    private void Listen()
    {
        while (_socket.Receive() is { } message)
        {
            var (word, rest) = WorkerOrders.Split(message.Text);
            if (word == WorkerOrders.Have)
                Inherit(rest, message.Descriptors);
            else
                _orders.Writer.TryWrite(word);
        }

        _orders.Writer.TryComplete();
    }

    private void Inherit(string name, IReadOnlyList<int> descriptors)
    {
        lock (_inherited)
        {
            IsSuccessor = true;
            if (_inherited.TryGetValue(name, out var before))
                before.AddRange(descriptors);
            else
                _inherited.Add(name, [.. descriptors]);
        }
    }
}
