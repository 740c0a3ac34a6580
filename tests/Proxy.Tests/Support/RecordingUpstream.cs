using System.Net;
using System.Text;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Tests.Support;

/// <summary>
/// An endpoint that keeps every byte it is sent and answers each whole request with its own first line. Reads requests with a parser of its own, as simple as can be.
/// </summary>
internal sealed class RecordingUpstream : IDisposable
{
    private readonly EventLoop _loop;
    private readonly Listener _listener;
    private readonly List<string> _requests = [];
    private readonly Lock _gate = new();
    private long _bytes;
    private int _connections;

    public RecordingUpstream(int bodyBytes = -1)
    {
        _loop = new("recorder", TimeProvider.System, _ => { });
        var socket = Listener.Bind(new(IPAddress.Loopback, 0));
        Address = (IPEndPoint)socket.LocalEndPoint!;
        _listener = new(_loop, socket, (fd, peer) =>
        {
            Interlocked.Increment(ref _connections);
            var connection = new Connection(_loop, fd, peer, connecting: false);
            connection.Protocol = new Recorder(this, connection, bodyBytes);
        });
        _loop.Start();
    }

    public IPEndPoint Address { get; }

    public long Bytes => Interlocked.Read(ref _bytes);

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Whole requests, heads with bodies.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_gate)
                return [.. _requests];
        }
    }

    public void Dispose()
    {
        _loop.Post(_listener.Dispose);
        _loop.Stop();
    }

    private sealed class Recorder(RecordingUpstream owner, ITransport transport, int bodyBytes) : IProtocol
    {
        private string _rest = "";

        public int OnData(ReadOnlySpan<byte> data)
        {
            Interlocked.Add(ref owner._bytes, data.Length);
            var text = _rest + Encoding.Latin1.GetString(data);
            var consumed = 0;
            while (Whole(text[consumed..]) is var length and > 0)
            {
                var request = text.Substring(consumed, length);
                consumed += length;
                lock (owner._gate)
                    owner._requests.Add(request);
                var body = bodyBytes < 0 ? request[..request.IndexOf('\r')] : new string('x', bodyBytes);
                transport.Write(Encoding.Latin1.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
            }

            _rest = text[consumed..];
            return data.Length;
        }

        public void OnEnd() => transport.Abort();

        public void OnWritable()
        {
        }

        public void OnTimeout()
        {
        }

        public void OnClosed()
        {
        }

        private static int Whole(string text)
        {
            var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
            if (head < 4)
                return 0;
            if (text[..head].Contains("transfer-encoding: chunked", StringComparison.Ordinal))
            {
                var end = text.IndexOf("0\r\n\r\n", head, StringComparison.Ordinal);
                return end < 0 ? 0 : end + 5;
            }

            var at = text.IndexOf("content-length: ", 0, head, StringComparison.Ordinal);
            var length = at < 0 ? 0 : int.Parse(text[(at + 16)..text.IndexOf('\r', at)], System.Globalization.CultureInfo.InvariantCulture);
            return text.Length >= head + length ? head + length : 0;
        }
    }
}
