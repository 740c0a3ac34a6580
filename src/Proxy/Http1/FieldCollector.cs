using Weft.Proxy.Http;

namespace Weft.Proxy.Http1;

/// <summary>
/// The fields of one head while they come in: what frames the message or concerns one connection only is taken out and understood here, the rest goes to the list.
/// </summary>
internal sealed class FieldCollector
{
    private bool _namedInConnection, _hasConnection;

    /// <summary>-1: not given.</summary>
    public long ContentLength { get; private set; } = -1;

    public bool IsChunked { get; private set; }

    public bool Close { get; private set; }

    public bool KeepAlive { get; private set; }

    public bool HasHost { get; private set; }

    public bool ExpectsContinue { get; private set; }

    /// <summary>The status to refuse the message with; 0: none.</summary>
    public int Error { get; private set; }

    private bool _connectionUpgrade;
    private bool _hasUpgrade;
    private readonly ByteText _upgrade = new(16);

    /// <summary>The one protocol of an Upgrade that Connection also names; empty: none. h2c is never accepted: a client falls back by itself (RFC 9113 section 3.1).</summary>
    public ReadOnlySpan<byte> Upgrade => _connectionUpgrade ? _upgrade.Span : default;

    public void Clear()
    {
        _namedInConnection = _hasConnection = Close = KeepAlive = HasHost = ExpectsContinue = _connectionUpgrade = _hasUpgrade = IsChunked = false;
        ContentLength = -1;
        Error = 0;
        _upgrade.Clear();
    }

    public bool Add(ReadOnlySpan<byte> line, HeaderList headers, ByteText? host)
    {
        if (!FieldLine.TrySplit(line, out var name, out var value))
            return Fail(400);
        headers.Add(name, value);
        switch (headers.Known(headers.Count - 1))
        {
            case KnownHeader.ContentLength:
                headers.RemoveLast();
                // A second one is refused even when it says the same (RFC 9112 section 6.3 allows both).
                if (ContentLength >= 0 || !TryLength(value, out var length))
                    return Fail(400);
                ContentLength = length;
                return true;
            case KnownHeader.TransferEncoding:
                headers.RemoveLast();
                return TransferEncoding(value);
            case KnownHeader.Host when host is not null:
                headers.RemoveLast();
                if (HasHost || !HttpCharacters.IsAuthority(value))
                    return Fail(400);
                HasHost = true;
                host.Set(value);
                return true;
            case KnownHeader.Connection:
                return Connection(value, headers);
            case KnownHeader.Upgrade:
                headers.RemoveLast();
                if (!_hasUpgrade && HttpCharacters.IsToken(value) && !Ascii.Is(value, "h2c"u8))
                    _upgrade.Set(value);
                else
                    _upgrade.Clear();
                _hasUpgrade = true;
                return true;
            case KnownHeader.Te:
                headers.RemoveLast();
                // The one thing in it that concerns the next hop: gRPC needs it (RFC 9110 section 10.1.4).
                if (Ascii.HasToken(value, "trailers"u8))
                    headers.Set("te"u8, "trailers"u8);
                return true;
            case KnownHeader.Expect when host is not null:
                headers.RemoveLast();
                if (!Ascii.Is(value, "100-continue"u8))
                    return Fail(417);
                ExpectsContinue = true;
                return true;
            case KnownHeader.KeepAlive or KnownHeader.ProxyConnection or KnownHeader.Http2Settings:
                headers.RemoveLast();
                return true;
            default:
                return true;
        }
    }

    /// <summary>After the last field: takes out what Connection names.</summary>
    public void Finish(HeaderList headers)
    {
        if (!_hasConnection)
            return;
        if (_namedInConnection)
            ConnectionOptions.RemoveNamed(headers);
        headers.Remove("connection"u8);
    }

    private bool Connection(ReadOnlySpan<byte> value, HeaderList headers)
    {
        var named = false;
        foreach (var range in value.Split((byte)','))
        {
            var option = FieldLine.Trim(value[range]);
            if (Ascii.Is(option, "close"u8))
                Close = true;
            else if (Ascii.Is(option, "keep-alive"u8))
                KeepAlive = true;
            else if (Ascii.Is(option, "upgrade"u8))
                _connectionUpgrade = true;
            else if (!option.IsEmpty)
                named = true;
        }

        if (named)
            (_namedInConnection, _hasConnection) = (true, true);
        else
            headers.RemoveLast();
        return true;
    }

    // Only what this proxy does itself. Any other spelling is somebody's attempt to be read in two ways, or a coding that nobody sends to a proxy.
    private bool TransferEncoding(ReadOnlySpan<byte> value)
    {
        if (IsChunked)
            return Fail(400);
        IsChunked = value.SequenceEqual("chunked"u8);
        if (IsChunked)
            return true;
        return Fail(Ascii.Is(value, "gzip, chunked"u8) || Ascii.Is(value, "deflate, chunked"u8) || Ascii.Is(value, "compress, chunked"u8) ? 501 : 400);
    }

    /// <summary>Digits and nothing else, below 2^63.</summary>
    internal static bool TryLength(ReadOnlySpan<byte> value, out long length)
    {
        length = 0;
        if (value.IsEmpty || value.Length > 18)
            return false;
        foreach (var digit in value)
        {
            if (digit is < (byte)'0' or > (byte)'9')
                return false;
            length = (length * 10) + digit - '0';
        }

        return true;
    }

    private bool Fail(int status)
    {
        Error = status;
        return false;
    }
}
