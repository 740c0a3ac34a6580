using System.Net;
using Weft.Cli.Checks;

namespace Weft.Cli.Tests.Checks;

public sealed class MachineChecksTests
{
    private static readonly CheckWishes Wishes = new(new Dictionary<int, string> { [6443] = "API server" }, "10.244.0.0/16", "10.96.0.0/16", ClusterIsUp: false, "/var/lib/weft");

    private static readonly MachineView Good = new()
    {
        IsRoot = true, Kernel = "6.1.0-28-amd64", Machine = "X64", FileSystems = new HashSet<string> { "overlay", "ext4" }, CgroupV2 = true,
        CgroupControllers = new HashSet<string> { "cpu", "memory", "pids" }, HasResourceCapability = true, Tools = MachineReader.Tools.Select(tool => tool.Name).ToHashSet(),
        HasDefaultRoute = true, NameServers = ["192.168.1.1"], DiskFree = 50L << 30, DiskTotal = 100L << 30, MemoryTotal = 8L << 30, MemoryAvailable = 4L << 30, Processors = 4,
        Now = DateTimeOffset.UnixEpoch.AddYears(60), Built = DateTimeOffset.UnixEpoch.AddYears(56), MaxWatches = 512,
    };

    [Fact]
    public void A_good_machine_has_nothing_to_mend() => Assert.DoesNotContain(MachineChecks.Run(Good, Wishes), finding => finding.Verdict != Verdict.Ok);

    [Fact]
    public void Each_fault_is_found_with_what_to_do()
    {
        Fails(Good with { IsRoot = false }, "rights", "sudo");
        Fails(Good with { Kernel = "4.19.0" }, "kernel", "5.4");
        Fails(Good with { FileSystems = new HashSet<string>() }, "kernel", "modprobe overlay");
        Fails(Good with { CgroupControllers = new HashSet<string> { "cpu" } }, "cgroups", "cgroup_enable=memory");
        Fails(Good with { Tools = Good.Tools.Except(["crun"]).ToHashSet() }, "packages", "apt-get install crun");
        Fails(Good with { NftProblem = "Operation not supported" }, "network", "modprobe");
        Fails(Good with { PortHolders = new Dictionary<int, string> { [6443] = "k3s (pid 7)" } }, "ports", "--api-port");
        Fails(Good with { DiskFree = 100 << 20 }, "resources", "--data-dir");
        Fails(Good with { MemoryAvailable = 100 << 20 }, "resources", "end something");
        Fails(Good with { Now = Good.Built.AddDays(-1) }, "clock", "timedatectl");
        Warns(Good with { ForwardPolicy = "DROP", DockerPresent = true }, "network", "DOCKER-USER");
        Warns(Good with { Routes = [IPNetwork.Parse("10.244.3.0/24")] }, "network", "VPN");
        Warns(Good with { Tools = Good.Tools.Except(["containerd"]).ToHashSet() }, "packages", "apt-get install containerd");
        Warns(Good with { NameServers = [] }, "dns", "nameserver");
        Warns(Good with { InodesFree = 0.01 }, "resources", "--data-dir");
        Warns(Good with { ClockSynchronised = false }, "clock", "timedatectl");
    }

    [Fact]
    public void What_the_running_cluster_has_is_no_conflict() => Assert.DoesNotContain(
        MachineChecks.Run(Good with { PortHolders = new Dictionary<int, string> { [6443] = "weft (pid 7)" }, Routes = [IPNetwork.Parse("10.244.3.0/24")] }, Wishes with { ClusterIsUp = true }),
        finding => finding.Verdict != Verdict.Ok);

    private static void Fails(MachineView machine, string area, string advice) => Has(machine, Verdict.Fail, area, advice);

    private static void Warns(MachineView machine, string area, string advice) => Has(machine, Verdict.Warn, area, advice);

    private static void Has(MachineView machine, Verdict verdict, string area, string advice)
    {
        var finding = Assert.Single(MachineChecks.Run(machine, Wishes), found => found.Verdict != Verdict.Ok);
        Assert.Equal((verdict, area), (finding.Verdict, finding.Area));
        Assert.Contains(advice, finding.Advice, StringComparison.Ordinal);
    }
}
