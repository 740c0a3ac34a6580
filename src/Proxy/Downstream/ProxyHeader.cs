using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Downstream;

internal enum ProxyHeaderResult { Incomplete, Done, Failed }

/// <summary>
/// HAProxy's PROXY protocol, versions 1 and 2: a balancer in front tells whose connection it is. Read whole before anything else is; what is not exactly one is refused,
/// since whoever may write it may claim any address.
/// </summary>
internal static class ProxyHeader
{
    /// <summary>Version 1 with the longest addresses is 107 bytes.</summary>
    private const int MaxLine = 107;

    // Addresses and a few TLVs; the specification allows 64 KB.
    private const int MaxBinary = 4096;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <param name="source">Null: the balancer speaks for itself (LOCAL, UNKNOWN): the connection's own addresses hold.</param>
    public static ProxyHeaderResult Read(ReadOnlySpan<byte> data, out IPEndPoint? source, out IPEndPoint? destination, out int consumed)
    {
        (source, destination, consumed) = (null, null, 0);
        var known = Math.Min(data.Length, Signature.Length);
        if (data[..known].SequenceEqual(Signature[..known]))
            return data.Length < 16 ? ProxyHeaderResult.Incomplete : ReadBinary(data, out source, out destination, out consumed);
        known = Math.Min(data.Length, 6);
        return data[..known].SequenceEqual("PROXY "u8[..known]) ? ReadLine(data, out source, out destination, out consumed) : ProxyHeaderResult.Failed;
    }

    /// <summary>What is said in front of a connection; of a client that is not known, that this proxy speaks for itself.</summary>
    public static byte[] Of(ProxyProtocolVersion version, IPEndPoint? source, IPEndPoint? destination)
    {
        if (source is null || destination is null)
            return version == ProxyProtocolVersion.V1 ? "PROXY UNKNOWN\r\n"u8.ToArray() : [.. Signature, 0x20, 0, 0, 0];
        return version == ProxyProtocolVersion.V1 ? Line(source.Plain(), destination.Plain()) : Binary(source.Plain(), destination.Plain());
    }

    /// <summary>Takes the header from the beginning of a connection, which has the client's address from then on. What is none ends the connection.</summary>
    /// <param name="destination">As the header says it.</param>
    /// <param name="used">Bytes that are done with.</param>
    /// <returns>False: it is not read, yet or ever.</returns>
    public static bool TryTake(Connection connection, ReadOnlySpan<byte> data, out IPEndPoint? destination, out int used)
    {
        switch (Read(data, out var source, out destination, out used))
        {
            case ProxyHeaderResult.Incomplete:
                used = 0;
                return false;
            case ProxyHeaderResult.Failed:
                connection.Abort();
                used = data.Length;
                return false;
            default:
                connection.Peer = source ?? connection.Peer;
                return true;
        }
    }

    public static byte[] Line(IPEndPoint source, IPEndPoint destination)
    {
        if (source.AddressFamily != destination.AddressFamily)
            return "PROXY UNKNOWN\r\n"u8.ToArray();
        var family = source.AddressFamily == AddressFamily.InterNetwork ? "TCP4" : "TCP6";
        return Encoding.ASCII.GetBytes($"PROXY {family} {source.Address} {destination.Address} {source.Port} {destination.Port}\r\n");
    }

    public static byte[] Binary(IPEndPoint source, IPEndPoint destination)
    {
        if (source.AddressFamily != destination.AddressFamily)
            return [.. Signature, 0x20, 0, 0, 0];
        var (from, to) = (source.Address.GetAddressBytes(), destination.Address.GetAddressBytes());
        var header = new byte[16 + (2 * from.Length) + 4];
        Signature.CopyTo(header);
        header[12] = 0x21;
        header[13] = (byte)(from.Length == 4 ? 0x11 : 0x21);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(14), (ushort)(header.Length - 16));
        from.CopyTo(header, 16);
        to.CopyTo(header, 16 + from.Length);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(header.Length - 4), (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(header.Length - 2), (ushort)destination.Port);
        return header;
    }

    // A socket for both families has IPv4 addresses in the form of IPv6.

    private static ProxyHeaderResult ReadBinary(ReadOnlySpan<byte> data, out IPEndPoint? source, out IPEndPoint? destination, out int consumed)
    {
        (source, destination, consumed) = (null, null, 0);
        var length = BinaryPrimitives.ReadUInt16BigEndian(data[14..]);
        if (data[12] is not (0x20 or 0x21) || length > MaxBinary)
            return ProxyHeaderResult.Failed;
        if (data.Length < 16 + length)
            return ProxyHeaderResult.Incomplete;
        consumed = 16 + length;
        if (data[12] == 0x20)
            return ProxyHeaderResult.Done;
        var size = data[13] switch { 0x11 => 4, 0x21 => 16, _ => 0 };
        var body = data.Slice(16, length);
        if (size == 0 || body.Length < (2 * size) + 4)
            return ProxyHeaderResult.Failed;
        source = new(new IPAddress(body[..size]), BinaryPrimitives.ReadUInt16BigEndian(body[(2 * size)..]));
        destination = new(new IPAddress(body.Slice(size, size)), BinaryPrimitives.ReadUInt16BigEndian(body[((2 * size) + 2)..]));
        return ProxyHeaderResult.Done;
    }

    private static ProxyHeaderResult ReadLine(ReadOnlySpan<byte> data, out IPEndPoint? source, out IPEndPoint? destination, out int consumed)
    {
        (source, destination, consumed) = (null, null, 0);
        var end = data[..Math.Min(data.Length, MaxLine)].IndexOf("\r\n"u8);
        if (end < 0)
            return data.Length >= MaxLine ? ProxyHeaderResult.Failed : ProxyHeaderResult.Incomplete;
        consumed = end + 2;
        var line = Encoding.ASCII.GetString(data[..end]);
        if (line == "PROXY UNKNOWN" || line.StartsWith("PROXY UNKNOWN ", StringComparison.Ordinal))
            return ProxyHeaderResult.Done;
        var parts = line.Split(' ');
        var family = parts[1] switch { "TCP4" => AddressFamily.InterNetwork, "TCP6" => AddressFamily.InterNetworkV6, _ => AddressFamily.Unknown };
        if (parts.Length != 6 || !TryAddress(parts[2], family, out var from) || !TryAddress(parts[3], family, out var to)
            || !TryPort(parts[4], out var fromPort) || !TryPort(parts[5], out var toPort))
            return ProxyHeaderResult.Failed;
        (source, destination) = (new(from, fromPort), new(to, toPort));
        return ProxyHeaderResult.Done;
    }

    // IPAddress.TryParse takes `1`, `0x7f.1`, `[::1]:80` and `fe80::1%lo` for addresses, too.
    private static bool TryAddress(string text, AddressFamily family, out IPAddress address) =>
        IPAddress.TryParse(text, out address!) && address.AddressFamily == family
        && (family == AddressFamily.InterNetwork ? address.ToString() == text : !text.AsSpan().ContainsAny('[', ']', '%'));

    private static bool TryPort(string text, out ushort port) => ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port);
}
