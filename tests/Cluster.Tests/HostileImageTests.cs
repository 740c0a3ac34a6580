using System.Formats.Tar;
using System.Text;
using Weft.Cluster.Tests.Kit;
using Weft.Node.Tests.Runtime;
using Weft.Testing;

namespace Weft.Cluster.Tests;

/// <summary>
/// Images made to reach out of their container. Each case names a directory of this machine with a file in it that nothing may read, change or take away.
/// </summary>
[Collection(ContainerClusterCollection.Name)]
public sealed class HostileImageTests(ContainerCluster cluster)
{
    private const string Content = "the-machines-own\n";

    /// <summary>A directory of the machine, and a namespace whose pods try to reach it.</summary>
    private sealed class Trap(ContainerCluster cluster, TestNamespace ns) : IAsyncDisposable
    {
        private readonly TempDir _directory = new();

        internal TestNamespace Namespace => ns;
        internal string Outside => _directory.Path;
        internal string Secret => _directory.File("secret");

        internal static async Task<Trap> SetAsync(ContainerCluster cluster)
        {
            var trap = new Trap(cluster, await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]));
            await File.WriteAllTextAsync(trap.Secret, Content);
            return trap;
        }

        /// <summary>Loads the image and starts a pod of it that runs once.</summary>
        internal async Task RunAsync(TestImage image, string more = "")
        {
            var name = image.Name[(image.Name.LastIndexOf('/') + 1)..image.Name.LastIndexOf(':')];
            using var archives = new TempDir();
            image.Write(archives.File("image.tar"));
            (await cluster.WeftAsync("image", "load", archives.File("image.tar"))).Succeeded();
            await ns.ApplyAsync($$"""
                apiVersion: v1
                kind: Pod
                metadata: {name: {{name}}}
                spec:
                  restartPolicy: Never
                  terminationGracePeriodSeconds: 1
                  containers: [{name: main, image: "{{image.Name}}"{{more}}}]
                """);
        }

        internal Task EndedAsync(string pod) => ns.EventuallyAsync($"{pod} ended", async () => await ns.GetAsync("{.status.phase}", "pod/" + pod) is "Succeeded" or "Failed");

        internal async Task WaitsAsync(string pod, string because) => await ns.EventuallyAsync($"{pod} says: {because}", async () =>
            (await ns.GetAsync("{.status.containerStatuses[*].state.waiting.message}{.status.containerStatuses[*].state.terminated.message}", "pod/" + pod)).Contains(because, StringComparison.Ordinal));

        /// <summary>Nothing outside was touched, and the node runs honest pods.</summary>
        public async ValueTask DisposeAsync()
        {
            await ns.ApplyAsync("""
                apiVersion: v1
                kind: Pod
                metadata: {name: honest}
                spec:
                  terminationGracePeriodSeconds: 1
                  containers: [{name: main, image: busybox, command: [sleep, "100000"]}]
                """);
            (await ns.KubectlAsync("wait", "--for=condition=Ready", "pod/honest", "--timeout=120s")).Succeeded();
            Assert.Equal([Secret], Directory.EnumerateFileSystemEntries(Outside));
            Assert.Equal(Content, await File.ReadAllTextAsync(Secret));
            await ns.DisposeAsync();
            _directory.Dispose();
        }
    }

    private static PaxTarEntry Regular(string name, string text) => new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)), Mode = (UnixFileMode)0b110_100_100 };

    private static PaxTarEntry Link(string name, string target, TarEntryType type = TarEntryType.SymbolicLink) => new(type, name) { LinkName = target };

    private static readonly string Up = string.Concat(Enumerable.Repeat("../", 24));

    [Fact]
    public async Task Names_and_links_that_lead_out_of_a_layer_end_within_the_container()
    {
        await using var trap = await Trap.SetAsync(cluster);
        var outside = trap.Outside.TrimStart('/');
        await trap.RunAsync(new TestImage("hostile/leads-out:1")
        {
            Command = ["sh", "-c", $"cat {trap.Secret}; ls {trap.Outside}"],
            Entries =
            [
                Regular(Up + outside + "/dots", "x"), Regular("/" + outside + "/absolute", "x"),
                Link("escape", trap.Outside), Regular("escape/through", "x"),
                Link("climb", Up + outside), Regular("climb/climbed", "x"), Regular("climb/.wh.secret", ""), Regular(Up + outside + "/.wh.secret", ""), Regular("escape/.wh..wh..opq", ""),
            ],
        });
        await trap.EndedAsync("leads-out");

        var log = (await trap.Namespace.KubectlAsync("logs", "leads-out")).Succeeded();
        Assert.DoesNotContain(Content.Trim(), log, StringComparison.Ordinal);
        Assert.Contains("absolute", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hard_link_to_a_file_of_the_machine_keeps_the_image_from_being_unpacked()
    {
        await using var trap = await Trap.SetAsync(cluster);
        await trap.RunAsync(new TestImage("hostile/hard:1") { Command = ["cat", "/hard"], Entries = [Link("hard", trap.Secret, TarEntryType.HardLink)] });
        await trap.WaitsAsync("hard", "hard");
    }

    [Fact]
    public async Task Devices_of_a_layer_open_nothing()
    {
        await using var trap = await Trap.SetAsync(cluster);
        await trap.RunAsync(new TestImage("hostile/devices:1")
        {
            Command = ["sh", "-c", "head -c 1 /memory && echo read-memory; head -c 1 /disk && echo read-disk; head -c 1 /kmsg && echo read-kmsg; echo done"],
            Entries =
            [
                new(TarEntryType.CharacterDevice, "memory") { DeviceMajor = 1, DeviceMinor = 1, Mode = (UnixFileMode)0b110_110_110 },
                new(TarEntryType.BlockDevice, "disk") { DeviceMajor = 7, DeviceMinor = 0, Mode = (UnixFileMode)0b110_110_110 },
                new(TarEntryType.CharacterDevice, "kmsg") { DeviceMajor = 1, DeviceMinor = 11, Mode = (UnixFileMode)0b110_110_110 },
            ],
        });
        await trap.EndedAsync("devices");

        var log = (await trap.Namespace.KubectlAsync("logs", "devices")).Succeeded();
        Assert.Contains("done", log, StringComparison.Ordinal);
        Assert.DoesNotContain("read-", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Links_where_the_node_mounts_its_own_files_are_followed_within_the_container_alone()
    {
        await using var trap = await Trap.SetAsync(cluster);
        await trap.RunAsync(new TestImage("hostile/mounts:1")
        {
            Command = ["sh", "-c", "grep -c nameserver /etc/resolv.conf; hostname; echo bye > /dev/termination-log; ls /var/run/secrets/kubernetes.io/serviceaccount"],
            Entries =
            [
                Link("etc/resolv.conf", trap.Secret), Link("etc/hosts", Up + trap.Outside.TrimStart('/') + "/hosts"), Link("etc/hostname", trap.Outside + "/hostname"), Link("dev/termination-log", trap.Outside + "/message"),
                new(TarEntryType.Directory, "var") { Mode = (UnixFileMode)0b111_101_101 }, new(TarEntryType.Directory, "var/run") { Mode = (UnixFileMode)0b111_101_101 }, Link("var/run/secrets", trap.Outside),
            ],
        });
        await trap.EndedAsync("mounts");

        var log = (await trap.Namespace.KubectlAsync("logs", "mounts")).Succeeded();
        Assert.StartsWith("1\nmounts\n", log, StringComparison.Ordinal);
        Assert.Contains("token", log, StringComparison.Ordinal);
        Assert.Equal("bye\n", await trap.Namespace.GetAsync("{.status.containerStatuses[0].state.terminated.message}", "pod/mounts"));
    }

    [Fact]
    public async Task A_working_directory_of_a_descriptor_shows_nothing_of_the_machine()
    {
        await using var trap = await Trap.SetAsync(cluster);
        // CVE-2024-21626: a descriptor of the machine's file system that the runtime left open.
        foreach (var descriptor in (int[])[7, 8])
        {
            await trap.RunAsync(new TestImage($"hostile/cwd-{descriptor}:1") { Directory = $"/proc/self/fd/{descriptor}", Command = ["cat", "../../../../../../.." + trap.Secret] });
            await trap.EndedAsync($"cwd-{descriptor}");
            Assert.DoesNotContain(Content.Trim(), (await trap.Namespace.KubectlAsync("logs", $"cwd-{descriptor}")).Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_user_that_is_root_by_another_name_is_not_taken_for_somebody_else()
    {
        await using var trap = await Trap.SetAsync(cluster);
        var image = new TestImage("hostile/alias:1") { User = "nobody-special", Command = ["id"], Entries = [Regular("etc/passwd", "nobody-special:x:0:0::/:/bin/sh\n")] };
        await trap.RunAsync(image, ", securityContext: {runAsNonRoot: true}");
        await trap.WaitsAsync("alias", "non-root");
        await trap.RunAsync(new TestImage("hostile/zero:1") { User = "00", Command = ["id"] }, ", securityContext: {runAsNonRoot: true}");
        await trap.WaitsAsync("zero", "will run as root");
    }

    [Fact]
    public async Task A_user_beyond_the_largest_number_does_not_become_root()
    {
        await using var trap = await Trap.SetAsync(cluster);
        // CVE-2024-40635: 4294967296 is 0 where only 32 bits are looked at.
        foreach (var (name, user) in (IEnumerable<(string, string)>)[("wraps", "4294967296"), ("signed", "2147483648")])
        {
            await trap.RunAsync(new TestImage($"hostile/{name}:1") { User = user, Command = ["id"] });
            await trap.WaitsAsync(name, $"the image's user {user} is out of range");
        }

        // The group is containerd's to read: it may refuse it, it may not make root's of it.
        await trap.RunAsync(new TestImage("hostile/group:1") { User = "1000:4294967296", Command = ["sh", "-c", "id; sleep 1"] });
        await trap.Namespace.EventuallyAsync("the group is refused, or is no other", async () =>
            await trap.Namespace.GetAsync("{.status.phase}{.status.containerStatuses[*].state.waiting.message}", "pod/group") is not ("Pending" or "Running"));
        Assert.DoesNotContain("gid=0", (await trap.Namespace.KubectlAsync("logs", "group")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("absent", "/no/such/program")]
    [InlineData("data", "/etc/group")]
    [InlineData("folder", "/tmp")]
    public async Task An_entry_point_that_cannot_run_ends_its_container_and_says_why(string name, string program)
    {
        await using var trap = await Trap.SetAsync(cluster);
        await trap.RunAsync(new TestImage($"hostile/{name}:1") { Entrypoint = [program] });
        await trap.EndedAsync(name);
        Assert.Equal("StartError 128", await trap.Namespace.GetAsync("{.status.containerStatuses[0].state.terminated.reason} {.status.containerStatuses[0].state.terminated.exitCode}", "pod/" + name));
        Assert.NotEqual("", await trap.Namespace.GetAsync("{.status.containerStatuses[0].state.terminated.message}", "pod/" + name));
    }
}
