using System.Buffers.Binary;

namespace Weft.Proxy.Dns.Wire;

internal enum QueryFault : byte
{
    None,

    /// <summary>Not even an answer is safe: too short to have an id, or itself an answer.</summary>
    Silent,
    Malformed,
    NotImplemented,
    BadVersion,
    Refused,
}

/// <summary>A question as it came. The name is text in a buffer of the caller.</summary>
internal ref struct DnsQuery
{
    private const int MaxAdditionals = 8; // OPT and perhaps a signature; a message with hundreds is made to cost time

    public QueryFault Fault;
    public ReadOnlySpan<char> Name;
    public ushort Type;

    /// <summary>Where the question ends; 12 when it could not be read.</summary>
    public int QuestionEnd;
    public bool HasEdns;

    /// <summary>How large an answer over UDP may be.</summary>
    public int UdpLimit;

    /// <param name="text">At least <see cref="DnsLimits.MaxName"/> characters; the name is in it afterwards.</param>
    public static DnsQuery Read(ReadOnlySpan<byte> message, Span<char> text)
    {
        var query = new DnsQuery { QuestionEnd = DnsLimits.Header, UdpLimit = DnsLimits.PlainUdp };
        query.Fault = query.Parse(message, text);
        return query;
    }

    private QueryFault Parse(ReadOnlySpan<byte> message, Span<char> text)
    {
        if (message.Length < DnsLimits.Header || (message[2] & 0x80) != 0)
            return QueryFault.Silent;
        if ((message[2] & 0x78) != 0)
            return QueryFault.NotImplemented;
        // Exactly one question (RFC 9619), and nothing that only an answer has.
        var additionals = BinaryPrimitives.ReadUInt16BigEndian(message[10..]);
        if (BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1 || BinaryPrimitives.ReadUInt32BigEndian(message[6..]) != 0 || additionals > MaxAdditionals)
            return QueryFault.Malformed;
        if (!DnsName.TryReadPlain(message, DnsLimits.Header, text, out var length, out var wireLength))
            return QueryFault.Malformed;
        var at = DnsLimits.Header + wireLength;
        if (at + 4 > message.Length)
            return QueryFault.Malformed;
        Name = text[..length];
        Type = BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
        var @class = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]);
        QuestionEnd = at + 4;

        var version = 0;
        at = QuestionEnd;
        for (var i = 0; i < additionals; i++)
        {
            if (!RecordHeader.TryRead(message, at, out var record))
                return QueryFault.Malformed;
            at = record.End;
            if (record.Type != RecordType.OPT)
                continue;
            // A second one, or one that belongs to a name, is an error (RFC 6891 section 6.1.1). Options (cookies among them) are not looked at.
            if (HasEdns || record.NameLength != 1)
                return QueryFault.Malformed;
            HasEdns = true;
            UdpLimit = Math.Clamp((int)record.Class, DnsLimits.PlainUdp, DnsLimits.EdnsUdp);
            version = (int)(record.Ttl >> 16) & 0xFF;
        }

        if (at != message.Length)
            return QueryFault.Malformed;
        if (version != 0)
            return QueryFault.BadVersion;
        return @class == DnsLimits.ClassIn && Type is not (RecordType.AXFR or RecordType.IXFR or RecordType.OPT or 0) ? QueryFault.None : QueryFault.Refused;
    }
}

/// <summary>The fixed part of a record in a message.</summary>
internal readonly record struct RecordHeader(int NameLength, ushort Type, ushort Class, uint Ttl, int TtlOffset, int DataOffset, int DataLength)
{
    public int End => DataOffset + DataLength;

    public static bool TryRead(ReadOnlySpan<byte> message, int offset, out RecordHeader record)
    {
        record = default;
        Span<char> text = stackalloc char[DnsLimits.MaxName];
        if (!DnsName.TryRead(message, offset, text, out _, out var at) || at + 10 > message.Length)
            return false;
        var length = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]);
        if (at + 10 + length > message.Length)
            return false;
        record = new(at - offset, BinaryPrimitives.ReadUInt16BigEndian(message[at..]), BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]),
            BinaryPrimitives.ReadUInt32BigEndian(message[(at + 4)..]), at + 4, at + 10, length);
        return true;
    }
}
