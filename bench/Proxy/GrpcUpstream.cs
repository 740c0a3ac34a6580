using System.Net;
using Weft.Proxy.Http;
using Weft.Proxy.Http2;
using Weft.Proxy.Transport;

namespace Weft.Bench.Proxy;

/// <summary>A gRPC service without TLS that answers every call with the same message and status 0.</summary>
internal sealed class GrpcUpstream : IExchangeFactory
{
    // A frame of gRPC: not compressed, four bytes of length, the message.
    private static readonly byte[] Message = [0, 0, 0, 0, 16, .. new byte[16]];

    private readonly Stack<RequestHead> _heads = new();
    private readonly ResponseHead _response = new() { Status = 200 };
    private readonly HeaderList _trailers = new();

    private GrpcUpstream()
    {
        _response.Headers.Add("content-type"u8, "application/grpc"u8);
        _trailers.Add("grpc-status"u8, "0"u8);
    }

    public static void Listen(EventLoop loop, int port)
    {
        var service = new GrpcUpstream();
        var options = new Http2ServerOptions(new Http2Limits(), "http");
        var streams = new Http2Streams(loop.Buffers);
        _ = new Listener(loop, Listener.Bind(new(IPAddress.Any, port)), (fd, peer) =>
        {
            var connection = new Connection(loop, fd, peer, connecting: false);
            var server = new Http2ServerConnection(connection, service, options, streams);
            connection.Protocol = server;
            server.Start();
        });
    }

    public RequestHead RentHead() => _heads.TryPop(out var head) ? head : new();

    public void ReturnHead(RequestHead head)
    {
        head.Clear();
        _heads.Push(head);
    }

    public IServerStreamHandler Begin() => new Call(this);

    private sealed class Call(GrpcUpstream service) : IServerStreamHandler
    {
        private IServerStream? _stream;

        public void OnRequest(IServerStream stream, RequestHead head, bool end)
        {
            _stream = stream;
            service.ReturnHead(head);
            if (end)
                Answer();
        }

        public void OnRequestData(ReadOnlySpan<byte> data, bool end)
        {
            if (end)
                Answer();
        }

        public void OnRequestTrailers(HeaderList trailers) => Answer();

        public void OnResponseWritable()
        {
        }

        public void OnRequestReset(ResetReason reason)
        {
        }

        private void Answer()
        {
            _stream!.SendHead(service._response, end: false);
            _stream.SendData(Message, end: false);
            _stream.SendTrailers(service._trailers);
        }
    }
}
