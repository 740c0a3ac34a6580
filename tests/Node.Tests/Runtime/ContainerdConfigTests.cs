using System.Text.Json.Nodes;
using Weft.Node.Network;
using Weft.Node.Runtime;
using Weft.Node.Runtime.Cri;
using Weft.Node.Runtime.Cri.Wire;

namespace Weft.Node.Tests.Runtime;

public sealed class ContainerdConfigTests
{
    private static readonly CriRuntimeOptions Options = new()
    {
        ClusterName = "c",
        DataDir = "/data/a \"b\"",
        RunDir = "/run/x",
        Network = new("weft-c", "10.1.0.0/24", "/ipam", "", ["/cni"], 1400),
        Handler = "/usr/bin/crun",
        NamedHandlers = new Dictionary<string, string> { ["runc"] = "/usr/sbin/runc" },
    };

    [Fact]
    public void All_four_places_are_named_and_what_the_machine_cannot_do_is_not_asked_for()
    {
        var text = ContainerdConfig.Toml(Options, new(AppArmor: false, CanLowerOomScore: false, 0, [], OverlayWorks: false, "/cni"));

        foreach (var line in new[]
        {
            "root = \"/data/a \\\"b\\\"/containerd\"", "state = \"/run/x/ctd\"", "address = \"/run/x/ctd/c.sock\"", "path = \"/data/a \\\"b\\\"/containerd/opt\"",
            "restrict_oom_score_adj = true", "disable_apparmor = true", "snapshotter = \"native\"", "BinaryName = \"/usr/bin/crun\"", "runtimes.runc.options]", "bin_dir = \"/cni\"",
        })
            Assert.Contains(line, text);
        var able = ContainerdConfig.Toml(Options, new(AppArmor: true, CanLowerOomScore: true, 0, [], OverlayWorks: true, "/cni"));
        Assert.Contains("restrict_oom_score_adj = false", able);
        Assert.Contains("disable_apparmor = false", able);
        Assert.Contains("snapshotter = \"overlayfs\"", able);
        Assert.Equal(["", "runc"], Options.Handlers.Order());
    }

    [Fact]
    public void The_mirror_of_all_registries_takes_pulls_with_its_own_authority_and_certificate()
    {
        Assert.Equal("[host.\"http://127.0.0.1:5000\"]\n  capabilities = [\"pull\", \"resolve\"]\n", ContainerdConfig.Hosts(new("http://127.0.0.1:5000")));
        var remote = ContainerdConfig.Hosts(new("https://10.0.0.1:6443", "/ca.pem", "/c.pem", "/k.pem"));
        Assert.Contains("ca = \"/ca.pem\"", remote);
        Assert.Contains("client = [[\"/c.pem\", \"/k.pem\"]]", remote);
    }

    [Fact]
    public void The_network_is_that_of_process_pods()
    {
        var plugin = JsonNode.Parse(ContainerdConfig.ConfList(Options.Network))!["plugins"]![0]!;
        Assert.Equal(("ptp", false, 1400, "/ipam"), ((string?)plugin["type"], (bool)plugin["ipMasq"]!, (int)plugin["mtu"]!, (string?)plugin["ipam"]!["dataDir"]));
    }

    [Fact]
    public void A_specification_comes_back_whole_from_its_annotation()
    {
        var spec = new SandboxSpec
        {
            PodUid = "u", Namespace = "n", Name = "p", Hostname = "h", Attempt = 3, SharedPid = true, RuntimeHandler = "runc", LogDirectory = "/l",
            Labels = new Dictionary<string, string> { ["a"] = "b" }, Sysctls = new Dictionary<string, string> { ["net.x"] = "1" },
        };
        var config = CriMapping.Sandbox(spec, "/weft-c");
        Assert.Equal(("/weft-c/podu", "h", NamespaceMode.Pod), (config.Linux.CgroupParent, config.Hostname, config.Linux.SecurityContext.NamespaceOptions.Pid));
        var back = CriMapping.Sandbox("id", PodSandboxState.SandboxNotready, 1_000_000_000, config.Annotations, new() { Ip = "1.2.3.4" })!;
        Assert.Equivalent(spec, back.Spec, strict: true);
        Assert.Equal((false, "1.2.3.4", 1L), (back.Ready, back.Ips[0], back.CreatedAt.ToUnixTimeSeconds()));
        Assert.Equal("", CriMapping.Sandbox(spec with { HostNetwork = true }, "/weft-c").Hostname);
        Assert.Null(CriMapping.Sandbox("id", PodSandboxState.SandboxReady, 1, new Dictionary<string, string> { [CriMapping.SandboxAnnotation] = "{" }, null));
    }

    [Fact]
    public void A_reason_is_one_of_an_end_alone()
    {
        var status = new ContainerStatus { Id = "c", Metadata = new() { Name = "n", Attempt = 2 }, State = ContainerState.ContainerRunning, CreatedAt = 1, StartedAt = 5_000_000_000, Reason = "OOMKilled" };
        Assert.Null(CriMapping.Container("s", status));   // not one of ours
        var config = CriMapping.Container(
            new SandboxSpec { PodUid = "u", Namespace = "n", Name = "p", Hostname = "h" },
            new ContainerSpec { Name = "n", Attempt = 2, SpecHash = "hash", Command = [], LogPath = "/l/x.log", Capabilities = ["CAP_CHOWN", "kill"], OomScoreAdjust = -997 }, "img", (null, null, null), -5);
        Assert.Equal(["ALL"], config.Linux.SecurityContext.Capabilities.DropCapabilities);
        Assert.Equal(["CHOWN", "kill"], config.Linux.SecurityContext.Capabilities.AddCapabilities);
        Assert.Equal((-5, "l/x.log"), (config.Linux.Resources.OomScoreAdj, config.LogPath));
        Assert.Contains("/proc/kcore", config.Linux.SecurityContext.MaskedPaths);
        status.Annotations.Add(config.Annotations);

        Assert.Equal((RunState.Running, null), (CriMapping.Container("s", status)!.State, CriMapping.Container("s", status)!.Reason));
        status.State = ContainerState.ContainerExited;
        (status.ExitCode, status.FinishedAt) = (137, 4_000_000_000);   // noted before its start
        var ended = CriMapping.Container("s", status)!;
        Assert.Equal((137, "OOMKilled", "hash", "/l/x.log", 5L), (ended.ExitCode, ended.Reason, ended.SpecHash, ended.LogPath, ended.FinishedAt!.Value.ToUnixTimeSeconds()));
    }
}
