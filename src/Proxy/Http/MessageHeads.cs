namespace Weft.Proxy.Http;

/// <summary>A request without its body, in one form for all protocols. Belongs to an exchange and is cleared for the next.</summary>
internal sealed class RequestHead
{
    private readonly ByteText _method = new(16);
    private readonly ByteText _scheme = new(8);
    private readonly ByteText _authority = new(64);
    private readonly ByteText _target = new(256);

    /// <summary>A token, case-sensitive (RFC 9110 section 9.1).</summary>
    public ReadOnlySpan<byte> Method
    {
        get => _method.Span;
        set => _method.Set(value);
    }

    /// <summary>`http` or `https`: how the client reached this proxy.</summary>
    public ReadOnlySpan<byte> Scheme
    {
        get => _scheme.Span;
        set => _scheme.Set(value);
    }

    /// <summary>Host and port as sent, from :authority, an absolute target or Host; the codec has checked that they agree. Never user information.</summary>
    public ReadOnlySpan<byte> Authority
    {
        get => _authority.Span;
        set => _authority.Set(value);
    }

    /// <summary>Path and query as sent (origin form), `*` for OPTIONS, the authority for CONNECT. No fragment. What routing, policy and upstream see is made from it once.</summary>
    public ReadOnlySpan<byte> Target
    {
        get => _target.Span;
        set => _target.Set(value);
    }

    /// <summary>Without pseudo-headers, and without Host: it is <see cref="Authority"/>.</summary>
    public HeaderList Headers { get; } = new();

    /// <summary>Length of the body that was announced; -1: unknown, it ends when it ends. 0 when there is none.</summary>
    public long ContentLength { get; set; }

    /// <summary>The protocol asked for by an Upgrade (`websocket`) or by extended CONNECT (RFC 8441); empty: none.</summary>
    public ReadOnlySpan<byte> Upgrade
    {
        get => _upgrade.Span;
        set => _upgrade.Set(value);
    }

    private readonly ByteText _upgrade = new(16);

    public void Clear()
    {
        _method.Clear();
        _scheme.Clear();
        _authority.Clear();
        _target.Clear();
        _upgrade.Clear();
        Headers.Clear();
        ContentLength = 0;
    }
}

/// <summary>A response without its body. Belongs to an exchange and is cleared for the next.</summary>
internal sealed class ResponseHead
{
    /// <summary>100 to 599.</summary>
    public int Status { get; set; }

    public HeaderList Headers { get; } = new();

    /// <summary>As in <see cref="RequestHead.ContentLength"/>. A response to HEAD and a 304 may announce a length and have no body.</summary>
    public long ContentLength { get; set; } = -1;

    public bool IsInformational => Status is >= 100 and < 200;

    public void Clear()
    {
        Status = 0;
        Headers.Clear();
        ContentLength = -1;
    }
}
