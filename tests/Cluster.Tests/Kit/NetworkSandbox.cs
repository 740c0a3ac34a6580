namespace Weft.Cluster.Tests.Kit;

/// <summary>
/// A network namespace in which a whole cluster runs: its services, node ports and rules do not meet those of the machine. It has a loopback, an
/// address and a default route, as a machine has.
/// </summary>
internal sealed class NetworkSandbox : IAsyncDisposable
{
    /// <summary>The machine's own address in there.</summary>
    internal const string Address = "172.31.77.1";

    private readonly string _name = $"wt-{Environment.ProcessId}-{Path.GetRandomFileName()[..4]}";

    internal async Task CreateAsync()
    {
        await IpAsync("netns", "add", _name);
        await IpAsync("-n", _name, "link", "set", "lo", "up");
        await IpAsync("-n", _name, "link", "add", "up0", "type", "veth", "peer", "name", "up1");
        await IpAsync("-n", _name, "addr", "add", Address + "/24", "dev", "up0");
        await IpAsync("-n", _name, "link", "set", "up0", "up");
        await IpAsync("-n", _name, "link", "set", "up1", "up");
        await IpAsync("-n", _name, "route", "add", "default", "via", "172.31.77.2");
    }

    /// <summary>The command line that runs a program in there. Not `ip netns exec`: it would hide the control groups.</summary>
    internal (string Program, IReadOnlyList<string> Arguments) Inside(string program, IReadOnlyList<string> arguments) =>
        ("/usr/bin/nsenter", ["--net=/run/netns/" + _name, program, .. arguments]);

    private static async Task IpAsync(params string[] arguments) => (await Shell.RunAsync("/usr/sbin/ip", arguments)).Succeeded();

    public async ValueTask DisposeAsync() => await IpAsync("netns", "del", _name);
}
