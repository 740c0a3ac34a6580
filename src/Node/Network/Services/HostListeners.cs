using System.Globalization;
using System.Net;

namespace Weft.Node.Network.Services;

/// <summary>Ports that processes of this machine listen on, from /proc/net (proc(5)).</summary>
internal static class HostListeners
{
    private const string Listening = "0A", Unconnected = "07";

    /// <summary>Protocol (`tcp`, `udp`) and port; what is bound to an address of the cluster's own ranges, or to the gateway as the front door is, is nobody's port.</summary>
    public static IReadOnlySet<(string Protocol, int Port)> Read(ServiceNetwork network)
    {
        var found = new HashSet<(string, int)>();
        foreach (var (file, protocol, state) in ((string, string, string)[])[("tcp", "tcp", Listening), ("tcp6", "tcp", Listening), ("udp", "udp", Unconnected), ("udp6", "udp", Unconnected)])
        {
            var path = "/proc/net/" + file;
            if (File.Exists(path))
                found.UnionWith(Parse(File.ReadLines(path), state, network).Select(port => (protocol, port)));
        }
        return found;
    }

    internal static IEnumerable<int> Parse(IEnumerable<string> lines, string state, ServiceNetwork network)
    {
        IPNetwork[] own = [IPNetwork.Parse(network.ServiceCidr), IPNetwork.Parse(network.LoadBalancerPool), new(IPAddress.Parse(network.Gateway), 32)];
        foreach (var line in lines.Skip(1))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var colon = words.Length > 3 ? words[1].LastIndexOf(':') : -1;
            if (colon < 1 || words[3] != state)
                continue;
            var port = int.Parse(words[1].AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            // Four bytes in the machine's order; an IPv6 socket's 16 bytes are of no such range.
            var address = colon == 8 ? new IPAddress(uint.Parse(words[1].AsSpan(0, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture)) : IPAddress.IPv6Any;
            if (port > 0 && !own.Any(range => range.Contains(address)))
                yield return port;
        }
    }
}
