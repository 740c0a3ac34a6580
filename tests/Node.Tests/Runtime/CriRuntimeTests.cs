using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Weft.Api.Streams;
using Weft.Node.Interop;
using Weft.Node.Runtime;
using Weft.Node.Runtime.Cri;
using Weft.Testing;

namespace Weft.Node.Tests.Runtime;

[Collection("machine")]   // one at a time: sysctls are the machine's
public sealed class CriRuntimeTests
{
    private static string Text(MemoryStream stream) => Encoding.UTF8.GetString(stream.ToArray());

    [Fact]
    public async Task A_container_of_an_image_runs_with_the_pods_hostname_and_leaves_its_log_and_exit_code()
    {
        await using var machine = new CriFixture(1);
        var runtime = await machine.StartWithImagesAsync();
        var sandbox = await runtime.CreateSandboxAsync(machine.Pod("web"), default);
        Assert.StartsWith("10.214.1.", Assert.Single(sandbox.Ips));
        var spec = await machine.ContainerAsync("main", "sh", "-c", "id -u; hostname; echo $FROM_IMAGE; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; ls /; exit 3") with { DefaultSeccomp = true, NoNewPrivileges = true };
        var container = await machine.RunAsync(sandbox.Id, spec);
        Assert.Equal("uid-web", container.PodUid);

        var ended = await machine.EndedAsync(container.Id);

        Assert.Equal((3, "Error"), (ended.ExitCode, ended.Reason));
        Assert.True(ended.FinishedAt >= ended.StartedAt);
        Assert.Equal("0\nweb\nyes\nCapEff:\t0000000000000421\nNoNewPrivs:\t1\nSeccomp:\t2\nbin\ndev\netc\nproc\nroot\nsys\ntmp", await machine.OutputAsync(spec));
        Assert.Equal("uid-web", await runtime.Events.ReadAsync());

        await runtime.RemoveContainerAsync(container.Id, default);
        Assert.True(File.Exists(spec.LogPath));
        await runtime.RemoveSandboxAsync(sandbox.Id, default);
        var after = await runtime.ListAsync(default);
        Assert.Empty(after.Sandboxes);
        Assert.Empty(after.Containers);
        Assert.False(Directory.Exists($"/sys/fs/cgroup/memory{machine.Paths.CgroupParent}/poduid-web"));
    }

