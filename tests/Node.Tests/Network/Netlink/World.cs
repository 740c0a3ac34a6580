using Weft.Node.Interop;
using Weft.Node.Network;
using Weft.Node.Network.Netlink;
using Weft.Node.Tests.Network.Services;

namespace Weft.Node.Tests.Network.Netlink;

/// <summary>A machine and two pods without a network, each a namespace, and a directory for what they are given.</summary>
internal sealed class World : IAsyncDisposable
{
    private World(NetworkNamespace host, NetworkNamespace first, NetworkNamespace second, string range)
    {
        (Host, FirstPod, SecondPod) = (host, first, second);
        Directory = System.IO.Directory.CreateTempSubdirectory("weft-net").FullName;
        Options = new("weft-test", range, Path.Combine(Directory, "cni"), Path.Combine(Directory, "results"), ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"], 1400);
        Cni = new(Options, Host);
    }

    public NetworkNamespace Host { get; }

    public NetworkNamespace FirstPod { get; }

    public NetworkNamespace SecondPod { get; }

    public string Directory { get; }

    public CniOptions Options { get; }

    public CniPrograms Cni { get; }

    public static async Task<World> CreateAsync(string range = "10.99.3.0/24") =>
        new(await NetworkNamespace.CreateAsync(), await NetworkNamespace.CreateAsync(), await NetworkNamespace.CreateAsync(), range);

    // A thread is born in the namespaces of the one that makes it: the agent of this machine is a thread in its namespace.
    public Task<IReadOnlyList<string>> AddAsync(string id, string netns) =>
        NamespaceThread.InNetworkAsync(Host.Path, () => new PodNetwork(Options).AddAsync(id, netns).GetAwaiter().GetResult());

    public Task DeleteAsync(string id, string netns) => NamespaceThread.InNetworkAsync(Host.Path, () =>
    {
        new PodNetwork(Options).DeleteAsync(id, netns).GetAwaiter().GetResult();
        return 0;
    });

    public IReadOnlyList<string> GivenOut() =>
        [.. System.IO.Directory.GetFiles(Path.Combine(Options.IpamDirectory, Options.Name)).Select(Path.GetFileName).OfType<string>().Where(n => n is not ("lock" or "last_reserved_ip.0")).Order()];

    public async ValueTask DisposeAsync()
    {
        await FirstPod.DisposeAsync();
        await SecondPod.DisposeAsync();
        await Host.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
