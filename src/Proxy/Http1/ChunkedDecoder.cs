using Weft.Proxy.Http;

namespace Weft.Proxy.Http1;

internal enum ChunkResult { Incomplete, Data, End, Failed }

/// <summary>
/// The chunked coding (RFC 9112 section 7.1), to the letter: hexadecimal digits and nothing beside them, CR LF and nothing instead, extensions passed over and
/// bounded (CVE-2025-55315, CVE-2025-22871: what ends a line there must end it for everybody).
/// </summary>
internal sealed class ChunkedDecoder(Http1Limits limits)
{
    // 15 digits: below 2^60.
    private const int MaxDigits = 15;

    private State _state;
    private long _left;
    private int _digits, _extensions, _trailerBytes, _trailerFields;

    private enum State { Size, Extension, SizeLf, Data, DataCr, DataLf, Trailers }

    public void Clear() => (_state, _left, _digits, _extensions, _trailerBytes, _trailerFields) = (State.Size, 0, 0, 0, 0, 0);

    /// <summary>The next piece. Call again after <see cref="ChunkResult.Data"/>; of an unfinished line of the trailers nothing is consumed.</summary>
    public ChunkResult Read(ReadOnlySpan<byte> input, HeaderList trailers, out int consumed, out ReadOnlySpan<byte> data)
    {
        data = default;
        for (consumed = 0; consumed < input.Length;)
        {
            if (_state == State.Data)
            {
                data = input.Slice(consumed, (int)Math.Min(_left, input.Length - consumed));
                consumed += data.Length;
                _left -= data.Length;
                if (_left == 0)
                    _state = State.DataCr;
                return ChunkResult.Data;
            }

            if (_state == State.Trailers)
            {
                var found = FieldLine.Next(input[consumed..], limits.Trailers - _trailerBytes, out var line, out var length, out _);
                if (found != ParseResult.Done)
                    return found == ParseResult.Failed ? ChunkResult.Failed : ChunkResult.Incomplete;
                consumed += length;
                _trailerBytes += length;
                if (line.IsEmpty)
                    return ChunkResult.End;
                if (!Trailer(line, trailers))
                    return ChunkResult.Failed;
            }
            else if (!Step(input[consumed++]))
            {
                return ChunkResult.Failed;
            }
        }

        return ChunkResult.Incomplete;
    }

    private bool Step(byte c)
    {
        switch (_state)
        {
            case State.Size:
                var digit = Digit(c);
                if (digit >= 0)
                {
                    _left = (_left << 4) | (uint)digit;
                    return ++_digits <= MaxDigits;
                }

                if (_digits == 0 || c is not ((byte)';' or (byte)'\r'))
                    return false;
                _state = c == ';' ? State.Extension : State.SizeLf;
                return true;
            case State.Extension:
                if (c == '\r')
                    _state = State.SizeLf;
                else if ((c < 0x20 && c != '\t') || c >= 0x7F)
                    return false;
                return ++_extensions <= limits.ChunkExtensions;
            case State.SizeLf:
                _state = _left == 0 ? State.Trailers : State.Data;
                _digits = 0;
                return c == '\n';
            case State.DataCr:
                _state = State.DataLf;
                return c == '\r';
            default:
                _state = State.Size;
                return c == '\n';
        }
    }

    private bool Trailer(ReadOnlySpan<byte> line, HeaderList trailers)
    {
        if (++_trailerFields > limits.Fields || !FieldLine.TrySplit(line, out var name, out var value))
            return false;
        trailers.Add(name, value);
        // RFC 9110 section 6.5.1: framing, routing and authentication are decided when trailers come; later ones could only mislead somebody.
        switch (trailers.Known(trailers.Count - 1))
        {
            case KnownHeader.ContentLength or KnownHeader.TransferEncoding or KnownHeader.Host:
                return false;
            case KnownHeader.Connection or KnownHeader.KeepAlive or KnownHeader.ProxyConnection or KnownHeader.Te or KnownHeader.Trailer or KnownHeader.Upgrade
                or KnownHeader.Authorization or KnownHeader.ProxyAuthorization or KnownHeader.Cookie or KnownHeader.SetCookie or KnownHeader.Expect
                or KnownHeader.XForwardedFor or KnownHeader.XForwardedHost or KnownHeader.XForwardedProto or KnownHeader.Forwarded:
                trailers.RemoveLast();
                return true;
            default:
                return true;
        }
    }

    private static int Digit(byte c) => c switch
    {
        >= (byte)'0' and <= (byte)'9' => c - '0',
        >= (byte)'a' and <= (byte)'f' => c - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => c - 'A' + 10,
        _ => -1,
    };
}
