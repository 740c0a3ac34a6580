using System.Net;

namespace Weft.Proxy.Transport;

/// <summary>A socket of both families shows an IPv4 address in IPv6's form (RFC 4291 section 2.5.5.2): for look-ups and texts it is the IPv4 address.</summary>
internal static class PlainAddresses
{
    public static IPAddress Plain(this IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    public static IPEndPoint Plain(this IPEndPoint point) => point.Address.IsIPv4MappedToIPv6 ? new(point.Address.MapToIPv4(), point.Port) : point;
}
