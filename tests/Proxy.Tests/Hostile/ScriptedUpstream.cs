using System.Net;
using System.Text;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>What an endpoint does with a request.</summary>
/// <param name="Close">After the bytes.</param>
internal sealed record Answer(byte[] Bytes, bool Close = false)
{
    public static Answer Of(string text, bool close = false) => new(Encoding.Latin1.GetBytes(text), close);

    public static Answer Ok(string body) => Of($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}");
}

/// <summary>An HTTP/1.1 endpoint that answers as it is told, right or wrong. Requests have no body, or one of a known length.</summary>
internal sealed class ScriptedUpstream : IDisposable
{
    private readonly EventLoop _loop;
    private readonly Listener _listener;
    private readonly List<Connection> _open = [];
    private int _accepted;

    /// <param name="answer">By the request line; null: none comes.</param>
    public ScriptedUpstream(Func<string, Answer?> answer)
    {
        _loop = new("script", TimeProvider.System, _ => { });
        var socket = Listener.Bind(new(IPAddress.Loopback, 0));
        Address = (IPEndPoint)socket.LocalEndPoint!;
        _listener = new(_loop, socket, (fd, peer) =>
        {
            Interlocked.Increment(ref _accepted);
            var connection = new Connection(_loop, fd, peer, connecting: false);
            connection.Protocol = new Script(this, connection, answer);
            lock (_open)
                _open.Add(connection);
        });
        _loop.Start();
    }

    public IPEndPoint Address { get; }

    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Connections that stand.</summary>
    public int Open
    {
        get
        {
            lock (_open)
                return _open.Count;
        }
    }

    /// <summary>More bytes on every connection, as if the endpoint had spoken without being asked.</summary>
    public Task SayAsync(string text) => _loop.PostAsync(() =>
    {
        lock (_open)
        {
            foreach (var connection in _open)
                connection.Write(Encoding.Latin1.GetBytes(text));
        }
    });

    public void Dispose()
    {
        _loop.Post(_listener.Dispose);
        _loop.Stop();
    }

    private void Gone(Connection connection)
    {
        lock (_open)
            _open.Remove(connection);
    }

    private sealed class Script(ScriptedUpstream owner, Connection connection, Func<string, Answer?> answer) : IProtocol
    {
        private string _rest = "";

        public int OnData(ReadOnlySpan<byte> data)
        {
            _rest += Encoding.Latin1.GetString(data);
            while (Whole() is var length and > 0)
            {
                var line = _rest[.._rest.IndexOf('\r')];
                _rest = _rest[length..];
                if (answer(line) is not { } given)
                    continue;
                connection.Write(given.Bytes);
                if (!given.Close)
                    continue;
                owner.Gone(connection);
                connection.CloseGracefully(peerMaySend: true);
                break;
            }

            return data.Length;
        }

        public void OnEnd()
        {
            owner.Gone(connection);
            connection.Abort();
        }

        public void OnWritable()
        {
        }

        public void OnTimeout()
        {
        }

        public void OnClosed() => owner.Gone(connection);

        private int Whole()
        {
            var head = _rest.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
            if (head < 4)
                return 0;
            var at = _rest.IndexOf("content-length: ", 0, head, StringComparison.Ordinal);
            var length = at < 0 ? 0 : int.Parse(_rest[(at + 16).._rest.IndexOf('\r', at)], System.Globalization.CultureInfo.InvariantCulture);
            return _rest.Length >= head + length ? head + length : 0;
        }
    }
}
