using Weft.Proxy.Http;

namespace Weft.Proxy.Http1;

/// <summary>
/// Reads the head of a request, line by line: a line is done with when it is whole, so nothing is looked at twice however slowly it comes. Strict: whatever RFC 9112
/// lets a recipient refuse is refused, for what two parsers read differently is what smuggling is made of.
/// </summary>
internal sealed class Http1RequestParser(Http1Limits limits)
{
    private readonly FieldCollector _fields = new();
    private readonly ByteText _host = new(64);
    private bool _inFields;
    private bool _absolute;
    private int _bytes, _count, _emptyLines;

    public bool IsHttp10 { get; private set; }

    /// <summary>The status to refuse the request with, once it has <see cref="ParseResult.Failed"/>.</summary>
    public int Error { get; private set; }

    public bool IsChunked => _fields.IsChunked;

    public bool ExpectsContinue => _fields.ExpectsContinue && !IsHttp10;

    /// <summary>The client wants to send another request on this connection.</summary>
    public bool KeepAlive => !_fields.Close && (!IsHttp10 || _fields.KeepAlive);

    /// <summary>Bytes of this head so far: 0 between requests.</summary>
    public int Bytes => _bytes;

    public void Clear()
    {
        _fields.Clear();
        _host.Clear();
        _inFields = _absolute = IsHttp10 = false;
        _bytes = _count = _emptyLines = Error = 0;
    }

    /// <param name="head">Filled as the lines come; the same one until the result is not <see cref="ParseResult.Incomplete"/>.</param>
    public ParseResult Parse(ReadOnlySpan<byte> data, RequestHead head, out int consumed)
    {
        consumed = 0;
        while (true)
        {
            var limit = _inFields ? limits.Head - _bytes : limits.StartLine;
            var found = FieldLine.Next(data[consumed..], limit, out var line, out var length, out var tooLong);
            if (found == ParseResult.Incomplete)
                return found;
            if (found == ParseResult.Failed)
                return Fail(!tooLong ? 400 : _inFields ? 431 : 414);
            consumed += length;
            _bytes += length;
            if (!_inFields)
            {
                // RFC 9112 section 2.2: an empty line before a request is to be ignored; one is enough for the clients that sent it.
                if (line.IsEmpty && _emptyLines++ == 0)
                    continue;
                var error = RequestLine(line, head);
                if (error != 0)
                    return Fail(error);
                _inFields = true;
            }
            else if (line.IsEmpty)
            {
                return Finish(head);
            }
            else if (++_count > limits.Fields || _bytes > limits.Head)
            {
                return Fail(431);
            }
            else if (!_fields.Add(line, head.Headers, _host))
            {
                return Fail(_fields.Error);
            }
        }
    }

    private int RequestLine(ReadOnlySpan<byte> line, RequestHead head)
    {
        var first = line.IndexOf((byte)' ');
        var last = line.LastIndexOf((byte)' ');
        if (first <= 0 || last == first)
            return 400;
        var method = line[..first];
        var target = line[(first + 1)..last];
        var version = line[(last + 1)..];
        if (!HttpCharacters.IsToken(method) || target.IsEmpty)
            return 400;
        if (!version.SequenceEqual("HTTP/1.1"u8))
        {
            IsHttp10 = version.SequenceEqual("HTTP/1.0"u8);
            if (!IsHttp10)
                return version.Length == 8 && version.StartsWith("HTTP/"u8) && version[6] == '.' && char.IsAsciiDigit((char)version[5]) && char.IsAsciiDigit((char)version[7]) ? 505 : 400;
        }

        if (target.ContainsAnyExcept(HttpCharacters.Target))
            return 400;
        head.Method = method;
        return Target(target, head);
    }

    private int Target(ReadOnlySpan<byte> target, RequestHead head)
    {
        if (head.Method.SequenceEqual("CONNECT"u8))
        {
            if (!HttpCharacters.IsAuthority(target) || target[^1] == ']' || !target.Contains((byte)':'))
                return 400;
            head.Authority = target;
            head.Target = target;
            _absolute = true;
            return 0;
        }

        if (target[0] == '/')
        {
            head.Target = target;
            return 0;
        }

        if (target.SequenceEqual("*"u8))
        {
            head.Target = target;
            return head.Method.SequenceEqual("OPTIONS"u8) ? 0 : 400;
        }

        var scheme = target.Length > 8 && Ascii.Is(target[..8], "https://"u8) ? 8 : target.Length > 7 && Ascii.Is(target[..7], "http://"u8) ? 7 : 0;
        if (scheme == 0)
            return 400;
        var rest = target[scheme..];
        var end = rest.IndexOfAny((byte)'/', (byte)'?');
        var authority = end < 0 ? rest : rest[..end];
        if (!HttpCharacters.IsAuthority(authority))
            return 400;
        head.Authority = authority;
        _absolute = true;
        if (end >= 0 && rest[end] == '/')
        {
            head.Target = rest[end..];
        }
        else if (end >= 0)
        {
            // "?query" without a path.
            Span<byte> path = stackalloc byte[limits.StartLine];
            path[0] = (byte)'/';
            rest[end..].CopyTo(path[1..]);
            head.Target = path[..(rest.Length - end + 1)];
        }
        else
        {
            head.Target = head.Method.SequenceEqual("OPTIONS"u8) ? "*"u8 : "/"u8;
        }

        return 0;
    }

    private ParseResult Finish(RequestHead head)
    {
        _fields.Finish(head.Headers);
        if (!_fields.HasHost && !IsHttp10)
            return Fail(400);
        // RFC 9112 section 3.2.2 would have the target win; two names are one too many here.
        if (_absolute && _fields.HasHost && !Ascii.Is(_host.Span, head.Authority))
            return Fail(400);
        if (!_absolute)
            head.Authority = _host.Span;
        if (_fields.IsChunked && (_fields.ContentLength >= 0 || IsHttp10))
            return Fail(400);
        head.ContentLength = _fields.IsChunked ? -1 : Math.Max(0, _fields.ContentLength);
        var connect = head.Method.SequenceEqual("CONNECT"u8);
        if (connect && (_fields.IsChunked || _fields.ContentLength >= 0))
            return Fail(400);
        // An upgrade with a body would have the body's end and the tunnel's beginning in one place: the body wins, as a server may ignore Upgrade.
        if (!connect && !IsHttp10 && head.ContentLength == 0 && head.Method.SequenceEqual("GET"u8))
            head.Upgrade = _fields.Upgrade;
        return ParseResult.Done;
    }

    private ParseResult Fail(int status)
    {
        Error = status;
        return ParseResult.Failed;
    }
}