    [Fact]
    public async Task Exec_carries_ten_megabytes_exactly_ends_its_input_and_returns_the_exit_code()
    {
        await using var machine = new CriFixture(2);
        var runtime = await machine.StartWithImagesAsync();
        var sandbox = await runtime.CreateSandboxAsync(machine.Pod("exec"), default);
        var container = await machine.RunAsync(sandbox.Id, await machine.ContainerAsync("main", "sleep", "1000"));
        var bytes = new byte[10 * 1024 * 1024];
        new Random(7).NextBytes(bytes);

        var (output, error) = (new MemoryStream(), new MemoryStream());
        var exit = await runtime.ExecAsync(container.Id, ["sh", "-c", "sha256sum; echo oops >&2; exit 7"], new(new MemoryStream(bytes), output, error, false, null), default);
        Assert.Equal((7, Convert.ToHexStringLower(SHA256.HashData(bytes)) + "  -\n", "oops\n"), (exit, Text(output), Text(error)));

        var echo = new MemoryStream();
        Assert.Equal(0, await runtime.ExecAsync(container.Id, ["cat"], new(new MemoryStream(bytes), echo, null, false, null), default));
        Assert.True(bytes.AsSpan().SequenceEqual(echo.ToArray()));

        // What is left in the background holds the output open and is not waited for.
        var left = new MemoryStream();
        Assert.Equal(0, await Eventually.EndsAsync(runtime.ExecAsync(container.Id, ["sh", "-c", "sleep 900 & echo started"], new(null, left, null, false, null), default)));
        Assert.Equal("started\n", Text(left));

        var missing = await Assert.ThrowsAsync<RuntimeException>(() => runtime.ExecAsync(container.Id, ["no-such-program"], new(null, echo, null, false, null), default));
        Assert.Contains("no-such-program", missing.Message);

        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => runtime.ExecAsync(container.Id, ["sleep", "998"], new(null, null, null, false, null), cancel.Token));
        var processes = new MemoryStream();
        await runtime.ExecAsync(container.Id, ["ps"], new(null, processes, null, false, null), default);
        Assert.DoesNotContain("998", Text(processes));
        Assert.Empty(Directory.GetFileSystemEntries(machine.Paths.Execs));
    }

    [Fact]
    public async Task Terminals_have_their_size_and_attached_input_ends_the_command_that_reads_it()
    {
        await using var machine = new CriFixture(3);
        var runtime = await machine.StartWithImagesAsync();
        var sandbox = await runtime.CreateSandboxAsync(machine.Pod("tty"), default);
        var container = await machine.RunAsync(sandbox.Id, await machine.ContainerAsync("main", "sleep", "1000"));
        const string WaitForSize = "until stty size 2>/dev/null | grep -q 40; do sleep 0.01; done; stty size; tty; echo TERM $TERM; read line; echo got $line; exit 5";

        var output = new MemoryStream();
        var exit = await Eventually.EndsAsync(runtime.ExecAsync(
            container.Id, ["sh", "-c", WaitForSize], new(new MemoryStream("hello\n"u8.ToArray()), output, null, true, Sizes()), default));
        Assert.Equal(5, exit);
        foreach (var expected in new[] { "40 120", "/dev/pts/", "TERM xterm", "got hello" })
            Assert.Contains(expected, Text(output));

        // kubectl run -i < file: the command ends by itself when the file does.
        var reader = await machine.RunAsync(sandbox.Id, await machine.ContainerAsync("reader", "sh", "-c", "sha256sum; echo done >&2") with { Stdin = true, StdinOnce = true });
        var bytes = new byte[3 * 1024 * 1024];
        new Random(3).NextBytes(bytes);
        var (sum, done) = (new MemoryStream(), new MemoryStream());
        await Eventually.EndsAsync(runtime.AttachAsync(reader.Id, new(new MemoryStream(bytes), sum, done, false, null), default));
        Assert.Equal((Convert.ToHexStringLower(SHA256.HashData(bytes)) + "  -\n", "done\n"), (Text(sum), Text(done)));
        Assert.Equal(0, (await machine.EndedAsync(reader.Id)).ExitCode);

        var shell = await machine.RunAsync(sandbox.Id, await machine.ContainerAsync("shell", "sh", "-c", WaitForSize) with { Stdin = true, Terminal = true });
        var screen = new MemoryStream();
        await Eventually.EndsAsync(runtime.AttachAsync(shell.Id, new(new MemoryStream("again\n"u8.ToArray()), screen, null, true, Sizes()), default));
        Assert.Equal(5, (await machine.EndedAsync(shell.Id)).ExitCode);
        Assert.Contains("40 120", await machine.OutputAsync((await machine.ContainerAsync("shell")) with { LogPath = shell.LogPath }));

        static async IAsyncEnumerable<TerminalSize> Sizes()
        {
            yield return new TerminalSize(120, 40);
            await Task.CompletedTask;
        }
    }

    [Fact]
    public async Task An_attach_to_a_container_that_is_just_ending_ends()
    {
        await using var machine = new CriFixture(19);
        var runtime = await machine.StartWithImagesAsync();
        var sandbox = await runtime.CreateSandboxAsync(machine.Pod("brief"), default);
        // As `kubectl run -it` of a command that ends at once: the client's input stays open, and nothing comes on it.
        for (var round = 0; round < Rounds; round++)
        {
            var container = await machine.RunAsync(sandbox.Id, await machine.ContainerAsync("c" + round, "echo", "brief") with { Stdin = true, StdinOnce = true, Terminal = round % 2 == 0 });
            var input = new Pipe();
            try
            {
                await Eventually.EndsAsync(runtime.AttachAsync(container.Id, new(input.Reader.AsStream(), new MemoryStream(), null, round % 2 == 0, Waiting()), default));
            }
            catch (RuntimeException ended)
            {
                Assert.Equal(RuntimeError.NotRunning, ended.Error);
            }
            await machine.EndedAsync(container.Id);
            await runtime.RemoveContainerAsync(container.Id, default);
        }

        static async IAsyncEnumerable<TerminalSize> Waiting([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            yield return new TerminalSize(80, 24);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
    }

    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("WEFT_TEST_ROUNDS"), out var rounds) ? rounds : 20;

    [Fact]
    public async Task Pods_live_on_when_containerd_is_killed_and_when_the_agent_starts_anew()
    {
        await using var machine = new CriFixture(4);
        var runtime = await machine.StartWithImagesAsync();
        var sandbox = await runtime.CreateSandboxAsync(machine.Pod("live"), default);
        var go = Directory.CreateDirectory(Path.Combine(machine.Logs, "go")).FullName;
        ContainerMount[] mounts = [new(go, "/go", ReadOnly: true)];
        var container = await machine.RunAsync(sandbox.Id, await machine.ContainerAsync("main", "sh", "-c", "while [ ! -e /go/main ]; do sleep 0.05; done; exit 4") with { Mounts = mounts, TerminationMessageFile = "/x/y" });
        var unseen = await machine.RunAsync(sandbox.Id, await machine.ContainerAsync("unseen", "sh", "-c", "while [ ! -e /go/unseen ]; do sleep 0.05; done; exit 6") with { Mounts = mounts });
        var exec = runtime.ExecAsync(container.Id, ["sh", "-c", "while [ ! -e /go/main ]; do sleep 0.05; done; exit 9"], new(null, null, null, false, null), default);

        var first = machine.Containerd;
        await Eventually.TrueAsync(() => Directory.GetFileSystemEntries(machine.Paths.Execs).Length > 0);
        Assert.Equal(0, Libc.kill(first, Libc.SigKill));
        File.WriteAllText(Path.Combine(go, "unseen"), "");   // it ends while nobody listens
        Assert.Equal(6, (await machine.EndedAsync(unseen.Id)).ExitCode);
        Assert.NotEqual(first, machine.Containerd);
        Assert.Equal(RunState.Running, (await machine.FindAsync(container.Id)).State);
        var another = await runtime.CreateSandboxAsync(machine.Pod("another"), default);

        await runtime.DisposeAsync();   // the server is killed
        var second = machine.Containerd;
        runtime = await machine.StartAsync();
        var found = await runtime.ListAsync(default);
        Assert.Equal(second, machine.Containerd);
        Assert.Equal(new[] { sandbox.Id, another.Id }.Order(), found.Sandboxes.Select(s => s.Id).Order());
        var again = found.Sandboxes.Single(s => s.Id == sandbox.Id);
        Assert.Equal((sandbox.Ips[0], true, sandbox.Spec.Name, sandbox.CreatedAt), (again.Ips[0], again.Ready, again.Spec.Name, again.CreatedAt));
        Assert.Equal(container, found.Containers.Single(c => c.Id == container.Id));
        Assert.Equal((6, "Error"), found.Containers.Where(c => c.Id == unseen.Id).Select(c => (c.ExitCode, c.Reason)).Single());

        File.WriteAllText(Path.Combine(go, "main"), "");
        Assert.Equal(4, (await machine.EndedAsync(container.Id)).ExitCode);
        await Assert.ThrowsAnyAsync<Exception>(() => Eventually.EndsAsync(exec));   // its runtime object is gone
        await runtime.RemoveSandboxAsync(sandbox.Id, default);
        await runtime.RemoveSandboxAsync(sandbox.Id, default);   // unknown ids are fine
        Assert.Equal(another.Id, Assert.Single((await runtime.ListAsync(default)).Sandboxes).Id);
    }

    [Fact]
    public async Task Ends_have_their_reasons_and_stops_their_signals()
    {
        await using var machine = new CriFixture(5);
        var runtime = await machine.StartWithImagesAsync(new TestImage("docker.io/library/quitter:1") { StopSignal = "SIGUSR1" });
        var sandbox = await runtime.CreateSandboxAsync(machine.Pod("ends"), default);

        var missing = await runtime.CreateContainerAsync(sandbox.Id, await machine.ContainerAsync("missing", "no-such-program"), default);
        var error = await Assert.ThrowsAsync<RuntimeException>(() => runtime.StartContainerAsync(missing.Id, default));
        Assert.Contains("no-such-program", error.Message);
        var ended = await machine.EndedAsync(missing.Id);
        Assert.Equal((128, "StartError"), (ended.ExitCode, ended.Reason));

        var limits = new ResourceLimits { MemoryBytes = 24 * 1024 * 1024, CpuQuota = 50_000, CpuShares = 512, Pids = 50 };
        var hog = await machine.RunAsync(sandbox.Id, await machine.ContainerAsync("hog", "tail", "/dev/zero") with { Limits = limits });
        await Eventually.TrueAsync(async () => (await machine.FindAsync(hog.Id)).Reason == "OOMKilled");
        Assert.Equal(137, (await machine.FindAsync(hog.Id)).ExitCode);

        // Only a child is killed: the container runs on, and has no reason of an end.
        var spec = await machine.ContainerAsync("parent", "sh", "-c", "trap 'echo bye; exit 0' TERM; tail /dev/zero; echo survived; while :; do sleep 0.05; done") with { Limits = limits };
        var parent = await machine.RunAsync(sandbox.Id, spec);
        await Eventually.TrueAsync(async () => File.Exists(spec.LogPath) && (await machine.OutputAsync(spec)).Contains("survived"));
        var now = await machine.FindAsync(parent.Id);
        Assert.Equal((RunState.Running, null), (now.State, now.Reason));
        await runtime.StopContainerAsync(parent.Id, TimeSpan.FromSeconds(30), default);
        Assert.Equal((RunState.Exited, 0, "Completed"), await EndAsync(parent.Id));
        Assert.EndsWith("bye", await machine.OutputAsync(spec));

        var deaf = await machine.RunAsync(sandbox.Id, await machine.ContainerAsync("deaf", "sleep", "1000"));   // pid 1 does not hear what it does not handle
        await runtime.StopContainerAsync(deaf.Id, TimeSpan.FromMilliseconds(200), default);
        Assert.Equal((RunState.Exited, 137, "Error"), await EndAsync(deaf.Id));

        var image = (await runtime.Images.FindAsync("quitter:1", default))!.Id;
        const string Waits = "trap 'exit 21' USR1; trap 'exit 22' HUP; while :; do sleep 0.05; done";
        var quitter = await machine.RunAsync(sandbox.Id, await machine.ContainerAsync("quitter", "sh", "-c", "echo ready; " + Waits) with { ImageId = image });
        await ReadyAsync(quitter);
        await runtime.StopContainerAsync(quitter.Id, TimeSpan.FromSeconds(30), default);
        Assert.Equal((RunState.Exited, 21, "Error"), await EndAsync(quitter.Id));
        var named = await machine.RunAsync(sandbox.Id, await machine.ContainerAsync("named", "sh", "-c", "echo ready; " + Waits) with { StopSignal = 1 });
        await ReadyAsync(named);
        await runtime.StopContainerAsync(named.Id, TimeSpan.FromSeconds(30), default);
        Assert.Equal((RunState.Exited, 22, "Error"), await EndAsync(named.Id));

        await runtime.StopSandboxAsync(sandbox.Id, default);
        var stopped = await runtime.ListAsync(default);
        Assert.False(Assert.Single(stopped.Sandboxes).Ready);
        Assert.Equal(6, stopped.Containers.Count);

        async Task<(RunState, int, string?)> EndAsync(string id)
        {
            var c = await machine.FindAsync(id);
            return (c.State, c.ExitCode, c.Reason);
        }

        async Task ReadyAsync(ContainerInfo container) =>
            await Eventually.TrueAsync(() => Task.FromResult(File.Exists(container.LogPath) && File.ReadAllText(container.LogPath).Contains("ready")));
    }

    [Fact]
    public async Task A_container_has_the_rights_that_it_was_given_and_no_others()
    {
        await using var machine = new CriFixture(6);
        var runtime = await machine.StartWithImagesAsync(new TestImage("docker.io/library/owned:1") { User = "app" });
        var sandbox = await runtime.CreateSandboxAsync(machine.Pod("rights"), default);
        var owned = (await runtime.Images.FindAsync("owned:1", default))!;
        Assert.Equal((null, "app"), (owned.Uid, owned.UserName));

        Assert.Equal("uid=1234(app) gid=2345(app) groups=2345(app)", await RunAsync("image", "id", s => s with { ImageId = owned.Id }));
        Assert.StartsWith("uid=1234(app) gid=77", await RunAsync("group", "id", s => s with { ImageId = owned.Id, User = new(null, 77, []) }));
        Assert.Equal("1000 3000 3000 4000", await RunAsync("user", "echo $(id -u) $(id -g) $(id -G)", s => s with { User = new(1000, 3000, [4000]) }));
        Assert.Contains("Read-only", await RunAsync("readonly", "touch /x 2>&1", s => s with { ReadOnlyRoot = true }));
        Assert.Equal("0", await RunAsync("masked", "cat /proc/keys | wc -c 2>/dev/null || busybox wc -c < /proc/keys", s => s));
        Assert.NotEqual("0", await RunAsync("unmasked", "busybox wc -c < /proc/version", s => s with { UnmaskedProc = true }));
        Assert.Contains("Read-only", await RunAsync("procsys", "echo 1 2>&1 > /proc/sys/kernel/domainname", s => s));
        Assert.Equal("Seccomp:\t0", await RunAsync("unconfined", "grep Seccomp: /proc/self/status", s => s));
        Assert.NotEqual("CapEff:\t0000000000000421", await RunAsync("privileged", "grep CapEff /proc/self/status", s => s with { Privileged = true }));
        Assert.Equal("hello", await RunAsync("env", "echo $GREETING", s => s with { Environment = [new("GREETING", "hello")] }));
        var own = int.Parse(File.ReadAllText("/proc/self/oom_score_adj"));
        Assert.InRange(int.Parse(await RunAsync("oom", "cat /proc/self/oom_score_adj", s => s with { OomScoreAdjust = -997 })), -997, Math.Max(own + 1, -997));   // a shim has one more than containerd
        Assert.Equal("500", await RunAsync("oom2", "cat /proc/self/oom_score_adj", s => s with { OomScoreAdjust = 500 }));

        var target = await machine.RunAsync(sandbox.Id, await machine.ContainerAsync("target", "sleep", "777"));
        Assert.Contains("sleep 777", await RunAsync("debug", "ps", s => s with { ProcessNamespaceOf = target.Id }));

        var bomb = await machine.ContainerAsync("bomb", "sh", "-c", "i=0; while [ $i -lt 60 ]; do sleep 300 & i=$((i+1)); done; echo all") with { Limits = new() { Pids = 30 } };
        var exploded = await machine.RunAsync(sandbox.Id, bomb);
        Assert.Equal(2, (await machine.EndedAsync(exploded.Id)).ExitCode);
        Assert.Contains("can't fork", await machine.OutputAsync(bomb));

        async Task<string> RunAsync(string name, string script, Func<ContainerSpec, ContainerSpec> change)
        {
            var spec = change(await machine.ContainerAsync(name, "sh", "-c", script));
            await machine.EndedAsync((await machine.RunAsync(sandbox.Id, spec)).Id);
            return await machine.OutputAsync(spec);
        }
    }

    [Fact]
    public async Task The_network_has_an_address_that_the_host_and_port_forward_reach_and_logs_are_reopened()
    {
        await using var machine = new CriFixture(7);
        var runtime = await machine.StartWithImagesAsync();
        var sandbox = await runtime.CreateSandboxAsync(machine.Pod("net"), default);
        var ip = Assert.Single(sandbox.Ips);
        var spec = await machine.ContainerAsync("main", "sh", "-c", "echo page > /tmp/index.html; httpd -p 80 -h /tmp; while :; do echo line; sleep 0.02; done");
        var server = await machine.RunAsync(sandbox.Id, spec);
        using var http = new HttpClient();
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return await http.GetStringAsync($"http://{ip}/index.html") == "page\n";
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });

        await using var forwarded = await runtime.ConnectAsync(sandbox.Id, 80, default);
        await forwarded.WriteAsync("GET /index.html HTTP/1.0\r\n\r\n"u8.ToArray());
        Assert.Contains(" 200 ", await new StreamReader(forwarded).ReadLineAsync());
        Assert.Contains("port 81", (await Assert.ThrowsAsync<RuntimeException>(() => runtime.ConnectAsync(sandbox.Id, 81, default))).Message);

        File.Move(spec.LogPath, spec.LogPath + ".1");
        await runtime.ReopenLogAsync(server.Id, default);
        await Eventually.TrueAsync(() => File.Exists(spec.LogPath) && new FileInfo(spec.LogPath).Length > 0);

        var host = await runtime.CreateSandboxAsync(machine.Pod("host") with { HostNetwork = true }, default);
        Assert.Empty(host.Ips);
        var links = await machine.ContainerAsync("links", "sh", "-c", "ls /sys/class/net; hostname");
        await machine.EndedAsync((await machine.RunAsync(host.Id, links)).Id);
        var seen = await machine.OutputAsync(links);
        Assert.DoesNotContain("eth0@", seen);
        Assert.EndsWith(Environment.MachineName, seen);

        // Two runtimes for one pod's network: process pods take their addresses from the same place.
        var addresses = Directory.GetFiles(Path.Combine(machine.Options.Network.IpamDirectory, machine.Options.Network.Name)).Select(Path.GetFileName);
        Assert.Contains(ip, addresses);
        await runtime.RemoveSandboxAsync(sandbox.Id, default);
        Assert.False(File.Exists(Path.Combine(machine.Options.Network.IpamDirectory, machine.Options.Network.Name, ip)));
    }

    [Fact]
    public async Task Images_are_found_by_every_name_and_a_pull_that_fails_says_why()
    {
        await using var machine = new CriFixture(8);
        var runtime = await machine.StartWithImagesAsync();
        var images = runtime.Images;

        var byName = (await images.FindAsync("busybox:1", default))!;
        Assert.Equal(byName.Id, (await images.FindAsync("docker.io/library/busybox:1", default))!.Id);
        Assert.Equal(byName.Id, (await images.FindAsync(byName.Id, default))!.Id);
        Assert.Contains(CriFixture.Busybox, byName.Names);
        Assert.True(byName.Bytes > 1_000_000);
        Assert.Null(await images.FindAsync("nobody/has:this", default));
        Assert.True((await images.ListAsync(default)).Single(i => i.Names.Contains(machine.Options.SandboxImage)).Pinned);

        RegistryCredential[] credentials = [new("127.0.0.1:1", "me", "s3cret-word")];
        var refused = await Assert.ThrowsAsync<RuntimeException>(() => images.PullAsync("127.0.0.1:1/a/b:c", credentials, default));
        Assert.Equal(RuntimeError.Image, refused.Error);
        Assert.Contains("127.0.0.1:1/a/b:c", refused.Message);
        Assert.DoesNotContain("s3cret-word", refused.Message);

        Assert.Equal(machine.Paths.Root, (await images.UsageAsync(default)).Directory);
        await images.RemoveAsync(byName.Id, default);
        await images.RemoveAsync(byName.Id, default);
        Assert.Null(await images.FindAsync("busybox:1", default));
    }

    [Fact]
    public async Task After_weft_down_the_pods_of_before_are_found_dead_and_made_anew_from_the_images_that_stayed()
    {
        await using var machine = new CriFixture(10);
        var runtime = await machine.StartWithImagesAsync();
        var sandbox = await runtime.CreateSandboxAsync(machine.Pod("again"), default);
        var container = await machine.RunAsync(sandbox.Id, await machine.ContainerAsync("main", "sleep", "1000"));
        // Made but not started: a stop takes it away, and so does the next agent.
        var idle = await runtime.CreateContainerAsync(sandbox.Id, await machine.ContainerAsync("idle", "sleep", "1"), default);
        Assert.Equal(RunState.Created, idle.State);
        await runtime.StopContainerAsync(idle.Id, TimeSpan.FromSeconds(5), default);
        await runtime.CreateContainerAsync(sandbox.Id, await machine.ContainerAsync("idle", "sleep", "1"), default);
        await runtime.DisposeAsync();
        await using (var next = await machine.StartAsync())
            Assert.Equal(container.Id, Assert.Single((await next.ListAsync(default)).Containers).Id);
        Assert.Empty(await CriCleanup.RunAsync(machine.Options, TimeProvider.System, default));
        Assert.Empty(await CriCleanup.RunAsync(machine.Options, TimeProvider.System, default));
        Assert.False(Directory.Exists(machine.Paths.State));

        runtime = await machine.StartAsync();
        var found = await runtime.ListAsync(default);
        Assert.False(Assert.Single(found.Sandboxes).Ready);
        Assert.Equal((container.Id, RunState.Exited), found.Containers.Select(c => (c.Id, c.State)).Single());
        await runtime.RemoveSandboxAsync(sandbox.Id, default);
        var again = await runtime.CreateSandboxAsync(machine.Pod("again"), default);
        Assert.True(again.Ready);
        Assert.Equal(RunState.Running, (await machine.RunAsync(again.Id, await machine.ContainerAsync("main", "sleep", "1000"))).State);
    }

    [Fact]
    public async Task Thirty_pods_at_once_run_and_a_sandbox_whose_holder_is_killed_is_not_ready()
    {
        await using var machine = new CriFixture(11);
        var runtime = await machine.StartWithImagesAsync();
        var sandboxes = await Task.WhenAll(Enumerable.Range(0, 30).Select(async i =>
        {
            var sandbox = await runtime.CreateSandboxAsync(machine.Pod($"p{i}"), default);
            await machine.RunAsync(sandbox.Id, await machine.ContainerAsync($"c{i}", "sleep", "1000"));
            return sandbox;
        }));
        Assert.Equal(30, sandboxes.SelectMany(s => s.Ips).Distinct().Count());
        Assert.Equal(30, (await runtime.ListAsync(default)).Containers.Count(c => c.State == RunState.Running));

        var cgroup = $"/sys/fs/cgroup/memory{machine.Paths.CgroupParent}/poduid-p7/{sandboxes[7].Id}/cgroup.procs";
        if (!File.Exists(cgroup))
            cgroup = cgroup.Replace("/memory", "");   // version 2
        Assert.Equal(0, Libc.kill(int.Parse(File.ReadLines(cgroup).First()), Libc.SigKill));
        await Eventually.TrueAsync(async () => !(await runtime.ListAsync(default)).Sandboxes.Single(s => s.Id == sandboxes[7].Id).Ready);
        Assert.Equal("uid-p7", await runtime.Events.ReadAsync());
        await Task.WhenAll(sandboxes.Select(s => runtime.RemoveSandboxAsync(s.Id, default)));
        Assert.Empty((await runtime.ListAsync(default)).Containers);
        Assert.Empty(Directory.GetFiles(Path.Combine(machine.Options.Network.IpamDirectory, machine.Options.Network.Name), "10.*"));
    }

    [Fact]
    public async Task Without_the_package_everything_says_what_to_install()
    {
        await using var machine = new CriFixture(9);
        var options = machine.Options with { Containerd = "/nowhere/containerd" };
        await using (var missing = await CriRuntime.StartAsync(options, TimeProvider.System, Chance.Source, machine.Loggers, default))
        {
            Assert.Empty((await missing.ListAsync(default)).Sandboxes);
            Assert.Contains("apt-get install containerd", (await Assert.ThrowsAsync<RuntimeException>(() => missing.CreateSandboxAsync(machine.Pod("x"), default))).Message);
        }
        await Assert.ThrowsAsync<RuntimeException>(() => CriRuntime.StartImagesAsync(options, TimeProvider.System, Chance.Source, machine.Loggers, default));
        await machine.StartAsync();   // one that is there, for the end
    }
}
