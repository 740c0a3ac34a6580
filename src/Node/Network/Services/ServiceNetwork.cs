using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;

namespace Weft.Node.Network.Services;

/// <summary>What the rules of services need to know of this node and its cluster.</summary>
/// <param name="PodCidr">Of this node.</param>
/// <param name="ClusterCidr">Of all nodes.</param>
internal sealed record ServiceNetwork(string ClusterName, string NodeName, string PodCidr, string ClusterCidr, string ServiceCidr)
{
    // A /20 of 4094 addresses: one for each LoadBalancer service.
    private const int PoolBits = 20;

    /// <summary>Addresses of LoadBalancer services: the network that follows the services' own (docs/decisions/0012).</summary>
    public string LoadBalancerPool { get; } = PoolOf(ServiceCidr);

    /// <summary>The `kubernetes` service.</summary>
    public string ApiAddress { get; } = Address(ServiceCidr, 1);

    /// <summary>The cluster's DNS server listens there itself.</summary>
    public string DnsAddress { get; } = Address(ServiceCidr, 10);

    /// <summary>The host end of every pod's link, which the node also keeps when it has no pod.</summary>
    public string Gateway { get; } = HostLink.Gateway(PodCidr);

    /// <summary>
    /// Those of a service's further addresses that it may have at all. Whoever writes services must not take traffic to the cluster's own addresses: other
    /// services', the API server's, the DNS server's, pods', loopback and link-local ones (CVE-2020-8554 is what Kubernetes leaves open of this).
    /// </summary>
    public ImmutableArray<string> Outside(ImmutableArray<string> addresses) => [.. addresses.Where(text => !IsWithin(IPAddress.Parse(text), ["127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8", "224.0.0.0/3", ServiceCidr, ClusterCidr]))];

    /// <summary>Of these again those that are no balancer's: its addresses are given out, not taken.</summary>
    public ImmutableArray<string> Foreign(ImmutableArray<string> addresses) => [.. Outside(addresses).Where(text => !IsWithin(IPAddress.Parse(text), [LoadBalancerPool]))];

    private static bool IsWithin(IPAddress address, ReadOnlySpan<string> ranges)
    {
        foreach (var range in ranges)
        {
            if (IPNetwork.Parse(range).Contains(address))
                return true;
        }
        return false;
    }

    public static string Address(string cidr, uint index) => Text(Number(IPNetwork.Parse(cidr).BaseAddress) + index);

    public static string PoolOf(string serviceCidr)
    {
        var network = IPNetwork.Parse(serviceCidr);
        var size = 1u << (32 - network.PrefixLength);
        return $"{Text(Number(network.BaseAddress) + size)}/{Math.Max(PoolBits, network.PrefixLength)}";
    }

    private static uint Number(IPAddress address) => BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());

    private static string Text(uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new IPAddress(bytes).ToString();
    }
}
