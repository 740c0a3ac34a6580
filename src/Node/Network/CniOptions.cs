namespace Weft.Node.Network;

/// <summary>The pod network of a node: that of containerd's CNI programs and that of <see cref="Netlink.PodNetwork"/>, which share its addresses.</summary>
/// <param name="Name">Names the directory of addresses below <paramref name="IpamDirectory"/>.</param>
internal sealed record CniOptions(string Name, string PodCidr, string IpamDirectory, string CacheDirectory, IReadOnlyList<string> Path, int Mtu);
