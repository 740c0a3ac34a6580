using System.Net;

namespace Weft.Proxy.Upstream.Discovery;

/// <summary>Addresses of names as this machine finds them.</summary>
/// <param name="hosts">The text of /etc/hosts.</param>
/// <param name="system">Asks the system's resolver.</param>
internal sealed class MachineNames(Func<string> hosts, Func<string, CancellationToken, Task<IPAddress[]>> system)
{
    public static MachineNames Own { get; } = new(() => File.Exists("/etc/hosts") ? File.ReadAllText("/etc/hosts") : "", System.Net.Dns.GetHostAddressesAsync);

    /// <summary>As the system finds it: also with one of the machine's own domains behind it (`search` in /etc/resolv.conf).</summary>
    public Task<IPAddress[]> FindAsync(string name, CancellationToken cancellationToken) => system(name, cancellationToken);

    /// <summary>Exactly the name: what another would be asked by could be another's.</summary>
    /// <param name="name">Without a dot at its end.</param>
    public async Task<IPAddress[]> FindWholeAsync(string name, CancellationToken cancellationToken) =>
        // With the dot the resolver adds nothing (RFC 1034, section 3.1), but does not find the name in the file any more, where there is none.
        InFile(name) is { Length: > 0 } written ? written : await system(name + ".", cancellationToken);

    private IPAddress[] InFile(string name) =>
    [
        .. hosts().Split('\n').Select(line => line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words.Skip(1).Contains(name, StringComparer.OrdinalIgnoreCase)).Select(words => IPAddress.TryParse(words[0], out var address) ? address : null).OfType<IPAddress>().Distinct(),
    ];
}
