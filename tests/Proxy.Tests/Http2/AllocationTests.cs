using Weft.Proxy.Http;
using Weft.Proxy.Tests.Http2.Support;

namespace Weft.Proxy.Tests.Http2;

/// <summary>A request and its response, on both sides together, cost no allocation once pools and tables are filled.</summary>
public sealed class AllocationTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(100_000)] // more than a window: it waits, and is told to go on
    public void No_bytes_for_a_request(int length)
    {
        var loop = new Loop(length);
        loop.Run(2000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        loop.Run(2000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(4000, loop.Finished);
    }

    internal sealed class Loop : IExchangeFactory, IServerStreamHandler, IClientStreamHandler
    {
        private readonly Stack<RequestHead> _heads = new();
        private readonly RequestHead _request = RecordedResponse.Request("GET", "/things/7?x=1", fields: [("user-agent", "load"), ("accept", "*/*")]);
        private readonly ResponseHead _response;
        private readonly byte[] _body;
        private readonly Pair _pair;
        private IServerStream _stream = null!;
        private RequestHead _head = null!;

        public Loop(int length)
        {
            _body = new byte[length];
            _response = RecordedRequest.Response(200, length, ("content-type", "text/plain"), ("server", "test"), ("date", "Sat, 28 Nov 2026 15:00:00 GMT"));
            _pair = new(this);
        }

        public int Finished { get; private set; }

        public void Run(int requests)
        {
            for (var i = 0; i < requests; i++)
            {
                _pair.Client.OpenStream(this).SendHead(_request, end: true);
                _pair.Run();
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
            (_stream, _head) = (stream, head);
            _stream.SendHead(_response, end: _body.Length == 0);
            if (_body.Length > 0)
                _stream.SendData(_body, end: true);
            ReturnHead(_head);
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

        public void OnResponse(ResponseHead head, bool end) => Finished += end ? 1 : 0;

        public void OnResponseData(ReadOnlySpan<byte> data, bool end) => Finished += end ? 1 : 0;

        public void OnResponseTrailers(HeaderList trailers)
        {
        }

        public void OnRequestWritable()
        {
        }

        public void OnResponseReset(ResetReason reason) => throw new InvalidOperationException();
    }
}
