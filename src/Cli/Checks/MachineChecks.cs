using System.Globalization;
using System.Net;
using Weft.Cli.Clusters;

namespace Weft.Cli.Checks;

/// <param name="Ports">Ports that a cluster here listens on, with what for.</param>
/// <param name="ClusterIsUp">Then its own ports and ranges are no conflict.</param>
internal sealed record CheckWishes(IReadOnlyDictionary<int, string> Ports, string? PodCidr, string? ServiceCidr, bool ClusterIsUp, string DataDir);

/// <summary>What must hold on a machine for a cluster, and what makes it better. Pure: from what was read to findings.</summary>
internal static class MachineChecks
{
    private const long Giga = 1L << 30, Mega = 1L << 20;

    public static IReadOnlyList<Finding> Run(MachineView machine, CheckWishes wishes) =>
    [
        .. Rights(machine), .. Kernel(machine), .. Cgroups(machine), .. Packages(machine), .. Network(machine, wishes), .. Dns(machine), .. Ports(machine, wishes), .. Resources(machine, wishes), .. Clock(machine),
    ];

    private static IEnumerable<Finding> Rights(MachineView machine)
    {
        yield return machine.IsRoot
            ? Finding.Ok("rights", "runs as root")
            : Finding.Fail("rights", "weft makes network namespaces and cgroups, and needs root for it", "run it with sudo");
        if (machine is { IsRoot: true, HasResourceCapability: false })
            yield return Finding.Ok("rights", "no CAP_SYS_RESOURCE: oom_score_adj and limits cannot be raised (Weft does without)");
    }

    private static IEnumerable<Finding> Kernel(MachineView machine)
    {
        yield return Version(machine.Kernel) is ( > 5, _) or (5, >= 4)
            ? Finding.Ok("kernel", $"Linux {machine.Kernel} on {machine.Machine}")
            : Finding.Fail("kernel", $"Linux {machine.Kernel} is too old: pidfd and clone3 are needed", "use a kernel from 5.4 on");
        yield return machine.FileSystems.Contains("overlay")
            ? Finding.Ok("kernel", "overlayfs is there")
            : Finding.Fail("kernel", "the kernel knows no overlayfs: containers have no root", "run 'modprobe overlay', and write 'overlay' to /etc/modules-load.d/weft.conf");
    }

    private static IEnumerable<Finding> Cgroups(MachineView machine)
    {
        var missing = new[] { "cpu", "memory", "pids" }.Where(name => !machine.CgroupControllers.Contains(name)).ToList();
        var kind = machine.CgroupV2 ? "version 2" : machine.CgroupHybrid ? "version 1, with a version 2 tree beside it" : "version 1";
        yield return missing.Count == 0
            ? Finding.Ok("cgroups", kind)
            : Finding.Fail("cgroups", $"{kind}, without {string.Join(", ", missing)}: limits of pods would not hold", "boot with 'cgroup_enable=memory cgroup_memory=1', or mount the cgroup file systems");
    }

    private static IEnumerable<Finding> Packages(MachineView machine)
    {
        foreach (var (tool, package, why) in new[]
        {
            ("conmon", "conmon", "runs process pods"), ("crun", "crun", "runs process pods"), ("ptp", "containernetworking-plugins", "gives pods their network"),
            ("nft", "nftables", "programs services"), ("ip", "iproute2", "sets routes"), ("unshare", "util-linux", "makes namespaces"), ("nsenter", "util-linux", "enters namespaces"),
            ("libsqlite3", "libsqlite3-0", "stores objects"),
        })
        {
            yield return machine.Tools.Contains(tool)
                ? Finding.Ok("packages", machine.Versions.GetValueOrDefault(tool) ?? $"{tool} is there")
                : Finding.Fail("packages", $"{tool} is missing: it {why}", $"apt-get install {package}");
        }

        yield return machine.Tools.Contains("containerd")
            ? Finding.Ok("packages", machine.Versions.GetValueOrDefault("containerd") ?? "containerd is there")
            : Finding.Warn("packages", "containerd is missing: pods of images cannot run, process pods can", "apt-get install containerd");
    }

    private static IEnumerable<Finding> Network(MachineView machine, CheckWishes wishes)
    {
        if (machine.IsRoot && machine.Tools.Contains("nft"))
        {
            yield return machine.NftProblem is { } problem
                ? Finding.Fail("network", $"nft cannot make a table with address translation: {problem}", "load the modules nf_tables and nft_masq (modprobe nf_tables nft_masq), or use a kernel that has them")
                : Finding.Ok("network", "nft can translate addresses");
        }

        if (machine.ForwardPolicy == "DROP")
        {
            yield return Finding.Warn("network", machine.DockerPresent ? "Docker has set the firewall's FORWARD chain to DROP: packets between pods and the world may be lost" : "the firewall's FORWARD chain drops by default: packets between pods and the world may be lost",
                $"iptables -I {(machine.DockerPresent ? "DOCKER-USER" : "FORWARD")} -s {wishes.PodCidr ?? "10.244.0.0/16"} -j ACCEPT, and the same with -d");
        }
        else if (machine.DockerPresent)
        {
            yield return Finding.Ok("network", "Docker is on this machine; its rules let pods pass");
        }

        if (!machine.HasDefaultRoute)
            yield return Finding.Warn("network", "there is no default route: pods reach this machine and no other", "none needed on a machine without a network; else 'ip route add default via GATEWAY'");
        if (machine.BridgeFilter == "1" && machine.DockerPresent)
            yield return Finding.Ok("network", "bridged packets pass the firewall (br_netfilter); Weft's own network has no bridge on this machine");
        if (wishes.ClusterIsUp)
            yield break;
        foreach (var (what, range) in new[] { ("pods", wishes.PodCidr), ("services", wishes.ServiceCidr) })
        {
            if (range is null)
            {
                yield return Finding.Fail("network", $"no range is free for {what}: every candidate overlaps a route, an address or another cluster", "remove a route ('ip route'), leave a VPN while the cluster is made, or purge a cluster that is not needed");
                continue;
            }

            var wanted = IPNetwork.Parse(range);
            var clash = machine.Routes.Where(route => route.PrefixLength > 0 && AddressPlan.Overlap(route, wanted)).Select(route => route.ToString()).FirstOrDefault();
            yield return clash is null
                ? Finding.Ok("network", $"addresses of {what} {range} are free")
                : Finding.Warn("network", $"the addresses of {what} {range} overlap {clash}, a route or an address of this machine", "a VPN or another cluster has them: what is there is not reached from pods; where it is an earlier run of this cluster, 'weft down' takes it away");
        }
    }

