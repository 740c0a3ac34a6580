using System.Net;
using Weft.Proxy.Http2;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Tests.Http2.Support;

/// <summary>An event loop with our server on a socket (h2c by prior knowledge), for peers that we did not write.</summary>
internal sealed class LoopServer : IDisposable
{
    private readonly EventLoop _loop;
    private readonly List<Exception> _failed = [];
    private Listener _listener = null!;

    public LoopServer(Exchanges exchanges)
    {
        _loop = new("h2 test", TimeProvider.System, _failed.Add);
        var pool = new Http2Streams(_loop.Buffers);
        var options = new Http2ServerOptions(new(), "http");
        var socket = Listener.Bind(new(IPAddress.Loopback, 0));
        Port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        _listener = new(_loop, socket, (fd, peer) =>
        {
            var connection = new Connection(_loop, fd, peer, connecting: false);
            var codec = new Http2ServerConnection(connection, exchanges, options, pool);
            connection.Protocol = codec;
            Connections.Add(codec);
            codec.Start();
        });
        _loop.Start();
    }

    public int Port { get; }

    public List<Http2ServerConnection> Connections { get; } = [];

    public string Url => $"http://127.0.0.1:{Port}";

    public Task OnLoop(Action action) => _loop.PostAsync(action);

    public void Dispose()
    {
        _loop.PostAsync(_listener.Dispose).Wait();
        _loop.Stop();
        _loop.Dispose();
        Assert.Empty(_failed);
    }
}

/// <summary>A connection of ours to a server that we did not write.</summary>
internal sealed class LoopClient : IHttp2Pool, IDisposable
{
    private readonly EventLoop _loop;
    private readonly List<Exception> _failed = [];

    public LoopClient(IPEndPoint server)
    {
        _loop = new("h2 test client", TimeProvider.System, _failed.Add);
        var connection = new Connection(_loop, Weft.Proxy.Transport.Interop.SocketCalls.Connect(server.Serialize()), server, connecting: true);
        Connection = new(connection, this, new(), new(_loop.Buffers));
        connection.Protocol = Connection;
        Connection.Start();
        _loop.Start();
    }

    public Http2ClientConnection Connection { get; }

    public Task OnLoop(Action action) => _loop.PostAsync(action);

    public async Task Until(Func<bool> condition)
    {
        var reached = false;
        var deadline = TimeProvider.System.GetTimestamp();
        while (!reached && TimeProvider.System.GetElapsedTime(deadline) < TimeSpan.FromSeconds(60))
        {
            await OnLoop(() => reached = condition());
            if (!reached)
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }

        Assert.True(reached);
    }

    public void OnCapacity(Http2ClientConnection connection)
    {
    }

    public void OnDone(Http2ClientConnection connection)
    {
    }

    public void Dispose()
    {
        _loop.PostAsync(() => Connection.Drain()).Wait();
        _loop.Stop();
        _loop.Dispose();
        Assert.Empty(_failed);
    }
}
