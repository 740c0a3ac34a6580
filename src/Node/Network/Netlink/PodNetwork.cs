using System.Net;
using System.Security.Cryptography;
using System.Text;
using Weft.Node.Interop;

namespace Weft.Node.Network.Netlink;

/// <summary>
/// The link, addresses and routes of a process pod, laid out as the CNI programs `ptp` and `host-local` do it for containerd's pods, without a
/// program started: docs/decisions/0019. What is done can be undone from any step by the sandbox's id alone.
/// </summary>
internal sealed class PodNetwork(CniOptions options)
{
    private const string Inside = "eth0";
    private readonly AddressPool _pool = new(options);

    /// <exception cref="IOException">The kernel refused, or no address is free; nothing is left of the attempt.</exception>
    public Task<IReadOnlyList<string>> AddAsync(string id, string netns) => NamespaceThread.RunAsync<IReadOnlyList<string>>(() =>
    {
        try
        {
            return [Add(id, netns).ToString()];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Delete(id, netns);   // from inside the pod's namespace, perhaps: its own end is found there
            throw;
        }
    });

    /// <summary>Takes link and address away. May be called again, when the namespace is already gone, and for what the CNI programs made.</summary>
    public Task DeleteAsync(string id, string netns) => NamespaceThread.RunAsync(() =>
    {
        Delete(id, netns);
        return true;
    });

    /// <summary>The host's end: `veth`, by which the node's rules know pods, and as much of a hash as a link's name (15 characters) holds.</summary>
    public string HostLink(string id) => "veth" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{options.Name}/{id}")))[..11];

    private IPAddress Add(string id, string netns)
    {
        var address = _pool.Reserve(id);
        var gateway = _pool.Gateway;
        var (toPod, toGateway) = (new IPNetwork(address, 32), new IPNetwork(gateway, 32));
        using var host = new NetlinkSocket();
        using var pod = Enter(netns, fd => host.AddVeth(HostLink(id), Inside, fd, options.Mtu)) ?? throw new IOException($"{netns} is no network namespace");

        var inside = pod.IndexOf(Inside);
        pod.AddAddress(inside, address, _pool.Range.PrefixLength, _pool.Broadcast);
        pod.SetUp(inside);
        // Everything goes through the host, the pod's neighbours too: the kernel's own route would look for them on the link.
        pod.RemoveRoute(inside, _pool.Range);
        pod.AddRoute(inside, toGateway, RouteScope.Link, source: address);
        pod.AddRoute(inside, _pool.Range, RouteScope.Universe, gateway, address);
        pod.AddRoute(inside, new IPNetwork(IPAddress.Any, 0), RouteScope.Universe, gateway);

        var outside = host.IndexOf(HostLink(id));
        host.SetUp(outside);
        host.AddAddress(outside, gateway, 32, broadcast: null);
        host.AddRoute(outside, toPod, RouteScope.Host);
        return address;
    }

    // The link first: its route must be gone before the address can be another pod's.
    private void Delete(string id, string netns)
    {
        bool found;
        using (var host = new NetlinkSocket())
            found = host.RemoveLink(HostLink(id));
        if (!found)
        {
            // Of an older version, whose CNI programs named the host's end by chance; either end takes the other with it.
            using var pod = Enter(netns, _ => { });
            pod?.RemoveLink(Inside);
        }
        _pool.Release(id);
        var result = System.IO.Path.Combine(options.CacheDirectory, id);
        if (File.Exists(result))   // of an older version too
            File.Delete(result);
    }

    /// <summary>A socket inside, when there is such a namespace: the file of one that is gone stays behind as an ordinary one.</summary>
    private static NetlinkSocket? Enter(string netns, Action<int> before)
    {
        var fd = Libc.open(netns, Libc.ORdonly | Libc.OCloexec, 0);
        if (fd < 0)
            return Libc.Errno is Libc.Enoent or Libc.Enotdir ? null : throw Libc.Failure($"open {netns}", Libc.Errno);
        try
        {
            if (!IsNetwork(fd))
                return null;
            before(fd);
            NamespaceThread.EnterNetwork(fd);
            return new NetlinkSocket();
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    private static unsafe bool IsNetwork(int fd)
    {
        const nuint GetNamespaceType = 0xb703;   // NS_GET_NSTYPE, ioctl_ns(2)
        return Libc.ioctl(fd, GetNamespaceType, (byte*)null) == Libc.CloneNewNet;
    }
}
