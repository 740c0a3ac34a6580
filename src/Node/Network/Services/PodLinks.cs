using System.Globalization;
using System.Net;

namespace Weft.Node.Network.Services;

/// <summary>
/// The node's ends of pods' links may carry 127.0.0.1 as a source (`route_localnet`), so that a node port answers there: the kernel asks before the
/// source is translated. Only these links; what comes in by them with such an address is dropped (<see cref="NodeFirewall"/>).
/// </summary>
internal sealed class PodLinks(string podCidr)
{
    private readonly HashSet<string> _done = [];

    public void AllowLocalSources()
    {
        var present = Of(File.ReadLines("/proc/net/route"), podCidr).ToHashSet();
        _done.IntersectWith(present);
        foreach (var link in present.Where(_done.Add))
        {
            var setting = $"/proc/sys/net/ipv4/conf/{link}/route_localnet";
            try
            {
                File.WriteAllText(setting, "1");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _done.Remove(link);   // it went just now, or comes next time
            }
        }
    }

    /// <summary>Links with a host route in the range: interface, destination and mask, little-endian hexadecimal (proc(5)).</summary>
    internal static IEnumerable<string> Of(IEnumerable<string> routes, string podCidr)
    {
        var range = IPNetwork.Parse(podCidr);
        foreach (var line in routes.Skip(1))
        {
            var words = line.Split('\t', StringSplitOptions.TrimEntries);
            if (words.Length > 7 && words[7] == "FFFFFFFF" && words[0].StartsWith("veth", StringComparison.Ordinal)
                && uint.TryParse(words[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var destination) && range.Contains(new IPAddress(destination)))
                yield return words[0];
        }
    }
}
