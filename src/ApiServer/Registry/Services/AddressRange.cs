using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Weft.ApiServer.Registry.Services;

/// <summary>A range of IPv4 addresses from which services get theirs, without its network and broadcast address.</summary>
internal sealed record AddressRange(string Cidr, uint First, uint Last)
{
    public static AddressRange Parse(string cidr)
    {
        var slash = cidr.IndexOf('/');
        if (slash > 0 && IPAddress.TryParse(cidr.AsSpan(0, slash), out var address) && address.AddressFamily == AddressFamily.InterNetwork
            && int.TryParse(cidr.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var bits) && bits is >= 8 and <= 29)
        {
            var network = ToNumber(address) & ~(uint.MaxValue >> bits);
            return new AddressRange(cidr, network + 1, (network | uint.MaxValue >> bits) - 1);
        }
        throw new ArgumentException($"service range '{cidr}' must be an IPv4 range of /8 to /29, such as 10.96.0.0/16", nameof(cidr));
    }

    public long Size => (long)Last - First + 1;

    /// <summary>
    /// The low end is left to addresses that people choose (10.96.0.10), so that they are still free when asked for: KEP-3070's band of a sixteenth, 16 to 256.
    /// </summary>
    public uint FirstDynamic => First + (uint)Math.Clamp(Size / 16, Math.Min(16, Size / 2), 256);

    public bool Contains(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork && ToNumber(address) is var number && number >= First && number <= Last;

    public static string Text(uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new IPAddress(bytes).ToString();
    }

    private static uint ToNumber(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }
}
