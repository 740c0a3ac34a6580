using System.Globalization;
using System.Net;

namespace Weft.Cli.Clusters;

/// <summary>Chooses the pod network of a new cluster so that it overlaps no route of the machine: two clusters, or a VPN, keep working.</summary>
public static class AddressPlan
{
    /// <summary>The first of 10.244.0.0/16, 10.242.0.0/16, ... that no route touches. Null when all are in use.</summary>
    public static string? ChoosePodCidr(IEnumerable<IPNetwork> routes)
    {
        var taken = routes.Where(route => route.PrefixLength > 0).ToList(); // the default route is no claim
        for (var second = 244; second >= 128; second -= 2)
        {
            var candidate = new IPNetwork(new IPAddress([10, (byte)second, 0, 0]), 16);
            if (!taken.Exists(route => candidate.Contains(route.BaseAddress) || route.Contains(candidate.BaseAddress)))
                return candidate.ToString();
        }

        return null;
    }

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

    /// <summary>IPv4 routes of this machine, from /proc/net/route: destination and mask are little-endian hexadecimal (proc(5)).</summary>
    public static IReadOnlyList<IPNetwork> Routes(IEnumerable<string> procNetRoute) =>
    [
        .. procNetRoute.Skip(1).Select(line => line.Split('\t', StringSplitOptions.TrimEntries)).Where(columns => columns.Length > 7)
            .Select(columns => new IPNetwork(Address(columns[1]), int.PopCount((int)uint.Parse(columns[7], NumberStyles.HexNumber, CultureInfo.InvariantCulture)))),
    ];

    private static IPAddress Address(string hex) => new(uint.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
}
