using Weft.Proxy.Transport;

namespace Weft.Proxy.Http2;

/// <summary>Stream objects of one event loop that wait for their next use, and the loop's buffers.</summary>
internal sealed class Http2Streams(BufferPool buffers)
{
    // As many as two thousand requests at once need; above it the collector takes them.
    private const int MaxIdle = 2048;

    private readonly Stack<Http2ServerStream> _server = new();
    private readonly Stack<Http2ClientStream> _client = new();

    public Http2ServerStream RentServer() => _server.TryPop(out var stream) ? stream : new(buffers);

    public Http2ClientStream RentClient() => _client.TryPop(out var stream) ? stream : new(buffers);

    public void Return(Http2Stream stream)
    {
        stream.Clear();
        if (stream is Http2ServerStream server && _server.Count < MaxIdle)
            _server.Push(server);
        else if (stream is Http2ClientStream client && _client.Count < MaxIdle)
            _client.Push(client);
    }

    public BufferPool Buffers => buffers;
}
