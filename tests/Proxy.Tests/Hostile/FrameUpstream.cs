using System.Net;
using Weft.Proxy.Tests.Http2.Support;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>An HTTP/2 endpoint that answers the first request of a connection with given frames, and further ones, or all when there are none, with "good".</summary>
internal sealed class FrameUpstream : IDisposable
{
    private readonly EventLoop _loop;
    private readonly Listener _listener;
    private readonly List<Connection> _connections = [];
    private volatile byte[]? _frames;

    public FrameUpstream()
    {
        _loop = new("frames", TimeProvider.System, _ => { });
        var socket = Listener.Bind(new(IPAddress.Loopback, 0));
        Address = (IPEndPoint)socket.LocalEndPoint!;
        _listener = new(_loop, socket, (fd, peer) =>
        {
            var connection = new Connection(_loop, fd, peer, connecting: false);
            _connections.Add(connection);
            connection.Protocol = new Server(this, connection);
        });
        _loop.Start();
    }

    public IPEndPoint Address { get; }

    public byte[]? Frames
    {
        get => _frames;
        set => _frames = value;
    }

    public void CloseAll() => _loop.PostAsync(() =>
    {
        foreach (var connection in _connections)
            connection.Abort();
        _connections.Clear();
    }).WaitAsync(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();

    public void Dispose()
    {
        _loop.Post(_listener.Dispose);
        _loop.Stop();
    }

    private sealed class Server(FrameUpstream owner, Connection connection) : IProtocol
    {
        private const int Preface = 24;
        private bool _begun;

        public int OnData(ReadOnlySpan<byte> data)
        {
            var consumed = 0;
            if (!_begun)
            {
                if (data.Length < Preface)
                    return 0;
                _begun = true;
                consumed = Preface;
                connection.Write(Frame.Settings((8, 1)));
            }

            while (data.Length - consumed >= 9)
            {
                var rest = data[consumed..];
                var length = 9 + ((rest[0] << 16) | (rest[1] << 8) | rest[2]);
                if (rest.Length < length)
                    break;
                consumed += length;
                OnFrame(rest[3], rest[8]);
            }

            return consumed;
        }

        public void OnEnd() => connection.Abort();

        public void OnWritable()
        {
        }

        public void OnTimeout()
        {
        }

        public void OnClosed()
        {
        }

        private void OnFrame(int type, int stream)
        {
            if (type != 1)
                return;
            connection.Write(owner.Frames is { } frames && stream == 1
                ? frames
                : [.. Frame.Headers(stream, false, (":status", "200")), .. Frame.Data(stream, true, "good")]);
        }
    }
}
