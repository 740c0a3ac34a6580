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
    /// those of clusters that are down or not that far yet.
    /// </summary>
    internal static IReadOnlyList<IPNetwork> Read() => [.. AddressPlan.Routes(File.ReadLines("/proc/net/route")), .. Addresses(), .. OfClusters(ClusterPaths.UsualPlace, ClusterPaths.RunPlace)];

    internal static IEnumerable<IPNetwork> Addresses() => NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(link => link.GetIPProperties().UnicastAddresses)
        .Where(unicast => unicast.Address.AddressFamily == AddressFamily.InterNetwork)
        .Select(unicast => new IPNetwork(unicast.Address, 32));

    /// <summary>
    /// What clusters were made with, or told at the join: they cannot change it, and come up again with it. Below <paramref name="data"/> are those with their data in the usual place, below
    /// <paramref name="run"/> those of this network namespace that are up or on their way, wherever their data is (<see cref="Note"/>).
    /// </summary>
    internal static IEnumerable<IPNetwork> OfClusters(string data, string run) =>
    [
        .. Files(data, "cluster.json").Concat(Files(run, NoteName)).SelectMany(OfCluster),
        .. Files(data, "agent.json").SelectMany(file => Networks(file, path => AgentSettings.Load(path) is { } joined ? [joined.ClusterCidr, joined.ServiceCidr] : [])),
    ];

    /// <summary>Tells other clusters what this one has chosen, until its run directory goes with `down`.</summary>
    internal static void Note(ClusterSettings settings, string runDir) => settings.Save(Path.Combine(runDir, NoteName));

    /// <summary>Another cluster of this network namespace that is up with a network of this one's: they were made while they could not know of each other. Null: none.</summary>
    internal static string? HolderOf(ClusterSettings settings, string run, string ownRunDir)
    {
        IPNetwork[] own = [IPNetwork.Parse(settings.PodCidr), IPNetwork.Parse(settings.ServiceCidr)];
        var holder = Files(run, NoteName).FirstOrDefault(file => Path.GetDirectoryName(file) != ownRunDir && OfCluster(file).Any(other => own.Any(network => AddressPlan.Overlap(network, other))));
        return holder is null ? null : ClusterPaths.NameOf(Path.GetDirectoryName(holder)!);
    }

    private static string NoteName => $"cluster.{NetworkChoice.Namespace()}.json";

    private static IEnumerable<string> Files(string place, string name) =>
        Directory.Exists(place) ? Directory.EnumerateDirectories(place, "weft*").Select(directory => Path.Combine(directory, name)) : [];

    private static IEnumerable<IPNetwork> OfCluster(string file) => Networks(file, path => ClusterSettings.Load(path) is { } made ? [made.PodCidr, made.ServiceCidr] : []);

    // A file that this program cannot read says nothing here: its own cluster's `up` tells why.
    private static IEnumerable<IPNetwork> Networks(string file, Func<string, IEnumerable<string?>> read)
    {
        try
        {
            return [.. read(file).Select(text => IPNetwork.TryParse(text, out var network) ? network : (IPNetwork?)null).OfType<IPNetwork>()];
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException or InvalidDataException)
        {
            return [];
        }
    }
}
