using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Weft.Cli.Clusters;

/// <summary>
/// The IPv4 networks that this machine has a way to, and its own addresses, each as a network of one. A cluster of a machine without a pod yet has no route to its pods, only the
/// node's address among them.
/// </summary>
internal static class MachineNetworks
{
    internal static IReadOnlyList<IPNetwork> Read() => [.. AddressPlan.Routes(File.ReadLines("/proc/net/route")), .. Addresses()];

    internal static IEnumerable<IPNetwork> Addresses() => NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(link => link.GetIPProperties().UnicastAddresses)
        .Where(unicast => unicast.Address.AddressFamily == AddressFamily.InterNetwork)
        .Select(unicast => new IPNetwork(unicast.Address, 32));
}
