using System.Net;
using Weft.Proxy.Http;
using Weft.Proxy.Http2;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;

namespace Weft.Bench.Micro.Forwarding;

/// <summary>One HTTP/2 connection that keeps so many requests under way, on a loop of its own.</summary>
internal sealed class Http2Client : IClientStreamHandler, IHttp2Pool, IDisposable
{
    // As many as h2load has under way in the comparison with HAProxy.
    private const int Streams = 16;

    private readonly EventLoop _loop = new("client", TimeProvider.System, defect => Console.Error.WriteLine(defect));
    private readonly RequestHead _request = new() { Method = "GET"u8, Scheme = "http"u8, Authority = "bench"u8, Target = "/path?x=1"u8 };
    private readonly SemaphoreSlim _done = new(0);
    private readonly Action _begin;
    private Http2ClientConnection _connection = null!;
    private int _toStart, _running;

    private Http2Client() => _begin = Fill;

    public static async Task<Http2Client> ConnectAsync(IPEndPoint to)
    {
        var client = new Http2Client();
        client._loop.Start();
        await client._loop.PostAsync(() =>
        {
            var connection = new Connection(client._loop, SocketCalls.Connect(to.Serialize()), to, connecting: true);
            client._connection = new Http2ClientConnection(connection, client, new Http2Limits(), new Http2Streams(client._loop.Buffers));
            connection.Protocol = client._connection;
            client._connection.Start();
        });
        return client;
    }

    public void Run(int count)
    {
        _toStart = count;
        _loop.Post(_begin);
        _done.Wait();
    }

    private void Fill()
    {
        while (_running < Streams && _toStart > 0)
        {
            _toStart--;
            _running++;
            _connection.OpenStream(this).SendHead(_request, end: true);
        }
    }

    private void Finished()
    {
        _running--;
        if (_toStart > 0)
            Fill();
        else if (_running == 0)
            _done.Release();
    }

    public void OnResponse(ResponseHead head, bool end)
    {
        if (head.Status != 200)
            throw new InvalidOperationException($"answered with {head.Status}");
        if (end)
            Finished();
    }

    public void OnResponseData(ReadOnlySpan<byte> data, bool end)
    {
        if (end)
            Finished();
    }

    public void OnResponseTrailers(HeaderList trailers)
    {
    }

    public void OnRequestWritable()
    {
    }

    public void OnResponseReset(ResetReason reason) => throw new InvalidOperationException($"ended: {reason}");

    public void OnCapacity(Http2ClientConnection connection)
    {
    }

    public void OnDone(Http2ClientConnection connection)
    {
    }

    public void Dispose()
    {
        _loop.Dispose();
        _done.Dispose();
    }
}
