using System.Diagnostics;
using System.Globalization;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using System.Text;
using Weft.Cli.Clusters;

namespace Weft.Cli.Nodes;

/// <summary>
/// The network between the nodes of one machine: a namespace with a bridge in it plays the switch, and each node, the machine among them, has one
/// cable to it. The bridge is not on the machine itself, because there its packets would go through the machine's own firewall (br_netfilter).
/// </summary>
public static class LocalNetwork
{
    /// <summary>Numbers of nodes are last bytes of addresses; 1 is the machine.</summary>
    public const int MaxNodes = 50;

    public static string SwitchNamespace(ClusterPaths paths) => $"weft-{paths.Name}.sw";

    public static string NodeNamespace(ClusterPaths paths, int number) => FormattableString.Invariant($"weft-{paths.Name}.{number}");

    public static string NamespacePath(string name) => Path.Combine("/run/netns", name);

    /// <summary>An interface's name has at most 15 characters, a cluster's name up to 20.</summary>
    public static string HostLink(ClusterPaths paths) => "weft" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(paths.Name)))[..8];

    /// <summary>Commands of `ip -batch` for the switch and the machine's own cable. Pure.</summary>
    public static IReadOnlyList<string> SwitchCommands(ClusterPaths paths, string linkCidr, int mtu)
    {
        var (ns, link) = (SwitchNamespace(paths), HostLink(paths));
        return
        [
            $"-n {ns} link add br0 type bridge",
            $"-n {ns} link set br0 mtu {Text(mtu)} up",
            $"-n {ns} link set lo up",
            $"link add {link} mtu {Text(mtu)} type veth peer name n1 mtu {Text(mtu)} netns {ns}",
            $"-n {ns} link set n1 master br0 up",
            $"addr add {AddressPlan.Host(linkCidr, 1)}/24 dev {link}",
            $"link set {link} up",
        ];
    }

    /// <summary>The same for a node. Pure.</summary>
    public static IReadOnlyList<string> NodeCommands(ClusterPaths paths, int number, string linkCidr, int mtu)
    {
        var (sw, ns) = (SwitchNamespace(paths), NodeNamespace(paths, number));
        return
        [
            $"-n {ns} link set lo up",
            $"-n {ns} link add eth0 mtu {Text(mtu)} type veth peer name n{Text(number)} mtu {Text(mtu)} netns {sw}",
            $"-n {sw} link set n{Text(number)} master br0 up",
            $"-n {ns} addr add {AddressPlan.Host(linkCidr, (byte)number)}/24 dev eth0",
            $"-n {ns} link set eth0 up",
            $"-n {ns} route add default via {AddressPlan.Host(linkCidr, 1)}",
        ];
    }

    /// <summary>Makes what is not there yet. What an earlier try made in half is made anew.</summary>
    /// <exception cref="IOException">ip refused; its reason.</exception>
    public static async Task EnsureAsync(ClusterPaths paths, string linkCidr, int nodes, CancellationToken cancellationToken)
    {
        var mtu = await MtuAsync(cancellationToken);
        if (!HasLink(HostLink(paths)) || !File.Exists(NamespacePath(SwitchNamespace(paths))))
        {
            await RemoveAsync(paths, cancellationToken);
            await AddAsync(SwitchNamespace(paths), SwitchCommands(paths, linkCidr, mtu), cancellationToken);
        }

        for (var number = 2; number <= nodes; number++)
        {
            if (!File.Exists(NamespacePath(NodeNamespace(paths, number))))
                await AddAsync(NodeNamespace(paths, number), NodeCommands(paths, number, linkCidr, mtu), cancellationToken);
        }
    }

    /// <summary>With the namespaces go bridge, cables, addresses and routes.</summary>
    public static async Task RemoveAsync(ClusterPaths paths, CancellationToken cancellationToken)
    {
        foreach (var name in Namespaces(paths))
            await IpAsync(["netns", "del", name], cancellationToken);
        // The peer goes with the switch's namespace, but the kernel takes its time with that.
        if (!HasLink(HostLink(paths)))
            return;
        try
        {
            await IpAsync(["link", "del", HostLink(paths)], cancellationToken);
        }
        catch (IOException) when (!HasLink(HostLink(paths)))
        {
            // It went between the look and the command.
        }
    }

    public static IReadOnlyList<string> Namespaces(ClusterPaths paths) => Directory.Exists("/run/netns")
        ? [.. Directory.EnumerateFiles("/run/netns").Select(path => Path.GetFileName(path)!).Where(name => name.StartsWith($"weft-{paths.Name}.", StringComparison.Ordinal)).Order(StringComparer.Ordinal)]
        : [];

    private static async Task AddAsync(string name, IReadOnlyList<string> commands, CancellationToken cancellationToken)
    {
        try
        {
            await IpAsync(["netns", "add", name], cancellationToken);
            // `-batch` knows no `-n`: a process for each is a few milliseconds, once in a cluster's life.
            foreach (var command in commands)
                await IpAsync(command.Split(' '), cancellationToken);
        }
        catch (IOException)
        {
            if (File.Exists(NamespacePath(name)))
                await IpAsync(["netns", "del", name], CancellationToken.None);
            throw;
        }
    }

    // The packets of nodes leave by the machine's own link.
    private static async Task<int> MtuAsync(CancellationToken cancellationToken)
    {
        const int Ethernet = 1500;
        if (MachineAddress.DefaultLink() is not { } link)
            return Ethernet;
        var words = (await IpAsync(["-o", "link", "show", "dev", link], cancellationToken)).Split(' ');
        return int.TryParse(words.SkipWhile(word => word != "mtu").Skip(1).FirstOrDefault(), CultureInfo.InvariantCulture, out var mtu) ? Math.Min(mtu, Ethernet) : Ethernet;
    }

    // Not /sys/class/net: that shows the network of whoever mounted /sys.
    private static bool HasLink(string name) => NetworkInterface.GetAllNetworkInterfaces().Any(link => link.Name == name);

    private static async Task<string> IpAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var program = new[] { "/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip" }.FirstOrDefault(File.Exists)
            ?? throw new IOException("ip is missing: install the package iproute2 (apt-get install iproute2)");
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false })
            ?? throw new IOException("ip did not start");
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
            throw new IOException($"ip {string.Join(' ', arguments)}: {(await errors).Trim()}");
        return output;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
