using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Weft.Proxy.Routing.Matching;

/// <summary>A set of address ranges (`10.0.0.0/8`, `2001:db8::/32`, `10.1.2.3`), asked without allocating. IPv4 in IPv6's form is IPv4.</summary>
internal sealed class AddressRanges
{
    private readonly (UInt128 First, UInt128 Last)[] _ranges;

    /// <exception cref="FormatException">A text is no range.</exception>
    public AddressRanges(IEnumerable<string> ranges) => _ranges = [.. ranges.Select(Parse)];

    public bool IsEmpty => _ranges.Length == 0;

    public bool Contains(IPAddress address)
    {
        var number = Number(address);
        foreach (var (first, last) in _ranges)
        {
            if (number >= first && number <= last)
                return true;
        }

        return false;
    }

    /// <summary>In place of the exception.</summary>
    public static bool IsRange(string text)
    {
        var slash = text.IndexOf('/');
        return slash < 0 ? IPAddress.TryParse(text, out _) : IPAddress.TryParse(text.AsSpan(0, slash), out var address)
            && int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, provider: null, out var bits)
            && bits <= (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
    }

    private static (UInt128 First, UInt128 Last) Parse(string text)
    {
        if (!IsRange(text))
            throw new FormatException($"'{text}' is no address range");
        var parts = text.Split('/');
        var address = IPAddress.Parse(parts[0]);
        var width = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var free = parts.Length == 1 ? 0 : width - int.Parse(parts[1]);
        // Bits below the prefix do not count: `10.1.2.3/8` is `10.0.0.0/8`.
        var mask = free == 128 ? UInt128.MaxValue : (UInt128.One << free) - 1;
        var number = Number(address);
        return (number & ~mask, number | mask);
    }

    private static UInt128 Number(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            address.TryWriteBytes(bytes[12..], out _);
            bytes[..10].Clear();
            (bytes[10], bytes[11]) = (0xFF, 0xFF);
        }
        else
        {
            address.TryWriteBytes(bytes, out _);
        }

        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
