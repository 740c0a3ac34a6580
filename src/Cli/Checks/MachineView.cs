using System.Diagnostics;
using System.Net;
using Weft.Cli.Clusters;
using Weft.Cli.Processes;

namespace Weft.Cli.Checks;

/// <summary>What the checks know of the machine. Read once by <see cref="ReadAsync"/>; the checks themselves are pure.</summary>
/// <param name="Modules">File systems and modules by name that the kernel has, built in or loaded.</param>
/// <param name="Files">Which of the files that were asked for exist.</param>
/// <param name="PortHolders">Taken ports that Weft wants, with who holds them.</param>
internal sealed record MachineView
{
    public bool IsRoot { get; init; }
    public string Kernel { get; init; } = "";
    public string Machine { get; init; } = "";
    public IReadOnlySet<string> FileSystems { get; init; } = new HashSet<string>();
    public IReadOnlySet<string> CgroupControllers { get; init; } = new HashSet<string>();
    public bool CgroupV2 { get; init; }

    /// <summary>A version 2 tree beside the old ones, which offers controllers: crun refuses that mixture unless it is hidden from it.</summary>
    public bool CgroupHybrid { get; init; }
    public bool HasResourceCapability { get; init; }
    public IReadOnlySet<string> Tools { get; init; } = new HashSet<string>();
    public IReadOnlyDictionary<string, string> Versions { get; init; } = new Dictionary<string, string>();
    public string? NftProblem { get; init; }
    public string? ForwardPolicy { get; init; }
    public bool DockerPresent { get; init; }
    public bool IpForward { get; init; }
    public string? BridgeFilter { get; init; }
    /// <summary>And the machine's own addresses, each as a network of one.</summary>
    public IReadOnlyList<IPNetwork> Routes { get; init; } = [];
    public bool HasDefaultRoute { get; init; }
    public IReadOnlyList<string> NameServers { get; init; } = [];
    public IReadOnlyDictionary<int, string> PortHolders { get; init; } = new Dictionary<int, string>();
    public long DiskFree { get; init; }
    public long DiskTotal { get; init; }
    public double InodesFree { get; init; } = 1;
    public long MemoryTotal { get; init; }
    public long MemoryAvailable { get; init; }
    public int Processors { get; init; }
    public bool? ClockSynchronised { get; init; }
    public DateTimeOffset Now { get; init; }
    public DateTimeOffset Built { get; init; }
    public int MaxWatches { get; init; } = int.MaxValue;
    public int MaxFiles { get; init; } = int.MaxValue;
}

