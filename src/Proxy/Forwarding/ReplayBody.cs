using Weft.Proxy.Http;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Forwarding;

/// <summary>What has come of a request's body, kept as long as it may have to be sent again.</summary>
internal sealed class ReplayBody(BufferPool pool)
{
    private readonly ByteQueue _kept = new(pool);
    private int _limit;

    /// <summary>Nothing of it is lost: another try is possible.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>The request's last byte, or its trailers, have come.</summary>
    public bool Ended { get; private set; }

    public HeaderList? Trailers { get; private set; }

    public bool IsEmpty => _kept.IsEmpty && Trailers is null;

    /// <param name="limit">Bytes that are kept; 0: there will be no other try.</param>
    public void Begin(int limit, bool ended) => (_limit, Ended, IsWhole, Trailers) = (limit, ended, true, null);

    /// <param name="sending">Whether it is on its way already; otherwise it is kept whatever the limit says.</param>
    public void Add(ReadOnlySpan<byte> data, bool end, bool sending)
    {
        Ended = end;
        if (!IsWhole)
            return;
        if (sending && _kept.Length + data.Length > _limit)
        {
            Forget();
            return;
        }

        if (!data.IsEmpty)
            _kept.Write(data);
    }

    public void AddTrailers(HeaderList trailers)
    {
        Ended = true;
        if (!IsWhole)
            return;
        Trailers = new HeaderList();
        trailers.CopyTo(Trailers);
    }

    /// <summary>All that has come so far, to a new try.</summary>
    public void SendTo(IClientStream stream)
    {
        if (Trailers is not null)
        {
            if (!_kept.IsEmpty)
                stream.SendData(_kept.Span, end: false);
            stream.SendTrailers(Trailers);
        }
        else if (!_kept.IsEmpty)
        {
            stream.SendData(_kept.Span, Ended);
        }
    }

    /// <summary>The answer has begun: what was kept is let go.</summary>
    public void Forget()
    {
        _kept.Clear();
        Trailers = null;
        IsWhole = false;
    }

    public void Clear()
    {
        _kept.Clear();
        Trailers = null;
    }
}
