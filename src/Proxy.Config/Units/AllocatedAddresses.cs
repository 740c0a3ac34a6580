using System.Net;

namespace Weft.Proxy.Config.Units;

/// <summary>The range from which hosts without addresses are given one each, for the clients of the mesh alone. Nobody has such an address anywhere (RFC 1112, section 4); Istio takes the same range.</summary>
public static class AllocatedAddresses
{
    public static readonly IPNetwork Range = IPNetwork.Parse("240.240.0.0/16");

    /// <param name="address">Not an IPv4 address in IPv6's clothes.</param>
    public static bool Contains(IPAddress address) => Range.Contains(address);
}
