using Weft.Proxy.Http;

namespace Weft.Proxy.Http1;

/// <summary>Reads the head of a response, line by line, as strictly as <see cref="Http1RequestParser"/> but for lone LFs: an endpoint may be as hostile as a client.</summary>
internal sealed class Http1ResponseParser(Http1Limits limits)
{
    private readonly FieldCollector _fields = new();
    private bool _inFields;
    private int _bytes, _count;

    // For the life of the connection: whoever ends lines so may take another line for the last one of its head, and what follows for something else.
    private bool _isLoose;

    public bool IsHttp10 { get; private set; }

    public bool IsChunked => _fields.IsChunked;

    /// <summary>-1: not given.</summary>
    public long ContentLength => _fields.ContentLength;

    /// <summary>Not after a lone LF: if the endpoint meant another end of its head, the rest would be read as the answer to the next request (decision 0039).</summary>
    public bool KeepAlive => !_fields.Close && !_isLoose && (!IsHttp10 || _fields.KeepAlive);

    public ReadOnlySpan<byte> Upgrade => _fields.Upgrade;

    public int Bytes => _bytes;

    public void Clear()
    {
        _fields.Clear();
        _inFields = IsHttp10 = false;
        _bytes = _count = 0;
    }

    public ParseResult Parse(ReadOnlySpan<byte> data, ResponseHead head, out int consumed)
    {
        consumed = 0;
        while (true)
        {
            var limit = _inFields ? limits.Head - _bytes : limits.StartLine;
            var found = FieldLine.Next(data[consumed..], limit, out var line, out var length, out _, loneLf: true);
            if (found != ParseResult.Done)
                return found;
            consumed += length;
            _bytes += length;
            _isLoose |= length == line.Length + 1;
            if (!_inFields)
            {
                if (!StatusLine(line, head))
                    return ParseResult.Failed;
                _inFields = true;
            }
            else if (line.IsEmpty)
            {
                _fields.Finish(head.Headers);
                if (_fields.IsChunked && (_fields.ContentLength >= 0 || IsHttp10))
                    return ParseResult.Failed;
                head.ContentLength = _fields.ContentLength;
                return ParseResult.Done;
            }
            else if (++_count > limits.Fields || _bytes > limits.Head || !_fields.Add(line, head.Headers, null))
            {
                return ParseResult.Failed;
            }
        }
    }

    // The reason is not passed on: it means nothing (RFC 9112 section 4). The space before it is missing with some servers.
    private bool StatusLine(ReadOnlySpan<byte> line, ResponseHead head)
    {
        IsHttp10 = line.StartsWith("HTTP/1.0 "u8);
        if ((!IsHttp10 && !line.StartsWith("HTTP/1.1 "u8)) || line.Length < 12 || (line.Length > 12 && line[12] != ' ') || line[12..].ContainsAny(HttpCharacters.Forbidden))
            return false;
        var status = 0;
        foreach (var digit in line[9..12])
        {
            if (digit is < (byte)'0' or > (byte)'9')
                return false;
            status = (status * 10) + digit - '0';
        }

        head.Status = status;
        return status is >= 100 and <= 599;
    }
}
