using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Weft.Node.Interop;
using Weft.Node.Network;
using Weft.Node.Network.Netlink;
using Weft.Node.Tests.Network.Services;

namespace Weft.Node.Tests.Network.Netlink;

public sealed partial class PodNetworkTests
{
    [Fact]
    public async Task Lays_a_pod_out_as_the_cni_programs_do()
    {
        await using var world = await World.CreateAsync();
        await world.Cni.AddAsync("by-programs", world.FirstPod.Path);
        var (programHost, programPod) = (await LayoutAsync(world.Host), await LayoutAsync(world.FirstPod));
        await world.Cni.DeleteAsync("by-programs", world.FirstPod.Path);
        Directory.Delete(Path.Combine(world.Options.IpamDirectory, world.Options.Name), recursive: true);   // the same address again

        Assert.Equal(["10.99.3.2"], await world.AddAsync("by-netlink", world.SecondPod.Path));

        Assert.Equal(programPod, await LayoutAsync(world.SecondPod));
        Assert.Equal(programHost, await LayoutAsync(world.Host));
        await ReachAsync(world.Host, world.SecondPod, "10.99.3.2");
        await ReachAsync(world.SecondPod, world.Host, "10.99.3.1");
    }

    [Fact]
    public async Task Takes_everything_away_and_may_be_told_so_again()
    {
        await using var world = await World.CreateAsync();
        var empty = await LayoutAsync(world.Host);
        await world.AddAsync("a", world.FirstPod.Path);
        Assert.Equal(["10.99.3.2"], world.GivenOut());

        await world.DeleteAsync("a", world.FirstPod.Path);
        await world.DeleteAsync("a", world.FirstPod.Path);
        await world.DeleteAsync("a", world.FirstPod.Path + "-that-never-was");

        Assert.Equal(empty, await LayoutAsync(world.Host));
        Assert.Empty(world.GivenOut());
    }

    [Fact]
    public async Task Takes_away_what_the_cni_programs_of_an_older_version_made()
    {
        await using var world = await World.CreateAsync();
        var empty = await LayoutAsync(world.Host);
        await world.Cni.AddAsync("old", world.FirstPod.Path);
        Directory.CreateDirectory(world.Options.CacheDirectory);
        await File.WriteAllTextAsync(Path.Combine(world.Options.CacheDirectory, "old"), "{}");

        await world.DeleteAsync("old", world.FirstPod.Path);

        Assert.Equal(empty, await LayoutAsync(world.Host));
        Assert.Empty(world.GivenOut());
        Assert.Empty(Directory.GetFiles(world.Options.CacheDirectory));
    }

    [Fact]
    public async Task An_address_is_released_when_its_namespace_is_gone()
    {
        await using var world = await World.CreateAsync();
        await world.AddAsync("a", world.FirstPod.Path);
        var file = Path.Combine(world.Directory, "gone");
        await File.WriteAllBytesAsync(file, []);   // what an unmounted namespace leaves

        await world.DeleteAsync("a", file);

        Assert.Empty(world.GivenOut());
    }

    [Fact]
    public async Task What_a_start_that_was_killed_left_is_taken_away_from_every_step()
    {
        await using var world = await World.CreateAsync();
        var empty = await LayoutAsync(world.Host);

        // Killed after the address.
        new AddressPool(world.Options).Reserve("a");
        await world.DeleteAsync("a", world.FirstPod.Path);
        Assert.Empty(world.GivenOut());

        // Killed while the address was written.
        await File.WriteAllTextAsync(Path.Combine(world.Options.IpamDirectory, world.Options.Name, ".reserving"), "b\r\neth0");
        await world.DeleteAsync("b", world.FirstPod.Path);
        Assert.Empty(world.GivenOut());

        // Killed after the link, with nothing on it yet.
        new AddressPool(world.Options).Reserve("c");
        await NamespaceThread.InNetworkAsync(world.Host.Path, () =>
        {
            var pod = Libc.Check(Libc.open(world.FirstPod.Path, Libc.ORdonly | Libc.OCloexec, 0), "open the pod");
            using var host = new NetlinkSocket();
            host.AddVeth(new PodNetwork(world.Options).HostLink("c"), "eth0", pod, 1400);
            return Libc.close(pod);
        });
        await world.DeleteAsync("c", world.FirstPod.Path);
        Assert.Empty(world.GivenOut());
        Assert.Equal(empty, await LayoutAsync(world.Host));
    }

    [Fact]
    public async Task A_refused_start_leaves_nothing()
    {
        await using var world = await World.CreateAsync();
        await world.AddAsync("a", world.FirstPod.Path);
        var before = await LayoutAsync(world.Host);

        await Assert.ThrowsAsync<IOException>(() => world.AddAsync("b", Path.Combine(world.Directory, "none")));

        Assert.Equal(before, await LayoutAsync(world.Host));
        Assert.Equal(["10.99.3.2"], world.GivenOut());
    }

    [Fact]
    public async Task No_thread_of_the_pool_is_born_in_a_pods_namespace()
    {
        await using var pod = await NetworkNamespace.CreateAsync();
        var home = new FileInfo("/proc/self/ns/net").LinkTarget;

        var seen = await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            await NamespaceThread.InNetworkAsync(pod.Path, () => 0);
            return new FileInfo("/proc/thread-self/ns/net").LinkTarget;
        }));

        Assert.All(seen, name => Assert.Equal(home, name));
    }

    private static async Task ReachAsync(NetworkNamespace from, NetworkNamespace to, string address)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var listener = await NamespaceThread.InNetworkAsync(to.Path, () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        using var caller = await NamespaceThread.InNetworkAsync(from.Path, () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        listener.Listen();
        await caller.ConnectAsync(listener.LocalEndPoint!, patience.Token);
    }

    /// <summary>All that `ip` says, but for what chance and the kernel's numbering decide.</summary>
    private static async Task<string> LayoutAsync(NetworkNamespace network)
    {
        var text = await network.RunAsync("ip", ["-d", "-4", "addr"]) + await network.RunAsync("ip", ["-d", "link"]) + await network.RunAsync("ip", ["-d", "-4", "route", "show", "table", "all"]);
        return Settling().Replace(Chosen().Replace(text, "X"), "");
    }

    [GeneratedRegex("veth[0-9a-f]{8,}|link/ether [0-9a-f:]+|(?m:^[0-9]+)|@if[0-9]+|link-netnsid [0-9]+|link-netns [^ ]+")]
    private static partial Regex Chosen();

    // The link comes up a moment after both ends are.
    [GeneratedRegex("NO-CARRIER,|,LOWER_UP|,M-DOWN|state (UP|DOWN|LOWERLAYERDOWN)| linkdown|forwarding_state[^\n]*")]
    private static partial Regex Settling();
}
