using System.Collections.Immutable;
using System.Net;

namespace Weft.Proxy.Dns.Forwarding;

/// <summary>Which servers a resolv.conf(5) names. Pure.</summary>
internal static class ResolvConf
{
    private const int MaxServers = 8;

    /// <param name="own">Addresses that this server answers on: to ask them would be to ask oneself.</param>
    public static ImmutableArray<IPEndPoint> Servers(string text, IReadOnlyCollection<IPAddress> own, int port = 53)
    {
        var servers = ImmutableArray.CreateBuilder<IPEndPoint>();
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words is not ["nameserver", var address, ..] || !IPAddress.TryParse(address, out var parsed) || own.Contains(parsed))
                continue;
            var server = new IPEndPoint(parsed, port);
            if (servers.Count < MaxServers && !servers.Contains(server))
                servers.Add(server);
        }

        return servers.ToImmutable();
    }

    /// <summary>Nothing but stubs of this machine, as systemd-resolved writes it: then its own list of real servers is better.</summary>
    public static bool IsLocalStub(ImmutableArray<IPEndPoint> servers) => servers.Length > 0 && servers.All(server => IPAddress.IsLoopback(server.Address));
}
