using System.Buffers.Binary;
using System.Collections.Immutable;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Dns.Forwarding;

/// <summary>A record of an answer whose names were written out.</summary>
internal readonly record struct ChasedRecord(byte[] Owner, ushort Type, uint Ttl, byte[] Data);

/// <summary>What a resolver has answered to one question, checked once, ready to be sent to whoever asks it again.</summary>
/// <param name="Message">Header, question and records, without OPT.</param>
/// <param name="TtlOffsets">Where the records' TTLs are, so that they can count down.</param>
/// <param name="Life">How long it may be given again; zero: to those alone who wait now.</param>
internal sealed record UpstreamAnswer(byte[] Message, ImmutableArray<int> TtlOffsets, int QuestionEnd, TimeSpan Life)
{
    // A client must see a change within an hour, however long its owner allows; what is "not there" may come soon.
    private const uint MaxTtl = 3600, MaxNegativeTtl = 30;

    /// <summary>A server in trouble is not asked the same again at once (RFC 9520 section 3.2: at least a second).</summary>
    private const uint FailureTtl = 1;
    private const int MaxRecords = 2000;

    public int Rcode => Message[3] & 0x0F;

    /// <summary>Null when the octets are no answer that may be believed or passed on.</summary>
    public static UpstreamAnswer? Read(ReadOnlySpan<byte> message, int questionEnd)
    {
        if (message.Length < questionEnd)
            return null;
        var counts = (Answers: BinaryPrimitives.ReadUInt16BigEndian(message[6..]), Authorities: BinaryPrimitives.ReadUInt16BigEndian(message[8..]), Additionals: BinaryPrimitives.ReadUInt16BigEndian(message[10..]));
        var total = counts.Answers + counts.Authorities + counts.Additionals;
        if (total > MaxRecords)
            return null;

        var ttls = ImmutableArray.CreateBuilder<int>();
        var (at, end, additionals) = (questionEnd, questionEnd, 0);
        var (lowest, negative) = (MaxTtl, MaxNegativeTtl);
        var sawOpt = false;
        for (var i = 0; i < total; i++)
        {
            if (!RecordHeader.TryRead(message, at, out var record))
                return null;
            at = record.End;
            // OPT belongs to the way between two servers. What comes after it is additional, and left out with it.
            sawOpt |= record.Type == RecordType.OPT;
            if (sawOpt)
                continue;
            end = record.End;
            ttls.Add(record.TtlOffset);
            additionals += i >= counts.Answers + counts.Authorities ? 1 : 0;
            if (i < counts.Answers)
                lowest = Math.Min(lowest, record.Ttl);
            else if (record.Type == RecordType.SOA && record.DataLength >= 22)
                negative = Math.Min(negative, Math.Min(record.Ttl, BinaryPrimitives.ReadUInt32BigEndian(message[(record.End - 4)..])));
        }

        if (at != message.Length)
            return null;
        var kept = message[..end].ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(kept.AsSpan(10), (ushort)additionals);
        var life = (kept[3] & 0x0F) switch
        {
            Wire.Rcode.NoError when counts.Answers > 0 => lowest,
            Wire.Rcode.NoError or Wire.Rcode.NxDomain => negative,
            _ => FailureTtl,
        };
        return new(kept, ttls.ToImmutable(), questionEnd, TimeSpan.FromSeconds(life));
    }

    /// <summary>Writes it as the answer to a query: id, flags and spelling of the asker, TTLs that have counted down.</summary>
    /// <param name="age">Since it came.</param>
    /// <returns>Octets written.</returns>
    public int Write(Span<byte> to, ReadOnlySpan<byte> query, in DnsQuery parsed, int limit, TimeSpan age)
    {
        var opt = parsed.HasEdns ? 11 : 0;
        var length = Message.Length;
        var truncated = length + opt > Math.Min(limit, to.Length);
        if (truncated)
            length = QuestionEnd;
        Message.AsSpan(0, length).CopyTo(to);
        query[..2].CopyTo(to);
        query[DnsLimits.Header..parsed.QuestionEnd].CopyTo(to[DnsLimits.Header..]);
        to[2] = (byte)(0x80 | (query[2] & 0x01) | (truncated ? 0x02 : 0));
        to[3] = (byte)(0x80 | Rcode); // AD goes: nobody here has checked it
        if (truncated)
            to[6..DnsLimits.Header].Clear();
        else
            CountDown(to, age);
        if (!parsed.HasEdns)
            return length;
        BinaryPrimitives.WriteUInt16BigEndian(to[10..], (ushort)(BinaryPrimitives.ReadUInt16BigEndian(to[10..]) + 1));
        return AnswerWriter.AppendOpt(to, length, 0);
    }

    /// <summary>The records of the answer section that lead on from an alias: further aliases and addresses, names written out.</summary>
    public IEnumerable<ChasedRecord> Chase(TimeSpan age)
    {
        var records = new List<ChasedRecord>();
        Span<char> text = stackalloc char[DnsLimits.MaxName];
        var at = QuestionEnd;
        for (var i = 0; i < BinaryPrimitives.ReadUInt16BigEndian(Message.AsSpan(6)); i++)
        {
            if (!RecordHeader.TryRead(Message, at, out var record) || !DnsName.TryRead(Message, at, text, out var length, out _))
                break;
            at = record.End;
            var owner = DnsName.ToWire(text[..length].ToString());
            var ttl = Remaining(record.Ttl, age);
            if (record.Type is RecordType.A or RecordType.AAAA)
                records.Add(new(owner, record.Type, ttl, Message[record.DataOffset..record.End]));
            else if (record.Type == RecordType.CNAME && DnsName.TryRead(Message, record.DataOffset, text, out length, out _))
                records.Add(new(owner, record.Type, ttl, DnsName.ToWire(text[..length].ToString())));
        }

        return records;
    }

    private void CountDown(Span<byte> message, TimeSpan age)
    {
        foreach (var offset in TtlOffsets)
            BinaryPrimitives.WriteUInt32BigEndian(message[offset..], Remaining(BinaryPrimitives.ReadUInt32BigEndian(message[offset..]), age));
    }

    private static uint Remaining(uint ttl, TimeSpan age)
    {
        // Above 2^31 it means zero (RFC 2181 section 8).
        var from = ttl > int.MaxValue ? 0 : Math.Min(ttl, MaxTtl);
        var passed = (uint)Math.Max(0, age.TotalSeconds);
        return from > passed ? from - passed : 0;
    }
}
