using Weft.Api.Core;
using Weft.Node.Pods;
using Weft.Node.Pressure;
using Weft.Node.Runtime;
using Weft.Node.Tests.Images;

namespace Weft.Node.Tests.Pods;

public sealed class ImageContainerTests
{
    private static ContainerSpec Create(string spec, ImageInfo? image = null)
    {
        var pod = World.Pod(spec);
        return ContainerSpecFactory.Create(pod, pod.Spec.Containers[0], 0, new ContainerContext(
            World.Node, ["10.1.0.5"], ReferencedObjects.None, new Dictionary<string, string> { ["v"] = "/host/v" }, new PodDirectories("/data"),
            new ImageContainerPolicy(image ?? FakeImages.Image("nginx:1")), ulong.MaxValue, new Dictionary<string, string>(), (volume, sub) => volume + "/" + sub));
    }

    private static ContainerSpec Context(string context, ImageInfo? image = null, string pods = "{}") =>
        Create($$"""{"securityContext":{{pods}},"containers":[{"name":"a","image":"nginx:1","securityContext":{{context}}}]}""", image);

    [Fact]
    public void The_image_says_what_the_pod_leaves_open()
    {
        var spec = Create("""{"containers":[{"name":"a","image":"nginx:1"}]}""");

        Assert.Equal("sha256:nginx:1", spec.ImageId);
        Assert.Empty(spec.Command);
        Assert.Empty(spec.Args);
        Assert.Equal(new ProcessIdentity(null, null, []), spec.User with { Groups = [] });
        Assert.DoesNotContain(spec.Environment, e => e.Key is "PATH" or "HOME");
        Assert.Equal((false, true, false), (spec.NoNewPrivileges, spec.DefaultSeccomp, spec.Privileged));
        Assert.Equal(14, spec.Capabilities.Count);
        Assert.Contains("CAP_NET_RAW", spec.Capabilities);
    }

    [Fact]
    public void Command_and_arguments_stay_apart()
    {
        var spec = Create("""{"containers":[{"name":"a","image":"i","command":["x"],"args":["y","$(HOSTNAME)"]}]}""");

        Assert.Equal(["x"], spec.Command);
        Assert.Equal(["y", "web"], spec.Args);
    }

    [Theory]
    [InlineData("""{"runAsUser":0,"runAsNonRoot":true}""", null, null, "container's runAsUser breaks non-root policy (pod: \"web_default(u1)\", container: a)")]
    [InlineData("""{"runAsNonRoot":true}""", null, null, "container has runAsNonRoot and image will run as root (pod: \"web_default(u1)\", container: a)")]
    [InlineData("""{"runAsNonRoot":true}""", 0L, null, "container has runAsNonRoot and image will run as root (pod: \"web_default(u1)\", container: a)")]
    [InlineData("""{"runAsNonRoot":true}""", null, "app", "container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root (pod: \"web_default(u1)\", container: a)")]
    public void An_image_that_would_run_as_root_is_refused_where_the_pod_forbids_that(string context, long? uid, string? user, string message) =>
        Assert.Equal(message, Assert.Throws<ContainerConfigException>(() => Context(context, FakeImages.Image("nginx:1", uid, user))).Message);

    [Fact]
    public void A_numeric_user_of_the_image_or_the_pod_passes_the_check()
    {
        Assert.Null(Context("""{"runAsNonRoot":true}""", FakeImages.Image("nginx:1", 101)).User.Uid);
        Assert.Equal(5u, Context("""{"runAsNonRoot":true,"runAsUser":5}""", FakeImages.Image("nginx:1", user: "app")).User.Uid);
        Assert.Equal((101u, 7u), Context("""{"runAsGroup":7}""", FakeImages.Image("nginx:1", 101)).User is var u ? (u.Uid, u.Gid) : default);
        Assert.Equal([3u, 4u], Context("{}", pods: """{"supplementalGroups":[3],"fsGroup":4}""").User.Groups);
    }

    [Theory]
    [InlineData(1L << 31)]
    [InlineData(1L << 32)] // cut off it is root
    [InlineData(-1L)]
    public void An_images_user_that_is_no_user_is_refused_unless_the_pod_names_another(long uid)
    {
        var refusal = Assert.Throws<ContainerConfigException>(() => Context("{}", FakeImages.Image("nginx:1", uid)));
        Assert.Equal($"the image's user {uid} is out of range: a user is a number from 0 to 2147483647; name another with runAsUser", refusal.Message);
        Assert.Throws<ContainerConfigException>(() => Context("""{"runAsNonRoot":true,"runAsGroup":7}""", FakeImages.Image("nginx:1", uid)));
        Assert.Equal(5u, Context("""{"runAsUser":5}""", FakeImages.Image("nginx:1", uid)).User.Uid);
    }

    [Fact]
    public void The_largest_user_of_an_image_is_taken() =>
        Assert.Equal((uint?)int.MaxValue, Context("""{"runAsGroup":7}""", FakeImages.Image("nginx:1", int.MaxValue)).User.Uid);

    [Theory]
    [InlineData("""{"capabilities":{"drop":["ALL"]}}""", "")]
    [InlineData("""{"capabilities":{"drop":["ALL"],"add":["NET_BIND_SERVICE","cap_chown"]}}""", "CAP_CHOWN CAP_NET_BIND_SERVICE")]
    public void Capabilities_are_added_and_dropped(string context, string expected) => Assert.Equal(expected, string.Join(' ', Context(context).Capabilities));

    [Fact]
    public void All_capabilities_can_be_asked_for_without_some()
    {
        var all = Context("""{"capabilities":{"add":["ALL"],"drop":["SYS_ADMIN"]}}""").Capabilities;

        Assert.Equal(40, all.Count);
        Assert.DoesNotContain("CAP_SYS_ADMIN", all);
    }

