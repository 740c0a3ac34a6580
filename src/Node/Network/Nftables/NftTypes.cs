using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Weft.Node.Network.Nftables;

/// <summary>Types of a set's key or of a map's data, in nft's words, and their bytes: each part of a concatenation takes a register of four.</summary>
internal static class NftTypes
{
    public const string Address = "ipv4_addr", Protocol = "inet_proto", Port = "inet_service", Index = "integer";

    // Numbers and bits of enum datatypes in nft: they tell `nft list` how to print a set.
    private const uint AddressType = 7, ProtocolType = 12, PortType = 13, IndexType = 4;
    private const int TypeBits = 6;

    /// <returns>The type as a number; 0 for one that is not known.</returns>
    public static uint Number(IReadOnlyList<string> parts)
    {
        uint number = 0;
        foreach (var part in parts)
        {
            uint one = part switch { Address => AddressType, Protocol => ProtocolType, Port => PortType, Index => IndexType, _ => 0 };
            if (one == 0)
                return 0;
            number = number << TypeBits | one;
        }
        return number;
    }

    /// <summary>Length of the key or data; the last part, too, is padded when there are several.</summary>
    public static uint Length(IReadOnlyList<string> parts) => parts is [var only] ? Size(only) : 4 * (uint)parts.Count;

    /// <summary>Reads `a . b . c`.</summary>
    /// <returns>False: the words are not of these types.</returns>
    public static bool TryRead(ref NftWords words, IReadOnlyList<string> parts, Span<byte> to, out int length)
    {
        length = (int)Length(parts);
        to[..length].Clear();
        for (var i = 0; i < parts.Count; i++)
        {
            if ((i > 0 && !words.Skip(".")) || !TryRead(words.Next(), parts[i], to[(4 * i)..]))
                return false;
        }
        return true;
    }

    public static bool TryRead(string word, string type, Span<byte> to)
    {
        switch (type)
        {
            case Address:
                return IPAddress.TryParse(word, out var address) && address.AddressFamily == AddressFamily.InterNetwork && address.TryWriteBytes(to, out _);
            case Protocol:
                to[0] = ProtocolNumber(word);
                return to[0] != 0;
            case Port when ushort.TryParse(word, out var port):
                BinaryPrimitives.WriteUInt16BigEndian(to, port);
                return true;
            case Index when uint.TryParse(word, out var index):
                System.Runtime.InteropServices.MemoryMarshal.Write(to, index);   // as numgen puts it into a register: in the machine's order
                return true;
            default:
                return false;
        }
    }

    public static byte ProtocolNumber(string word) => word switch { "tcp" => 6, "udp" => 17, _ => 0 };

    private static uint Size(string part) => part switch { Protocol => 1, Port => 2, _ => 4 };
}
