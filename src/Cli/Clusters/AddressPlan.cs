using System.Globalization;
using System.Net;

namespace Weft.Cli.Clusters;

/// <summary>Chooses the networks of a new cluster so that they overlap none that is in use (<see cref="MachineNetworks"/>): two clusters, or a VPN, keep working.</summary>
public static class AddressPlan
{
    /// <summary>The first of 10.244.0.0/16, 10.242.0.0/16, ... that none in use touches. Null when all are.</summary>
    public static string? ChoosePodCidr(IEnumerable<IPNetwork> inUse)
    {
        var taken = Claims(inUse);
        for (var second = 244; second >= 128; second -= 2)
        {
            if (Network(second) is var candidate && IsFree(candidate, taken))
                return candidate.ToString();
        }

        return null;
    }

    /// <summary>The first of 10.96.0.0/16, 10.98.0.0/16, ... that none in use touches, nor the network after it, where load balancers get their addresses. Null when all are.</summary>
    public static string? ChooseServiceCidr(IEnumerable<IPNetwork> inUse)
    {
        var taken = Claims(inUse);
        for (var second = 96; second < 128; second += 2)
        {
            if (IsFree(Network(second), taken) && IsFree(Network(second + 1), taken))
                return Network(second).ToString();
        }

        return null;
    }

    private static List<IPNetwork> Claims(IEnumerable<IPNetwork> inUse) => [.. inUse.Where(network => network.PrefixLength > 0)]; // the default route is no claim

    private static IPNetwork Network(int second) => new(new IPAddress([10, (byte)second, 0, 0]), 16);

    private static bool IsFree(IPNetwork candidate, List<IPNetwork> taken) =>
        !taken.Exists(network => Overlap(candidate, network));

    internal static bool Overlap(IPNetwork one, IPNetwork other) => one.Contains(other.BaseAddress) || other.Contains(one.BaseAddress);

    /// <summary>The /24 with this number in a /16.</summary>
    public static string Part(string podCidr, byte number)
    {
        var bytes = IPNetwork.Parse(podCidr).BaseAddress.GetAddressBytes();
        return new IPNetwork(new IPAddress([bytes[0], bytes[1], number, 0]), 24).ToString();
    }

    /// <summary>The address with this number in a network.</summary>
    public static IPAddress Host(string cidr, byte number)
    {
        var bytes = IPNetwork.Parse(cidr).BaseAddress.GetAddressBytes();
        bytes[3] = number;
        return new IPAddress(bytes);
    }

    /// <summary>Where a cluster's DNS answers on every node: the tenth address of the service range, as everybody expects it.</summary>
    public static IPAddress Dns(string serviceCidr)
    {
        var bytes = IPNetwork.Parse(serviceCidr).BaseAddress.GetAddressBytes();
        bytes[^1] += 10;
        return new IPAddress(bytes);
    }

    /// <summary>IPv4 routes of this machine, from /proc/net/route: destination and mask are little-endian hexadecimal (proc(5)).</summary>
    public static IReadOnlyList<IPNetwork> Routes(IEnumerable<string> procNetRoute) =>
    [
        .. procNetRoute.Skip(1).Select(line => line.Split('\t', StringSplitOptions.TrimEntries)).Where(columns => columns.Length > 7)
            .Select(columns => new IPNetwork(Address(columns[1]), int.PopCount((int)uint.Parse(columns[7], NumberStyles.HexNumber, CultureInfo.InvariantCulture)))),
    ];

    private static IPAddress Address(string hex) => new(uint.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
}
