using Weft.Proxy.Http;
using Weft.Proxy.Http2.Hpack;

namespace Weft.Proxy.Http2.Heads;

/// <summary>
/// A request from its fields (RFC 9113 section 8.3.1). An extended CONNECT (RFC 8441) becomes what the same wish is in HTTP/1.1, a GET with an upgrade, so that
/// routing and the other codecs know one form only.
/// </summary>
internal sealed class RequestReader(Http2Limits limits) : FieldReader(limits)
{
    private readonly ByteText _cookie = new(64);
    private readonly ByteText _host = new(64);
    private byte[] _join = [];
    private RequestHead _head = null!;
    private bool _method, _scheme, _authority, _path, _protocol, _hasHost, _hasCookie, _cookieNeverIndexed;
    private long _length;

    /// <summary>`expect: 100-continue` was there; it is this hop's business.</summary>
    public bool ExpectsContinue { get; private set; }

    /// <summary>A plain CONNECT: the target is a host and a port.</summary>
    public bool IsConnect { get; private set; }

    public bool IsHead { get; private set; }

    public void Start(RequestHead head)
    {
        base.Start(head.Headers);
        _head = head;
        _method = _scheme = _authority = _path = _protocol = _hasHost = _hasCookie = _cookieNeverIndexed = ExpectsContinue = IsConnect = IsHead = false;
        _length = -1;
    }

    /// <param name="end">No body follows.</param>
    /// <param name="scheme">How the client came here; what it says itself may be otherwise behind another proxy.</param>
    public ReadOutcome Finish(bool end, ReadOnlySpan<byte> scheme)
    {
        if (Outcome != ReadOutcome.Whole)
            return Outcome;
        if (!_method || !Authority() || !Target() || (end && _length > 0))
            return ReadOutcome.Malformed;
        _head.Scheme = scheme;
        _head.ContentLength = end ? 0 : _length;
        if (_hasCookie)
            Fields!.AddKnown("cookie"u8, _cookie.Span, KnownHeader.Cookie, _cookieNeverIndexed);
        IsHead = _head.Method.SequenceEqual("HEAD"u8);
        return ReadOutcome.Whole;
    }

    protected override bool OnPseudo(FieldKind kind, ReadOnlySpan<byte> value)
    {
        switch (kind)
        {
            case FieldKind.Method when !_method && HttpCharacters.IsToken(value):
                _method = true;
                _head.Method = value;
                return true;
            case FieldKind.Path when !_path && !value.IsEmpty && !value.ContainsAnyExcept(HttpCharacters.Target):
                _path = true;
                _head.Target = value;
                return true;
            case FieldKind.Authority when !_authority && HttpCharacters.IsAuthority(value):
                _authority = true;
                _head.Authority = value;
                return true;
            case FieldKind.Scheme when !_scheme && (Ascii.Is(value, "http"u8) || Ascii.Is(value, "https"u8)):
                _scheme = true;
                return true;
            case FieldKind.Protocol when !_protocol && HttpCharacters.IsToken(value):
                _protocol = true;
                _head.Upgrade = value;
                return true;
            default:
                return false;
        }
    }

    protected override void OnRegular(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, KnownHeader known, bool neverIndexed)
    {
        switch (known)
        {
            case KnownHeader.Host:
                if (_hasHost)
                    Refuse();
                _hasHost = true;
                _host.Set(value);
                break;
            case KnownHeader.ContentLength:
                if (!TryLength(value, out var length) || (_length >= 0 && _length != length))
                    Refuse();
                _length = length;
                break;
            case KnownHeader.Cookie:
                Crumb(value);
                _cookieNeverIndexed |= neverIndexed;
                break;
            case KnownHeader.Expect when Ascii.Is(value, "100-continue"u8):
                ExpectsContinue = true;
                break;
            default:
                base.OnRegular(name, value, known, neverIndexed);
                break;
        }
    }

    // Section 8.2.3: to HTTP/1.1, and to whoever reads one field, they are one.
    private void Crumb(ReadOnlySpan<byte> value)
    {
        if (!_hasCookie)
        {
            _hasCookie = true;
            _cookie.Set(value);
            return;
        }

        var length = _cookie.Length + 2 + value.Length;
        if (_join.Length < length)
            _join = new byte[length * 2];
        _cookie.Span.CopyTo(_join);
        "; "u8.CopyTo(_join.AsSpan(_cookie.Length));
        value.CopyTo(_join.AsSpan(_cookie.Length + 2));
        _cookie.Set(_join.AsSpan(0, length));
    }

    private bool Authority()
    {
        if (_hasHost)
        {
            if (!_authority)
            {
                if (!HttpCharacters.IsAuthority(_host.Span))
                    return false;
                _head.Authority = _host.Span;
            }
            else if (!System.Text.Ascii.EqualsIgnoreCase(_host.Span, _head.Authority))
            {
                return false;
            }
        }

        return _authority || _hasHost;
    }

    private bool Target()
    {
        if (_head.Method.SequenceEqual("CONNECT"u8))
        {
            if (_protocol)
            {
                _head.Method = "GET"u8;
                return _scheme && _path && _authority && _head.Target[0] == '/';
            }

            // Section 8.5: neither :scheme nor :path, and a port.
            IsConnect = true;
            _head.Target = _head.Authority;
            return !_scheme && !_path && _authority && _length < 0 && _head.Authority.LastIndexOf((byte)':') > _head.Authority.LastIndexOf((byte)']');
        }

        if (_protocol || !_scheme || !_path)
            return false;
        return _head.Target[0] == '/' || (_head.Target is [(byte)'*'] && _head.Method.SequenceEqual("OPTIONS"u8));
    }
}
