using System.Buffers.Binary;
using System.Net;
using System.Text;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Tests.Dns;

/// <summary>Queries as a client writes them, and answers as it reads them.</summary>
internal static class Ask
{
    public static byte[] Query(string name, ushort type, ushort id = 7, int? edns = null)
    {
        var message = new List<byte> { (byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, (byte)(edns is null ? 0 : 1) };
        foreach (var label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            message.Add((byte)label.Length);
            message.AddRange(Encoding.ASCII.GetBytes(label));
        }

        message.AddRange([0, (byte)(type >> 8), (byte)type, 0, 1]);
        if (edns is { } size)
            message.AddRange([0, 0, (byte)RecordType.OPT, (byte)(size >> 8), (byte)size, 0, 0, 0, 0, 0, 0]);
        return [.. message];
    }

    public static Reply Read(ReadOnlySpan<byte> message)
    {
        var at = 12;
        Span<char> text = stackalloc char[DnsLimits.MaxName];
        var name = "";
        if (BinaryPrimitives.ReadUInt16BigEndian(message[4..]) == 1)
        {
            Assert.True(DnsName.TryRead(message, 12, text, out _, out at));
            name = Encoding.ASCII.GetString(message[12..at]);
            at += 4;
        }

        var sections = new List<string>[3];
        for (var s = 0; s < 3; s++)
        {
            sections[s] = [];
            for (var i = 0; i < BinaryPrimitives.ReadUInt16BigEndian(message[(6 + 2 * s)..]); i++)
            {
                Assert.True(RecordHeader.TryRead(message, at, out var record));
                Assert.True(DnsName.TryRead(message, at, text, out var length, out _));
                if (record.Type != RecordType.OPT)
                    sections[s].Add($"{text[..length]} {record.Ttl} {Data(message, record)}");
                at = record.End;
            }
        }

        Assert.Equal(message.Length, at);
        return new(BinaryPrimitives.ReadUInt16BigEndian(message), message[3] & 0x0F, (message[2] & 4) != 0, (message[2] & 2) != 0, name, sections[0], sections[1], sections[2]);
    }

    private static string Data(ReadOnlySpan<byte> message, RecordHeader record)
    {
        Span<char> text = stackalloc char[DnsLimits.MaxName];
        var data = message[record.DataOffset..record.End];
        switch (record.Type)
        {
            case RecordType.A or RecordType.AAAA:
                return new IPAddress(data).ToString();
            case RecordType.SRV:
                Assert.True(DnsName.TryRead(message, record.DataOffset + 6, text, out var target, out _));
                var priority = BinaryPrimitives.ReadUInt16BigEndian(data);
                return $"SRV {(priority > 0 ? $"p{priority} " : "")}{BinaryPrimitives.ReadUInt16BigEndian(data[2..])} {BinaryPrimitives.ReadUInt16BigEndian(data[4..])} {text[..target]}";
            case RecordType.CNAME or RecordType.PTR or RecordType.NS or RecordType.SOA:
                Assert.True(DnsName.TryRead(message, record.DataOffset, text, out var length, out _));
                return $"{record.Type switch { RecordType.CNAME => "CNAME", RecordType.PTR => "PTR", RecordType.NS => "NS", _ => "SOA" }} {text[..length]}";
            default:
                return $"{record.Type} {Convert.ToHexString(data)}";
        }
    }
}

internal sealed record Reply(ushort Id, int Rcode, bool Authoritative, bool Truncated, string QuestionOctets, List<string> Answers, List<string> Authorities, List<string> Additionals);
