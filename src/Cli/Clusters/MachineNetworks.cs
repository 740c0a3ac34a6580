using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text.Json;

namespace Weft.Cli.Clusters;

/// <summary>The IPv4 networks that a new cluster must leave alone.</summary>
internal static class MachineNetworks
{
    /// <summary>
    /// Those that this machine has a way to, its own addresses, each as a network of one (a cluster without a pod yet has no route to its pods, only the node's address among them), and
    /// those of clusters that are down.
    /// </summary>
    internal static IReadOnlyList<IPNetwork> Read() => [.. AddressPlan.Routes(File.ReadLines("/proc/net/route")), .. Addresses(), .. OfClusters(ClusterPaths.UsualPlace)];

    internal static IEnumerable<IPNetwork> Addresses() => NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(link => link.GetIPProperties().UnicastAddresses)
        .Where(unicast => unicast.Address.AddressFamily == AddressFamily.InterNetwork)
        .Select(unicast => new IPNetwork(unicast.Address, 32));

    /// <summary>What the clusters below <paramref name="place"/> were made with: they cannot change it, and come up again with it.</summary>
    internal static IEnumerable<IPNetwork> OfClusters(string place) => Directory.Exists(place)
        ? Directory.EnumerateDirectories(place, "weft*").Select(data => Settings(Path.Combine(data, "cluster.json"))).OfType<ClusterSettings>()
            .SelectMany(made => new[] { IPNetwork.Parse(made.PodCidr), IPNetwork.Parse(made.ServiceCidr) })
        : [];

    // One that this program cannot read says nothing here: its own `up` tells why.
    private static ClusterSettings? Settings(string file)
    {
        try
        {
            return ClusterSettings.Load(file) is { } made && IPNetwork.TryParse(made.PodCidr, out _) && IPNetwork.TryParse(made.ServiceCidr, out _) ? made : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException or InvalidDataException)
        {
            return null;
        }
    }
}
