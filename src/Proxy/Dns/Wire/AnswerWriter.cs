using System.Buffers.Binary;
using System.Text;

namespace Weft.Proxy.Dns.Wire;

/// <summary>
/// Writes the answer to one question into a buffer. The question is copied as it came, so that its upper and lower case is kept (draft-vixie-dnsext-dns0x20),
/// and records of the asked name point to it. What does not fit sets TC; nothing is allocated.
/// </summary>
internal ref struct AnswerWriter
{
    private const int OptLength = 11;

    private readonly Span<byte> _to;
    private readonly int _limit;
    private readonly bool _edns;
    private int _at;
    private int _answers, _authorities, _additionals;
    private bool _truncated;

    /// <param name="limit">Octets that the whole answer may have.</param>
    public AnswerWriter(Span<byte> to, ReadOnlySpan<byte> query, in DnsQuery parsed, int limit)
    {
        _to = to;
        _edns = parsed.HasEdns;
        _limit = Math.Min(limit, to.Length) - (_edns ? OptLength : 0);
        query[..parsed.QuestionEnd].CopyTo(to);
        to[2] = (byte)(0x80 | (query[2] & 0x01)); // QR, and RD as asked
        to[3] = 0x80;                             // RA
        to[4..DnsLimits.Header].Clear();
        to[5] = parsed.QuestionEnd > DnsLimits.Header ? (byte)1 : (byte)0;
        _at = parsed.QuestionEnd;
    }

    public readonly bool IsTruncated => _truncated;

    public readonly int Answers => _answers;

    public readonly void SetAuthoritative() => _to[2] |= 0x04;

    /// <summary>An address of the asked name.</summary>
    public bool Address(scoped ReadOnlySpan<byte> address, uint ttl) => Record(address.Length == 4 ? RecordType.A : RecordType.AAAA, ttl, address);

    /// <summary>A record of the asked name.</summary>
    public bool Record(ushort type, uint ttl, scoped ReadOnlySpan<byte> data) => Append(PointerToQuestion, type, ttl, data) && Count(ref _answers);

    /// <summary>A record of another name, given as octets.</summary>
    public bool RecordOf(scoped ReadOnlySpan<byte> owner, ushort type, uint ttl, scoped ReadOnlySpan<byte> data) => Append(owner, type, ttl, data) && Count(ref _answers);

    public bool Service(ushort priority, ushort port, ushort weight, scoped ReadOnlySpan<byte> target, uint ttl)
    {
        Span<byte> data = stackalloc byte[6 + DnsLimits.MaxName];
        BinaryPrimitives.WriteUInt16BigEndian(data, priority);
        BinaryPrimitives.WriteUInt16BigEndian(data[2..], weight);
        BinaryPrimitives.WriteUInt16BigEndian(data[4..], port);
        target.CopyTo(data[6..]); // not compressed (RFC 2782)
        return Record(RecordType.SRV, ttl, data[..(6 + target.Length)]);
    }

    /// <summary>Comes unasked: what does not fit is left out, and that is no truncation (RFC 2181 section 9).</summary>
    public void Additional(scoped ReadOnlySpan<byte> owner, scoped ReadOnlySpan<byte> address, uint ttl)
    {
        var truncated = _truncated;
        if (Append(owner, address.Length == 4 ? RecordType.A : RecordType.AAAA, ttl, address))
            _additionals++;
        _truncated = truncated;
    }

    /// <summary>Says how long "there is no such thing" may be remembered (RFC 2308).</summary>
    public void Authority(scoped ReadOnlySpan<byte> zone, scoped ReadOnlySpan<byte> soa, uint ttl)
    {
        if (Append(zone, RecordType.SOA, ttl, soa))
            _authorities++;
    }

    /// <returns>Octets of the answer.</returns>
    public int Finish(int rcode)
    {
        _to[3] = (byte)((_to[3] & 0xF0) | (rcode & 0x0F));
        if (_truncated)
            _to[2] |= 0x02;
        BinaryPrimitives.WriteUInt16BigEndian(_to[6..], (ushort)_answers);
        BinaryPrimitives.WriteUInt16BigEndian(_to[8..], (ushort)_authorities);
        BinaryPrimitives.WriteUInt16BigEndian(_to[10..], (ushort)(_additionals + (_edns ? 1 : 0)));
        return _edns ? AppendOpt(_to, _at, rcode) : _at;
    }

    /// <summary>An OPT record of this server at the end of a message; returns the new end.</summary>
    public static int AppendOpt(Span<byte> to, int at, int rcode)
    {
        to.Slice(at, OptLength).Clear();
        to[at + 2] = (byte)RecordType.OPT;
        BinaryPrimitives.WriteUInt16BigEndian(to[(at + 3)..], DnsLimits.EdnsUdp);
        to[at + 5] = (byte)(rcode >> 4);
        return at + OptLength;
    }

    private static ReadOnlySpan<byte> PointerToQuestion => [0xC0, DnsLimits.Header];

    private static bool Count(ref int counter)
    {
        counter++;
        return true;
    }

    private bool Append(scoped ReadOnlySpan<byte> owner, ushort type, uint ttl, scoped ReadOnlySpan<byte> data)
    {
        if (_truncated || _at + owner.Length + 10 + data.Length > _limit)
        {
            _truncated = true;
            return false;
        }

        owner.CopyTo(_to[_at..]);
        _at += owner.Length;
        BinaryPrimitives.WriteUInt16BigEndian(_to[_at..], type);
        BinaryPrimitives.WriteUInt16BigEndian(_to[(_at + 2)..], DnsLimits.ClassIn);
        BinaryPrimitives.WriteUInt32BigEndian(_to[(_at + 4)..], ttl);
        BinaryPrimitives.WriteUInt16BigEndian(_to[(_at + 8)..], (ushort)data.Length);
        data.CopyTo(_to[(_at + 10)..]);
        _at += 10 + data.Length;
        return true;
    }
}
