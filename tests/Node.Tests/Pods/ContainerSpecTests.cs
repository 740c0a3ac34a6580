using System.Text;
using Weft.Api;
using Weft.Api.Core;
using Weft.Node.Pods;
using Weft.Node.Runtime;
using Weft.Node.Runtime.Process;

namespace Weft.Node.Tests.Pods;

public sealed class ContainerSpecTests
{
    private static readonly ContainerContext Context = new(
        World.Node, ["10.1.0.5"],
        new(new Dictionary<string, ConfigMap?> { ["settings"] = new() { Data = new Dictionary<string, string> { ["COLOUR"] = "red" } } },
            new Dictionary<string, Secret?> { ["keys"] = new() { Data = new Dictionary<string, byte[]> { ["password"] = Encoding.UTF8.GetBytes("pw") } } }),
        new Dictionary<string, string> { ["v"] = "/host/v" }, new PodDirectories("/data"),
        new ProcessContainerPolicy([new("dev", 1000, 1001, "/home/dev"), new("nobody", 65534, 65534, "/nonexistent")]), ulong.MaxValue,
        new Dictionary<string, string> { ["KUBERNETES_SERVICE_HOST"] = "10.1.0.1" }, (volume, sub) => volume + "/" + sub);

    private static ContainerSpec Create(string spec, string? metadata = null)
    {
        var pod = World.Pod(spec, metadata);
        return ContainerSpecFactory.Create(pod, pod.Spec.Containers[0], 0, Context);
    }

    [Theory]
    [InlineData("$(A)", "1")]
    [InlineData("x$(A)$(B)y", "x12y")]
    [InlineData("$$(A)", "$(A)")]
    [InlineData("$(C)", "$(C)")]
    [InlineData("$(A", "$(A")]
    [InlineData("100$", "100$")]
    [InlineData("$$$$", "$$")]
    [InlineData("$x", "$x")]
    public void Variables_expand_as_in_kubernetes(string text, string expected) =>
        Assert.Equal(expected, VariableExpansion.Expand(text, name => name switch { "A" => "1", "B" => "2", _ => null }));

    [Fact]
    public void Environment_comes_from_values_maps_secrets_and_the_pod()
    {
        var spec = Create("""
            {"containers":[{"name":"a","command":["run","$(COLOUR)"],"args":["$(UNKNOWN)"],
              "envFrom":[{"prefix":"P_","configMapRef":{"name":"settings"}},{"configMapRef":{"name":"settings"}},{"secretRef":{"name":"none","optional":true}}],
              "env":[{"name":"PW","valueFrom":{"secretKeyRef":{"name":"keys","key":"password"}}},
                     {"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}},
                     {"name":"APP","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['app']"}}},
                     {"name":"CPU","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}},
                     {"name":"MEM","valueFrom":{"resourceFieldRef":{"resource":"requests.memory","divisor":"1Mi"}}},
                     {"name":"URL","value":"http://$(IP)/$(PW)"}],
              "resources":{"requests":{"memory":"100Mi"}}}]}
            """, """{"labels":{"app":"shop"}}""");

        var environment = spec.Environment.ToDictionary(e => e.Key, e => e.Value);
        Assert.Equal(["run", "red", "$(UNKNOWN)"], spec.Command);
        Assert.Equal(("red", "red", "pw", "10.1.0.5"), (environment["P_COLOUR"], environment["COLOUR"], environment["PW"], environment["IP"]));
        Assert.Equal(("shop", "4", "100", "http://10.1.0.5/pw"), (environment["APP"], environment["CPU"], environment["MEM"], environment["URL"]));
        Assert.Equal("10.1.0.1", environment["KUBERNETES_SERVICE_HOST"]);
    }

    [Theory]
    [InlineData("""{"containers":[{"name":"a"}]}""", "has no command")]
    [InlineData("""{"containers":[{"name":"a","command":["x"],"env":[{"name":"V","valueFrom":{"configMapKeyRef":{"name":"settings","key":"k"}}}]}]}""", "couldn't find key k in ConfigMap default/settings")]
    [InlineData("""{"containers":[{"name":"a","command":["x"],"envFrom":[{"secretRef":{"name":"gone"}}]}]}""", "secret \"gone\" not found")]
    [InlineData("""{"containers":[{"name":"a","command":["x"],"volumeMounts":[{"name":"w","mountPath":"/w"}]}]}""", "mounts volume 'w'")]
    [InlineData("""{"securityContext":{"seccompProfile":{"type":"Localhost","localhostProfile":"x"}},"containers":[{"name":"a","command":["x"]}]}""", "seccomp profile 'Localhost' x")]
    [InlineData("""{"securityContext":{"runAsUser":0,"runAsNonRoot":true},"containers":[{"name":"a","command":["x"]}]}""", "runAsNonRoot")]
    public void What_is_missing_is_named(string spec, string expected) =>
        Assert.Contains(expected, Assert.Throws<ContainerConfigException>(() => Create(spec)).Message);

