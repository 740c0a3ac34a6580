using System.Net;
using Weft.Proxy.Http;
using Weft.Proxy.Http2;
using Weft.Proxy.Transport;

namespace Weft.Bench.Micro.Http2;

/// <summary>A request and its response through a client and a server of ours that are joined without a socket: four codecs' work and nothing else.</summary>
internal static class Http2Budgets
{
    public static IEnumerable<Budget> All =>
    [
        new("http2: request and response, both ends, no body", 0, 500_000, count => RunAsync(count, 0)),
        new("http2: request and response, both ends, 100 bytes", 0, 500_000, count => RunAsync(count, 100)),
        new("http2: request and response, both ends, 64 KB", 0, 20_000, count => RunAsync(count, 65_536)),
    ];

    private static readonly Dictionary<int, Ends> Made = [];

    private static Task RunAsync(int count, int body)
    {
        if (!Made.TryGetValue(body, out var ends))
            Made[body] = ends = new(body);
        ends.Run(count);
        return Task.CompletedTask;
    }

    private sealed class Ends : IExchangeFactory, IServerStreamHandler, IClientStreamHandler, IHttp2Pool
    {
        // As many as h2load has under way in the comparison with HAProxy.
        private const int Streams = 16;

        private readonly Stack<RequestHead> _heads = new();
        private readonly RequestHead _request = new() { Method = "GET"u8, Scheme = "http"u8, Authority = "127.0.0.1:8080"u8, Target = "/path?x=1"u8 };
        private readonly ResponseHead _response = new() { Status = 200 };
        private readonly byte[] _body;
        private readonly Wire _client, _server;
        private readonly Http2ClientConnection _connection;
        private int _finished;

        public Ends(int body)
        {
            var buffers = new BufferPool();
            var streams = new Http2Streams(buffers);
            _body = new byte[body];
            _response.ContentLength = body;
            _request.Headers.Add("user-agent"u8, "h2load nghttp2/1.52.0"u8);
            _response.Headers.Add("content-type"u8, "text/plain"u8);
            (_client, _server) = (new(buffers), new(buffers));
            _connection = new(_client, this, new(), streams);
            var server = new Http2ServerConnection(_server, this, new(new(), "http"), streams);
            (_client.Protocol, _server.Protocol) = (_connection, server);
            _connection.Start();
            server.Start();
            Move();
            Run(200_000 / Math.Max(1, body / 1000)); // what is made once, by the runtime too, is no cost of a request
        }

        public void Run(int count)
        {
            _finished = 0;
            for (var i = 0; i < count; i += Streams)
            {
                for (var stream = 0; stream < Streams && i + stream < count; stream++)
                    _connection.OpenStream(this).SendHead(_request, end: true);
                Move();
            }

            if (_finished != count)
                throw new InvalidOperationException();
        }

        private void Move()
        {
            while (_client.MoveTo(_server) | _server.MoveTo(_client))
            {
            }
        }

        public RequestHead RentHead() => _heads.TryPop(out var head) ? head : new();

        public void ReturnHead(RequestHead head)
        {
            head.Clear();
            _heads.Push(head);
        }

        public IServerStreamHandler Begin() => this;

        public void OnRequest(IServerStream stream, RequestHead head, bool end)
        {
            stream.SendHead(_response, end: _body.Length == 0);
            if (_body.Length > 0)
                stream.SendData(_body, end: true);
            ReturnHead(head);
        }

        public void OnRequestData(ReadOnlySpan<byte> data, bool end)
        {
        }

        public void OnRequestTrailers(HeaderList trailers)
        {
        }

        public void OnResponseWritable()
        {
        }

        public void OnRequestReset(ResetReason reason) => throw new InvalidOperationException();

        public void OnResponse(ResponseHead head, bool end) => _finished += end ? 1 : 0;

        public void OnResponseData(ReadOnlySpan<byte> data, bool end) => _finished += end ? 1 : 0;

        public void OnResponseTrailers(HeaderList trailers)
        {
        }

        public void OnRequestWritable()
        {
        }

        public void OnResponseReset(ResetReason reason) => throw new InvalidOperationException();

        public void OnCapacity(Http2ClientConnection connection)
        {
        }

        public void OnDone(Http2ClientConnection connection)
        {
        }
    }

    private sealed class Wire(BufferPool buffers) : ITransport
    {
        private bool _blocked;

        public ByteQueue Output { get; } = new(buffers);

        public IProtocol Protocol { get; set; } = null!;

        public bool IsBlocked => _blocked;

        public long Now => 0;

        public IPEndPoint? Peer => null;

        public void Write(ReadOnlySpan<byte> data)
        {
            Output.Write(data);
            _blocked |= Output.Length > 64 << 10;
        }

        public bool MoveTo(Wire other)
        {
            if (Output.IsEmpty)
                return false;
            var length = other.Protocol.OnData(Output.Span);
            Output.Consume(length);
            if (_blocked && Output.Length < 32 << 10)
            {
                _blocked = false;
                Protocol.OnWritable();
            }

            return true;
        }

        public void PauseReading()
        {
        }

        public void ResumeReading()
        {
        }

        public void OfferAgain()
        {
        }

        public void SetTimeout(long at)
        {
        }

        public void ShutdownWriting()
        {
        }

        public void CloseGracefully(bool peerMaySend) => throw new InvalidOperationException();

        public void Abort() => throw new InvalidOperationException();
    }
}
