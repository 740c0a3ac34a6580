using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weft.Proxy.Mesh.Hbone;

/// <summary>The source's address in a CONNECT (RFC 7239): `for=10.244.0.7`, `for="[fd00::7]"`. One element with one parameter, as this program writes it.</summary>
internal static class ForwardedFor
{
    private static ReadOnlySpan<byte> Prefix => "for="u8;

    public static byte[] Write(IPAddress address) =>
        Encoding.ASCII.GetBytes(address.AddressFamily == AddressFamily.InterNetworkV6 ? $"for=\"[{address}]\"" : $"for={address}");

    /// <returns>Null: it is anything else.</returns>
    public static IPAddress? Read(ReadOnlySpan<byte> value)
    {
        if (!value.StartsWith(Prefix))
            return null;
        var node = value[Prefix.Length..];
        var isV6 = node.Length > 4 && node.StartsWith("\"["u8) && node.EndsWith("]\""u8);
        if (isV6)
            node = node[2..^2];
        // No port and no scope, and one spelling only: what is compared with addresses of pods has to be one itself.
        return IPAddress.TryParse(Encoding.ASCII.GetString(node), out var address) && Write(address).AsSpan().SequenceEqual(value) ? address : null;
    }
}
