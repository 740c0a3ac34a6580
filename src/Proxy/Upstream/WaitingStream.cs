using Weft.Proxy.Http;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Upstream;

/// <summary>
/// A stream whose connection is not there yet: the protocol is only known after the handshake, or the cluster has all the connections it may have. Keeps what
/// is sent meanwhile, within the watermark, and then stands between the exchange and the stream proper.
/// </summary>
internal sealed class WaitingStream : IClientStream
{
    private readonly EndpointPool _pool;
    private readonly LoopTimer _patience;
    private readonly ByteQueue _data;
    private readonly HeaderList _trailers = new();
    private IClientStreamHandler? _handler;
    private IClientStream? _stream;
    private RequestHead? _head;
    private bool _headEnds, _dataEnds, _hasTrailers, _blocked;

    public WaitingStream(EndpointPool pool, EventLoop loop, IClientStreamHandler handler, long milliseconds)
    {
        (_pool, _handler, _data) = (pool, handler, new(loop.Buffers));
        _patience = new(loop.Timers, () => _pool.GiveUp(this, ResetReason.Overflow));
        if (milliseconds > 0)
            _patience.Set(loop.Now + milliseconds);
    }

    public bool IsBlocked => _stream?.IsBlocked ?? _blocked;

    /// <summary>Whether the exchange still wants it.</summary>
    public bool IsWanted => _handler is not null && _stream is null;

    public IClientStreamHandler? Handler => _handler;

    public void SendHead(RequestHead head, bool end)
    {
        if (_stream is not null)
            _stream.SendHead(head, end);
        else
            (_head, _headEnds) = (head, end);
    }

    public void SendData(ReadOnlySpan<byte> data, bool end)
    {
        if (_stream is not null)
        {
            _stream.SendData(data, end);
            return;
        }

        _data.Write(data);
        _dataEnds |= end;
        _blocked = _data.Length > Connection.HighWatermark;
    }

    public void SendTrailers(HeaderList trailers)
    {
        if (_stream is not null)
        {
            _stream.SendTrailers(trailers);
            return;
        }

        trailers.CopyTo(_trailers);
        _hasTrailers = true;
    }

    public void PauseResponse() => _stream?.PauseResponse();

    public void ResumeResponse() => _stream?.ResumeResponse();

    public void Reset(ResetReason reason)
    {
        if (_stream is not null)
            _stream.Reset(reason);
        else
            _pool.GiveUp(this, null);
        Free();
    }

    /// <summary>Here it is. Called outside of any call of the exchange.</summary>
    public void Attach(IClientStream stream)
    {
        var handler = _handler!;
        _patience.Dispose();
        _stream = stream;
        if (_head is not null)
        {
            stream.SendHead(_head, _headEnds);
            if (_stream is not null && (!_data.IsEmpty || _dataEnds))
                stream.SendData(_data.Span, _dataEnds);
            if (_hasTrailers)
                stream.SendTrailers(_trailers);
        }

        _data.Dispose();
        _head = null;
        if (_blocked && !stream.IsBlocked)
            handler.OnRequestWritable();
    }

    /// <summary>There will be none.</summary>
    public void Fail(ResetReason reason)
    {
        var handler = _handler;
        Free();
        handler?.OnResponseReset(reason);
    }

    private void Free()
    {
        _patience.Dispose();
        _data.Dispose();
        (_handler, _head) = (null, null);
    }
}
