using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Node.Interop;

namespace Weft.Node.Runtime.Cri;

/// <summary>What of the machine decides about containerd's settings.</summary>
/// <param name="CanLowerOomScore">Without CAP_SYS_RESOURCE no process may have a lower OOM score than the one that starts it.</param>
/// <param name="HybridCgroups">A cgroup version 2 tree beside those of version 1: crun refuses to work while it sees it.</param>
/// <param name="OverlayWorks">False where the data directory itself is an overlay, which the kernel does not stack as an upper layer.</param>
internal sealed record ContainerMachine(bool AppArmor, bool CanLowerOomScore, int OwnOomScore, IReadOnlyList<string> HybridCgroups, bool OverlayWorks, string CniDirectory)
{
    public static ContainerMachine Read(CriRuntimeOptions options)
    {
        const int SysResource = 24;
        var mounts = Mounts.List();
        var data = mounts.Where(m => Process.PathRules.IsWithin(options.DataDir, m.MountPoint)).MaxBy(m => m.MountPoint.Length);
        var capabilities = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("CapEff:", StringComparison.Ordinal))?[7..].Trim() ?? "0";
        return new(
            AppArmor: File.Exists("/sys/module/apparmor/parameters/enabled") && File.ReadAllText("/sys/module/apparmor/parameters/enabled").StartsWith('Y'),
            CanLowerOomScore: (Convert.ToUInt64(capabilities, 16) & (1ul << SysResource)) != 0,
            OwnOomScore: int.TryParse(File.ReadAllText("/proc/self/oom_score_adj"), out var own) ? own : 0,
            HybridCgroups: [.. mounts.Where(m => m.FileSystem == "cgroup2" && m.MountPoint != "/sys/fs/cgroup").Select(m => m.MountPoint)],
            OverlayWorks: data?.FileSystem != "overlay",
            CniDirectory: options.Network.Path.FirstOrDefault(d => File.Exists(Path.Combine(d, "ptp"))) ?? options.Network.Path[0]);
    }
}

/// <summary>The files that containerd reads. Pure.</summary>
internal static class ContainerdConfig
{
    /// <summary>config.toml, version 2 (containerd 1.3 and later).</summary>
    public static string Toml(CriRuntimeOptions options, ContainerMachine machine)
    {
        var paths = new CriPaths(options);
        var text = new StringBuilder();
        text.Append($"""
            # Written by weft at each start of the node.
            version = 2
            root = {Quote(paths.Root)}
            state = {Quote(paths.State)}
            disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]

            [debug]
              level = "warn"

            [grpc]
              address = {Quote(paths.Socket)}

            [plugins."io.containerd.internal.v1.opt"]
              path = {Quote(paths.Opt)}

            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = {Quote(options.SandboxImage)}
              # Where a sandbox may not be protected from the OOM killer, asking for it makes every start fail.
              restrict_oom_score_adj = {Bool(!machine.CanLowerOomScore)}
              disable_apparmor = {Bool(!machine.AppArmor)}
              netns_mounts_under_state_dir = true
              enable_unprivileged_ports = true
              enable_unprivileged_icmp = true
              stream_server_address = "127.0.0.1"
              stream_server_port = "0"

            [plugins."io.containerd.grpc.v1.cri".cni]
              bin_dir = {Quote(machine.CniDirectory)}
              conf_dir = {Quote(paths.CniConfig)}

            [plugins."io.containerd.grpc.v1.cri".registry]
              config_path = {Quote(paths.Certs)}

            [plugins."io.containerd.grpc.v1.cri".containerd]
              default_runtime_name = "weft"
              snapshotter = "{(machine.OverlayWorks ? "overlayfs" : "native")}"

            """);
        foreach (var (name, program) in options.NamedHandlers.OrderBy(h => h.Key).Prepend(new("weft", options.Handler)))
        {
            text.Append($"""


                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{name}]
                  runtime_type = "io.containerd.runc.v2"

                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{name}.options]
                  BinaryName = {Quote(program)}
                  Root = {Quote(paths.HandlerState)}
                  SystemdCgroup = false
                """);
        }
        return text.Append('\n').ToString();
    }

    /// <summary>The mirror of every registry (containerd's certs.d, "_default"): it is asked with `?ns=` and the registry's name.</summary>
    public static string Hosts(RegistryMirror mirror)
    {
        var text = new StringBuilder($"[host.{Quote(mirror.Server)}]\n  capabilities = [\"pull\", \"resolve\"]\n");
        if (mirror.CaFile is { } ca)
            text.Append($"  ca = {Quote(ca)}\n");
        if (mirror is { ClientCertFile: { } certificate, ClientKeyFile: { } key })
            text.Append($"  client = [[{Quote(certificate)}, {Quote(key)}]]\n");
        return text.ToString();
    }

    /// <summary>The same network as that of process pods (<see cref="Network.Netlink.PodNetwork"/>), under the same name: host-local keeps addresses by name.</summary>
    public static string ConfList(Network.CniOptions network) => new JsonObject
    {
        ["cniVersion"] = "0.4.0",   // what containerd 1.6's library writes results in
        ["name"] = network.Name,
        ["plugins"] = new JsonArray
        {
            new JsonObject
            {
                ["type"] = "ptp",
                ["ipMasq"] = false,
                ["mtu"] = network.Mtu,
                ["ipam"] = new JsonObject
                {
                    ["type"] = "host-local",
                    ["dataDir"] = network.IpamDirectory,
                    ["ranges"] = new JsonArray { new JsonArray { new JsonObject { ["subnet"] = network.PodCidr } } },
                    ["routes"] = new JsonArray { new JsonObject { ["dst"] = "0.0.0.0/0" } },
                },
            },
        },
    }.ToJsonString(new JsonSerializerOptions { WriteIndented = true });

    private static string Bool(bool value) => value ? "true" : "false";

    // A TOML basic string has JSON's escapes, except those of halves of a character.
    private static string Quote(string text) => JsonSerializer.Serialize(text, Unescaped);

    private static readonly JsonSerializerOptions Unescaped = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