/// <summary>Reads a <see cref="MachineView"/>. Changes nothing on the machine.</summary>
internal static class MachineReader
{
    // What is started, with where Debian and others keep it.
    internal static readonly (string Name, string[] Places)[] Tools =
    [
        ("conmon", ["/usr/bin/conmon", "/usr/local/bin/conmon", "/usr/libexec/podman/conmon"]), ("crun", ["/usr/bin/crun", "/usr/local/bin/crun"]),
        ("ptp", ["/usr/lib/cni/ptp", "/opt/cni/bin/ptp", "/usr/libexec/cni/ptp"]), ("nft", ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft"]),
        ("ip", ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"]), ("unshare", ["/usr/bin/unshare"]), ("nsenter", ["/usr/bin/nsenter"]),
        ("containerd", ["/usr/bin/containerd", "/usr/local/bin/containerd"]), ("runc", ["/usr/sbin/runc", "/usr/bin/runc", "/usr/local/bin/runc"]),
        ("libsqlite3", ["/usr/lib/x86_64-linux-gnu/libsqlite3.so.0", "/usr/lib/aarch64-linux-gnu/libsqlite3.so.0", "/usr/lib64/libsqlite3.so.0", "/usr/lib/libsqlite3.so.0"]),
    ];

    private static readonly TimeSpan ToolPatience = TimeSpan.FromSeconds(5);

    internal static async Task<MachineView> ReadAsync(ClusterPaths paths, IReadOnlyCollection<int> ports, TimeProvider time, CancellationToken cancellationToken)
    {
        var places = Tools.Select(tool => (tool.Name, Path: tool.Places.FirstOrDefault(File.Exists))).Where(tool => tool.Path is not null).ToDictionary(tool => tool.Name, tool => tool.Path!);
        var versions = new Dictionary<string, string>();
        foreach (var name in new[] { "crun", "conmon", "containerd", "runc", "nft", "ip" }.Where(places.ContainsKey))
            versions[name] = await FirstLineAsync(places[name], [name is "ip" ? "-V" : "--version"], cancellationToken);
        var v2 = File.Exists("/sys/fs/cgroup/cgroup.controllers");
        var root = Environment.IsPrivilegedProcess;
        var nft = root && places.TryGetValue("nft", out var program) ? await RunAsync(program, ["-c", "-f", "-"], "table ip weft_check { chain c { type nat hook postrouting priority 100; ip daddr 192.0.2.1 masquerade\n }\n }\n", cancellationToken) : (0, "", "");
        var forward = root && File.Exists("/usr/sbin/iptables") ? await RunAsync("/usr/sbin/iptables", ["-w", "1", "-S", "FORWARD"], null, cancellationToken) : (1, "", "");
        var disk = new DriveInfo(Existing(paths.DataDir));
        var memory = Lines("/proc/meminfo").Select(line => line.Split(':', 2)).Where(parts => parts.Length == 2).ToDictionary(parts => parts[0], parts => Kilobytes(parts[1]));
        return new MachineView
        {
            IsRoot = root,
            Kernel = Text("/proc/sys/kernel/osrelease"),
            Machine = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString(),
            FileSystems = Lines("/proc/filesystems").Select(line => line.Split('\t')[^1]).ToHashSet(),
            CgroupV2 = v2,
            CgroupHybrid = !v2 && Text("/sys/fs/cgroup/unified/cgroup.controllers").Length > 0,
            CgroupControllers = (v2 ? Text("/sys/fs/cgroup/cgroup.controllers").Split(' ') : Directory.Exists("/sys/fs/cgroup") ? Directory.EnumerateDirectories("/sys/fs/cgroup").Select(d => Path.GetFileName(d)!) : []).ToHashSet(),
            HasResourceCapability = HasCapability(24), // CAP_SYS_RESOURCE, capability.h
            Tools = places.Keys.ToHashSet(),
            Versions = versions,
            NftProblem = nft.Item1 == 0 ? null : nft.Item3.Trim(),
            ForwardPolicy = forward.Item1 == 0 ? forward.Item2.Split('\n').FirstOrDefault(line => line.StartsWith("-P FORWARD ", StringComparison.Ordinal))?["-P FORWARD ".Length..] : null,
            DockerPresent = File.Exists("/var/run/docker.sock") || File.Exists("/run/docker.sock"),
            IpForward = Text("/proc/sys/net/ipv4/ip_forward") == "1",
            BridgeFilter = File.Exists("/proc/sys/net/bridge/bridge-nf-call-iptables") ? Text("/proc/sys/net/bridge/bridge-nf-call-iptables") : null,
            Routes = [.. AddressPlan.Routes(Lines("/proc/net/route")), .. MachineNetworks.Addresses()],
            HasDefaultRoute = AddressPlan.Routes(Lines("/proc/net/route")).Any(route => route.PrefixLength == 0),
            NameServers = [.. Lines("/etc/resolv.conf").Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Where(words => words is ["nameserver", _, ..]).Select(words => words[1])],
            PortHolders = ports.Distinct().Select(port => (port, holder: PortHolder.Find(port))).Where(found => found.holder is not null).ToDictionary(found => found.port, found => found.holder!),
            DiskFree = disk.AvailableFreeSpace,
            DiskTotal = disk.TotalSize,
            InodesFree = await InodesFreeAsync(Existing(paths.DataDir), cancellationToken),
            MemoryTotal = memory.GetValueOrDefault("MemTotal"),
            MemoryAvailable = memory.GetValueOrDefault("MemAvailable"),
            Processors = Environment.ProcessorCount,
            ClockSynchronised = Directory.Exists("/run/systemd/timesync") ? File.Exists("/run/systemd/timesync/synchronized") : null,
            Now = time.GetUtcNow(),
            Built = new DateTimeOffset(File.GetLastWriteTimeUtc(Environment.ProcessPath ?? "/proc/self/exe"), TimeSpan.Zero),
            MaxWatches = int.TryParse(Text("/proc/sys/fs/inotify/max_user_instances"), out var watches) ? watches : int.MaxValue,
        };
    }

    private static bool HasCapability(int bit)
    {
        var line = Lines("/proc/self/status").FirstOrDefault(l => l.StartsWith("CapEff:", StringComparison.Ordinal));
        return line is not null && ulong.TryParse(line.Split('\t')[1], System.Globalization.NumberStyles.HexNumber, null, out var set) && (set & (1ul << bit)) != 0;
    }

    private static async Task<double> InodesFreeAsync(string directory, CancellationToken cancellationToken)
    {
        var (exit, output, _) = await RunAsync("/usr/bin/stat", ["-f", "-c", "%d %c", directory], null, cancellationToken);
        var numbers = output.Split(' ', StringSplitOptions.TrimEntries);
        // File systems without a table of inodes (btrfs) say 0 of 0.
        return exit == 0 && numbers.Length == 2 && double.TryParse(numbers[0], out var free) && double.TryParse(numbers[1], out var all) && all > 0 ? free / all : 1;
    }

    private static string Existing(string directory)
    {
        while (!Directory.Exists(directory))
            directory = Path.GetDirectoryName(directory) ?? "/";
        return directory;
    }

    private static long Kilobytes(string text) => long.TryParse(text.Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(), out var number) ? number * 1024 : 0;

    private static string Text(string path) => File.Exists(path) ? File.ReadAllText(path).Trim() : "";

    private static IReadOnlyList<string> Lines(string path) => File.Exists(path) ? File.ReadAllLines(path) : [];

    private static async Task<string> FirstLineAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var (_, output, errors) = await RunAsync(program, arguments, null, cancellationToken);
        return (output.Length > 0 ? output : errors).Split('\n')[0].Trim();
    }

    internal static async Task<(int Exit, string Output, string Errors)> RunAsync(string program, IReadOnlyList<string> arguments, string? input, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ToolPatience);
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false });
            if (process is null)
                return (-1, "", "it did not start");
            try
            {
                var (output, errors) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
                await process.StandardInput.WriteAsync((input ?? "").AsMemory(), limit.Token);
                process.StandardInput.Close();
                await process.WaitForExitAsync(limit.Token);
                return (process.ExitCode, await output, await errors);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                process.Kill();
                return (-1, "", $"{Path.GetFileName(program)} does not end");
            }
        }
        catch (Exception refused) when (refused is System.ComponentModel.Win32Exception or IOException)
        {
            return (-1, "", refused.Message);
        }
    }
}
