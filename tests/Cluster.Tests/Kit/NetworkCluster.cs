using Weft.Testing;

namespace Weft.Cluster.Tests.Kit;

/// <summary>
/// A cluster in a network namespace of its own, so that its rules, routes and ports are nobody else's: an address as on a LAN, a default route that
/// leads nowhere, and at the end a look for what the cluster left in it.
/// </summary>
public class NetworkCluster : WeftCluster
{
    public const string NodeAddress = "172.31.78.1";

    private string _before = "";

    private string Namespace => "weft-" + Name;

    /// <summary>The network as a file.</summary>
    internal string NetworkPath => "/run/netns/" + Namespace;

    protected override IReadOnlyList<string> Through => ["nsenter", "--net=" + NetworkPath];

    // The machine's links and routes are other people's: this cluster has its own.
    protected override bool IsOwn(string fact) => fact.Contains(Name, StringComparison.Ordinal) || fact.Split(' ')[0] is not ("link" or "route" or "rule" or "ip_forward");

    public override async ValueTask InitializeAsync()
    {
        foreach (var command in (string[])[
            $"netns add {Namespace}", $"-n {Namespace} link set lo up", $"-n {Namespace} link add up0 type veth peer name up1",
            $"-n {Namespace} addr add {NodeAddress}/24 dev up0", $"-n {Namespace} link set up0 up", $"-n {Namespace} link set up1 up",
            $"-n {Namespace} route add default via 172.31.78.2"])
            (await Shell.RunAsync("ip", command.Split(' '))).Succeeded();
        // The kernel says so a moment later, and the look at the end would see another state than the first one.
        await Eventually.TrueAsync(async () => (await RunAsync("ip", ["-br", "link", "show", "up0"])).Output.Contains(" UP ", StringComparison.Ordinal));
        _before = await NetworkAsync();
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        var after = await NetworkAsync();
        (await Shell.RunAsync("ip", ["netns", "del", Namespace])).Succeeded();
        Assert.Equal(_before, after);
    }

    /// <summary>Addresses, routes and rules of packet filters.</summary>
    private async Task<string> NetworkAsync()
    {
        var parts = new List<string>();
        foreach (var command in (string[])["ip -4 -br addr", "ip -4 route", "ip rule", "nft list tables"])
            parts.Add((await RunAsync(command.Split(' ')[0], command.Split(' ')[1..])).Succeeded());
        return string.Join('\n', parts);
    }
}