    private static IEnumerable<Finding> Dns(MachineView machine)
    {
        if (machine.NameServers.Count == 0)
            yield return Finding.Warn("dns", "/etc/resolv.conf names no server: pods resolve names of the cluster only", "write 'nameserver ADDRESS' to it");
        else if (machine.NameServers.All(server => IPAddress.TryParse(server, out var address) && IPAddress.IsLoopback(address)))
            yield return Finding.Ok("dns", $"names are asked of a stub on this machine ({machine.NameServers[0]}), which pods cannot reach: the cluster's DNS asks it for them");
        else
            yield return Finding.Ok("dns", $"names are asked of {string.Join(", ", machine.NameServers)}");
    }

    private static IEnumerable<Finding> Ports(MachineView machine, CheckWishes wishes)
    {
        foreach (var (port, use) in wishes.Ports)
        {
            if (!machine.PortHolders.TryGetValue(port, out var holder))
                yield return Finding.Ok("ports", $"{port} ({use}) is free");
            else if (wishes.ClusterIsUp)
                yield return Finding.Ok("ports", $"{port} ({use}) is in use by {holder}");
            else
                yield return Finding.Fail("ports", $"{port} ({use}) is taken by {holder}", "stop it, or choose another with --api-port");
        }
    }

    private static IEnumerable<Finding> Resources(MachineView machine, CheckWishes wishes)
    {
        yield return (machine.DiskFree, machine.DiskTotal) switch
        {
            ( < 512 * Mega, _) => Finding.Fail("resources", $"{Size(machine.DiskFree)} are free for {wishes.DataDir}: the store stops writing when a disk is full", "free some, or choose another disk with --data-dir"),
            ( < 5 * Giga, _) => Finding.Warn("resources", $"{Size(machine.DiskFree)} are free for {wishes.DataDir}: images take more", "free some, or choose another disk with --data-dir"),
            _ => Finding.Ok("resources", $"{Size(machine.DiskFree)} of {Size(machine.DiskTotal)} are free for {wishes.DataDir}"),
        };
        if (machine.InodesFree < 0.05)
            yield return Finding.Warn("resources", string.Create(CultureInfo.InvariantCulture, $"{machine.InodesFree:P0} of the inodes are free: images are many small files"), "remove small files, or choose another disk with --data-dir");
        yield return machine.MemoryAvailable switch
        {
            < 256 * Mega => Finding.Fail("resources", $"{Size(machine.MemoryAvailable)} of memory are available; a server takes about 150 MB", "end something"),
            < Giga => Finding.Warn("resources", $"{Size(machine.MemoryAvailable)} of memory are available: enough for the cluster, not for much in it", "end something"),
            _ => Finding.Ok("resources", $"{Size(machine.MemoryAvailable)} of {Size(machine.MemoryTotal)} of memory are available, {machine.Processors} processors"),
        };
        if (machine.MaxWatches < 128)
            yield return Finding.Warn("resources", $"fs.inotify.max_user_instances is {machine.MaxWatches}: programs in pods that watch files will fail", "sysctl -w fs.inotify.max_user_instances=512");
    }

    private static IEnumerable<Finding> Clock(MachineView machine)
    {
        // A program cannot have been built in the future.
        if (machine.Now < machine.Built - TimeSpan.FromMinutes(10))
            yield return Finding.Fail("clock", $"it is {machine.Now:u} here, and this program was made at {machine.Built:u}: certificates would not be valid", "set the clock (timedatectl set-ntp true)");
        else if (machine.ClockSynchronised == false)
            yield return Finding.Warn("clock", "the clock is not synchronised: nodes whose clocks differ refuse each other's certificates", "timedatectl set-ntp true");
        else
            yield return Finding.Ok("clock", machine.ClockSynchronised == true ? "synchronised" : $"{machine.Now:u}");
    }

    internal static (int Major, int Minor) Version(string release)
    {
        var parts = release.Split('.', '-');
        return parts.Length > 1 && int.TryParse(parts[0], out var major) && int.TryParse(parts[1], out var minor) ? (major, minor) : (0, 0);
    }

    private static string Size(long bytes) => bytes >= Giga
        ? string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / Giga:0.0} GB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / Mega} MB");
}