    [Fact]
    public void A_process_runs_as_nobody_without_rights_unless_the_pod_asks()
    {
        var plain = Create("""{"containers":[{"name":"a","command":["x"]}]}""");
        Assert.Equal((65534u, 65534u, true), (plain.User.Uid, plain.User.Gid, plain.NoNewPrivileges));
        Assert.Empty(plain.Capabilities);
        Assert.Contains(plain.Environment, e => e is { Key: "HOME", Value: "/tmp" });

        var dev = Create("""{"securityContext":{"runAsUser":1000,"supplementalGroups":[7],"fsGroup":8},"containers":[{"name":"a","command":["x"],"securityContext":{"capabilities":{"add":["NET_ADMIN"]}}}]}""");
        Assert.Equal((1000u, 1001u), (dev.User.Uid, dev.User.Gid));
        Assert.Equal([7u, 8u], dev.User.Groups);
        Assert.Equal(["CAP_NET_ADMIN"], dev.Capabilities);

        var root = Create("""{"containers":[{"name":"a","command":["x"],"securityContext":{"runAsUser":0,"capabilities":{"drop":["ALL"],"add":["NET_BIND_SERVICE"]}}}]}""");
        Assert.Equal(["CAP_NET_BIND_SERVICE"], root.Capabilities);
    }

    [Fact]
    public void Capabilities_that_the_agent_lacks_are_not_asked_for() =>
        Assert.Empty(CapabilitySets.Of(new SecurityContext { Capabilities = new() { Add = ["SYS_ADMIN", "ALL"] } }, [], own: 0));

    [Fact]
    public void Limits_and_mounts_are_translated()
    {
        var spec = Create("""
            {"volumes":[{"name":"v","configMap":{"name":"settings"}}],
             "containers":[{"name":"a","command":["x"],"resources":{"limits":{"cpu":"250m","memory":"64Mi"},"requests":{"cpu":"100m"}},
              "volumeMounts":[{"name":"v","mountPath":"/deep/er","subPath":"s"},{"name":"v","mountPath":"/etc/hosts"}],"terminationMessagePath":"/dev/msg"}]}
            """);

        Assert.Equal((67108864L, 25000L, 102L), (spec.Limits.MemoryBytes, spec.Limits.CpuQuota, spec.Limits.CpuShares));
        Assert.Contains(new ContainerMount("/host/v/s", "/deep/er", ReadOnly: true), spec.Mounts);
        Assert.Single(spec.Mounts, m => m.ContainerPath == "/etc/hosts");   // the pod's own wins
        Assert.Contains(spec.Mounts, m => m.ContainerPath == "/dev/msg");
    }

    [Fact]
    public void The_bundle_hides_the_clusters_state_and_never_lowers_the_oom_score_below_the_agents()
    {
        var spec = Create("""{"containers":[{"name":"a","command":["x"],"resources":{"limits":{"cpu":"1","memory":"1Gi"}}}]}""");
        Assert.Equal(-997, spec.OomScoreAdjust);

        var config = Bundle.Config(spec, new BundleContext("/root", "/s", "/t", World.Sandbox().Spec, "/weft/x", 200, ["/var/lib/weft"], ["/tmp/build"], ["/home"]));

        Assert.Equal(200, (int)config["process"]!["oomScoreAdj"]!);
        Assert.Contains("/var/lib/weft", config["linux"]!["maskedPaths"]!.AsArray().Select(p => (string)p!));
        Assert.Equal(["mount", "uts", "pid", "network", "ipc"], config["linux"]!["namespaces"]!.AsArray().Select(n => (string)n!["type"]!));
        var destinations = config["mounts"]!.AsArray().Select(m => (string)m!["destination"]!).ToList();
        Assert.True(destinations.IndexOf("/home") < destinations.IndexOf("/proc"));
        Assert.True(destinations.IndexOf("/tmp") < destinations.IndexOf("/tmp/build"));
        Assert.False(config["process"]!["capabilities"]!.AsObject().ContainsKey("inheritable"));
    }

    [Theory]
    [InlineData("/tmp/app/bin/run", "/tmp/app/bin")]
    [InlineData("/tmp/lone", "/tmp/lone")]
    [InlineData("/tmp/app", "/tmp/app")]
    [InlineData("/tmp/../etc/passwd", "")]
    [InlineData("/usr/bin/python3", "")]
    [InlineData("/tmp/absent", "")]
    public void Programs_below_tmp_stay_visible_in_a_pods_own_tmp(string argument, string expected) =>
        Assert.Equal(expected, string.Join(',', PathRules.VisibleTemporary([argument], null, p => p is "/tmp/app/bin/run" or "/tmp/lone" or "/etc/passwd", p => p is "/tmp/app" or "/tmp/app/bin")));

    [Fact]
    public void A_hostname_has_at_most_63_bytes()
    {
        var pod = World.Pod("""{"containers":[]}""", $$"""{"name":"{{new string('a', 62)}}-bc"}""");

        Assert.Equal(new string('a', 62), PodNames.Hostname(pod));
    }
}