    [Theory]
    [InlineData("""{"capabilities":{"add":["SYS_ADMINN"]}}""", "'SYS_ADMINN' is no capability")]
    [InlineData("""{"capabilities":{"drop":["NET-RAW"]}}""", "'NET-RAW' is no capability")]
    [InlineData("""{"seccompProfile":{"type":"Localhost","localhostProfile":"x.json"}}""", "seccomp profile 'Localhost' x.json")]
    public void What_cannot_be_given_is_refused_by_name(string context, string message) => Assert.Contains(message, Assert.Throws<ContainerConfigException>(() => Context(context)).Message);

    [Fact]
    public void Rights_follow_the_security_context()
    {
        Assert.True(Context("""{"allowPrivilegeEscalation":false}""").NoNewPrivileges);
        Assert.False(Context("""{"seccompProfile":{"type":"Unconfined"}}""").DefaultSeccomp);
        Assert.True(Context("""{"procMount":"Unmasked"}""").UnmaskedProc);
        Assert.True(Context("""{"readOnlyRootFilesystem":true}""").ReadOnlyRoot);
        var privileged = Context("""{"privileged":true}""");
        Assert.Equal((true, false, 41), (privileged.Privileged, privileged.DefaultSeccomp, privileged.Capabilities.Count));
    }

    [Theory]
    [InlineData("""{"securityContext":{"sysctls":[{"name":"net.ipv4.tcp_syncookies","value":"1"}]},"containers":[]}""", true, null)]
    [InlineData("""{"securityContext":{"sysctls":[{"name":"net/ipv4/tcp_syncookies","value":"1"}]},"containers":[]}""", true, null)]
    [InlineData("""{"securityContext":{"sysctls":[{"name":"net.ipv4.tcp_syncookies","value":"1"}]},"containers":[]}""", false, "SysctlForbidden")]
    [InlineData("""{"hostNetwork":true,"securityContext":{"sysctls":[{"name":"net.ipv4.tcp_syncookies","value":"1"}]},"containers":[]}""", true, "SysctlForbidden")]
    [InlineData("""{"securityContext":{"sysctls":[{"name":"kernel.core_pattern","value":"|/x"}]},"containers":[]}""", true, "SysctlForbidden")]
    [InlineData("""{"hostUsers":false,"containers":[]}""", true, "UserNamespacesNotSupported")]
    [InlineData("""{"os":{"name":"windows"},"containers":[]}""", true, "PodOSNotSupported")]
    public void What_no_waiting_cures_fails_the_pod(string spec, bool ofImages, string? reason) => Assert.Equal(reason, NodeAdmission.Check(World.Pod(spec), ofImages, NodeState.Well)?.Reason);

    [Theory]
    [InlineData("""{"containers":[{"name":"a"}]}""", true, false, "Evicted")]
    [InlineData("""{"containers":[{"name":"a","resources":{"requests":{"memory":"1Mi"}}}]}""", true, false, null)]
    [InlineData("""{"containers":[{"name":"a","resources":{"requests":{"memory":"1Mi"}}}]}""", false, true, "Evicted")]
    [InlineData("""{"priority":2000000000,"containers":[{"name":"a"}]}""", true, true, null)]
    [InlineData("""{"containers":[{"name":"a"}]}""", false, false, null)]
    public void A_node_under_pressure_takes_only_what_does_not_make_it_worse(string spec, bool memory, bool disk, string? reason) =>
        Assert.Equal(reason, NodeAdmission.Check(World.Pod(spec), true, new NodeState(new NodePressure(memory, disk, false), false))?.Reason);

    [Fact]
    public void A_full_domain_name_as_hostname_has_at_most_64_bytes()
    {
        Assert.Equal("web.sub.default.svc.cluster.local", PodNames.KernelHostname(World.Pod("""{"setHostnameAsFQDN":true,"subdomain":"sub","containers":[]}"""), "cluster.local", out var none));
        Assert.Null(none);
        PodNames.KernelHostname(World.Pod($$"""{"setHostnameAsFQDN":true,"subdomain":"{{new string('s', 40)}}","containers":[]}"""), "cluster.local", out var problem);
        Assert.Contains("is too long (64 characters is the max, 70 characters requested)", problem);
    }

    [Fact]
    public void A_status_shows_the_image_that_runs()
    {
        var pod = World.Pod("""{"volumes":[{"name":"s","secret":{"secretName":"x"}}],"containers":[{"name":"a","image":"nginx:1","volumeMounts":[{"name":"s","mountPath":"/s"}],"resources":{"requests":{"cpu":"1"}}}]}""");
        var image = FakeImages.Image("docker.io/library/nginx:1");
        var seen = World.Seen(World.Container("a", RunState.Running)) with { Images = new Dictionary<string, ImageInfo> { ["a-0"] = image } };

        var status = PodStatusBuilder.Build(pod, seen, World.Node, World.Now).ContainerStatuses[0];

        Assert.Equal(("docker.io/library/nginx:1", image.Digests[0], "a-0"), (status.Image, status.ImageID, status.ContainerID));
        Assert.Equal(("/s", true), (status.VolumeMounts[0].MountPath, status.VolumeMounts[0].ReadOnly));
        Assert.Equal("1", status.AllocatedResources["cpu"].ToString());
        // The next run of the agent does not know it, and keeps what the API says.
        var later = PodStatusBuilder.Build(pod with { Status = new() { ContainerStatuses = [status] } }, World.Seen(World.Container("a", RunState.Running)), World.Node, World.Now);
        Assert.Equal(image.Digests[0], later.ContainerStatuses[0].ImageID);
    }
}
