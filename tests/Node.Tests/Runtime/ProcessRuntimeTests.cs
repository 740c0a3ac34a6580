using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Weft.Api.Streams;
using Weft.Node.Runtime;
using Weft.Node.Runtime.Process;

namespace Weft.Node.Tests.Runtime;

[Collection("machine")]   // one at a time: sysctls are the machine's
public sealed class ProcessRuntimeTests
{
    private static string Text(MemoryStream stream) => Encoding.UTF8.GetString(stream.ToArray());

    [Fact]
    public async Task A_container_runs_as_nobody_with_the_pods_hostname_and_leaves_its_log_and_exit_code()
    {
        await using var machine = new ProcessRuntimeFixture(1);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("web"), default);
        var spec = machine.Container("main", "sh", "-c", "id -u; hostname; cat /proc/self/status | grep -E 'CapEff|NoNewPrivs'; ls /tmp; exit 3");
        var container = await machine.RunAsync(sandbox.Id, spec);

        var ended = await machine.EndedAsync(container.Id);

        Assert.Equal(3, ended.ExitCode);
        Assert.Equal("Error", ended.Reason);
        var log = await File.ReadAllLinesAsync(spec.LogPath);
        Assert.Equal(["65534", "web", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"], log.Select(l => l.Split(' ', 4)[3]));
        Assert.All(log, line => Assert.Equal("stdout F", string.Join(' ', line.Split(' ')[1..3])));
    }

    [Fact]
    public async Task Exec_carries_ten_megabytes_exactly_and_returns_the_exit_code()
    {
        await using var machine = new ProcessRuntimeFixture(2);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("exec"), default);
        var container = await machine.RunAsync(sandbox.Id, machine.Container("main", "sleep", "1000"));
        var bytes = new byte[10 * 1024 * 1024];
        new Random(7).NextBytes(bytes);

        var (output, error) = (new MemoryStream(), new MemoryStream());
        var exit = await runtime.ExecAsync(container.Id, ["sh", "-c", "sha256sum; echo oops >&2; exit 7"], new(new MemoryStream(bytes), output, error, false, null), default);

        Assert.Equal(7, exit);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)) + "  -\n", Text(output));
        Assert.Equal("oops\n", Text(error));

        var echo = new MemoryStream();
        Assert.Equal(0, await runtime.ExecAsync(container.Id, ["cat"], new(new MemoryStream(bytes), echo, null, false, null), default));
        Assert.Equal(bytes, echo.ToArray());

        var missing = await Assert.ThrowsAsync<RuntimeException>(() => runtime.ExecAsync(container.Id, ["no-such-program"], new(null, echo, null, false, null), default));
        Assert.Contains("no-such-program", missing.Message);
    }

    [Fact]
    public async Task Exec_with_a_terminal_has_its_size_and_one_output()
    {
        await using var machine = new ProcessRuntimeFixture(3);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("tty"), default);
        var container = await machine.RunAsync(sandbox.Id, machine.Container("main", "sleep", "1000"));

        var output = new MemoryStream();
        var exit = await runtime.ExecAsync(
            container.Id, ["sh", "-c", "while [ \"$(stty size)\" = '0 0' ]; do :; done; stty size; tty; read line; echo got $line; exit 5"],
            new(new MemoryStream("hello\n"u8.ToArray()), output, null, true, Sizes()), default);

        Assert.Equal(5, exit);
        Assert.Contains("40 120", Text(output));
        Assert.Contains("/dev/pts/", Text(output));
        Assert.Contains("got hello", Text(output));

        static async IAsyncEnumerable<TerminalSize> Sizes()
        {
            yield return new TerminalSize(120, 40);
            await Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_cancelled_exec_kills_its_command()
    {
        await using var machine = new ProcessRuntimeFixture(4);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("cancel"), default);
        var container = await machine.RunAsync(sandbox.Id, machine.Container("main", "sleep", "1000"));
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => runtime.ExecAsync(container.Id, ["sleep", "998"], new(null, null, null, false, null), cancel.Token));

        var output = new MemoryStream();
        await runtime.ExecAsync(container.Id, ["sh", "-c", "cat /proc/*/cmdline"], new(null, output, null, false, null), default);
        Assert.DoesNotContain("998", Text(output));
    }

    [Fact]
    public async Task The_network_has_an_address_that_the_host_and_port_forward_reach()
    {
        await using var machine = new ProcessRuntimeFixture(5);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("net"), default);
        var ip = Assert.Single(sandbox.Ips);
        Assert.StartsWith("10.213.5.", ip);
        await machine.RunAsync(sandbox.Id, machine.Container("main", "python3", "-m", "http.server", "80", "--directory", "/usr/share/doc"));
        using var http = new HttpClient();
        await UntilAsync(async () => (await http.GetAsync($"http://{ip}/")).IsSuccessStatusCode);

        await using var forwarded = await runtime.ConnectAsync(sandbox.Id, 80, default);
        await forwarded.WriteAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
        Assert.StartsWith("HTTP/1.0 200", await new StreamReader(forwarded).ReadLineAsync());
        var refused = await Assert.ThrowsAsync<RuntimeException>(() => runtime.ConnectAsync(sandbox.Id, 81, default));
        Assert.Contains("port 81", refused.Message);
    }

    [Fact]
    public async Task Containers_outlive_the_agent_and_are_adopted_with_their_exit_codes()
    {
        await using var machine = new ProcessRuntimeFixture(6);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("adopt"), default);
        var lasting = await machine.RunAsync(sandbox.Id, machine.Container("lasting", "sleep", "1000"));
        var share = Path.Combine(machine.Options.DataDir, "share");
        Directory.CreateDirectory(share);
        var shortSpec = machine.Container("short", "sh", "-c", "while [ ! -e /share/go ]; do sleep 0.02; done; exit 9") with { Mounts = [new ContainerMount(share, "/share", ReadOnly: true)] };
        var ending = await machine.RunAsync(sandbox.Id, shortSpec);
        await machine.Runtime.DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(share, "go"), "");   // it ends while no agent is there to see it
        await Weft.Testing.Eventually.TrueAsync(() => Directory.GetFiles(Path.Combine(machine.Options.RunDir, "exits")).Length == 1);

        runtime = await machine.StartAsync();

        var ended = await machine.EndedAsync(ending.Id);
        Assert.Equal(9, ended.ExitCode);
        var found = await runtime.ListAsync(default);
        Assert.True(Assert.Single(found.Sandboxes).Ready);
        Assert.Equal(sandbox.Ips, found.Sandboxes[0].Ips);
        var adopted = found.Containers.Single(c => c.Id == lasting.Id);
        Assert.Equal(RunState.Running, adopted.State);
        Assert.Equal(lasting.StartedAt, adopted.StartedAt);
        await runtime.StopContainerAsync(lasting.Id, TimeSpan.FromMilliseconds(100), default);   // sleep as process 1 heeds no SIGTERM
        Assert.Equal(137, (await machine.EndedAsync(lasting.Id)).ExitCode);
    }

    [Fact]
    public async Task A_container_that_ended_before_its_start_was_noted_does_not_run_again()
    {
        await using var machine = new ProcessRuntimeFixture(16);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("once"), default);
        var container = await machine.RunAsync(sandbox.Id, machine.Container("main", "sh", "-c", "exit 4"));
        await machine.EndedAsync(container.Id);
        await runtime.DisposeAsync();
        // What stands there when the agent is killed between the start and the note of it.
        var file = Path.Combine(machine.Options.RunDir, "c", container.Id, "container.json");
        var stored = StateFile.Read<StoredContainer>(file)!;
        StateFile.Write(file, stored with { StartedAt = null, FinishedAt = null, ExitCode = 0, Reason = null });

        await machine.StartAsync();

        var ended = await machine.EndedAsync(container.Id);
        Assert.Equal((4, "Error"), (ended.ExitCode, ended.Reason));
        Assert.NotNull(ended.StartedAt);
    }

    [Fact]
    public async Task Nothing_below_sys_can_be_written_by_a_pod_in_the_machines_network()
    {
        await using var machine = new ProcessRuntimeFixture(17);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("host") with { HostNetwork = true }, default);
        var spec = machine.Container("main", "sh", "-c", "while read -r _ _ _ _ place options _; do case $place in /sys*) echo $place $options;; esac; done < /proc/self/mountinfo");
        var container = await machine.RunAsync(sandbox.Id, spec);

        Assert.Equal(0, (await machine.EndedAsync(container.Id)).ExitCode);
        var mounts = (await File.ReadAllLinesAsync(spec.LogPath)).Select(l => l.Split(' ', 4)[3]).ToList();
        Assert.Contains(mounts, m => m.StartsWith("/sys/fs/cgroup", StringComparison.Ordinal));
        Assert.All(mounts, m => Assert.Contains("ro", m.Split(' ')[1].Split(',')));
    }

    [Fact]
    public async Task Without_an_overlay_the_root_is_the_machines_own_and_read_only()
    {
        using var dir = new Weft.Testing.TempDir();
        var launcher = await Launcher.StartAsync();   // in its mount namespace, so nothing is mounted on the machine
        try
        {
            // The comma ends the option, so overlayfs refuses.
            await launcher.RunAsync(() =>
            {
                Assert.False(ContainerRoot.Mount(dir.File("a,b"), dir.File("root")));
                Assert.True(Directory.Exists(dir.File("root/usr")));
                Assert.Throws<IOException>(() => Directory.CreateDirectory(dir.File("root") + dir.File("written")));
                ContainerRoot.Unmount(dir.File("root"));
            });
            Assert.False(Directory.Exists(dir.File("written")));
        }
        finally
        {
            launcher.Dispose();
        }
    }

    [Fact]
    public void A_pod_with_many_events_waits_once()
    {
        var events = new PodEvents();
        events.Add("a");
        events.Add("a");
        events.Add("b");

        Assert.True(events.TryRead(out var first));
        events.Add("a");

        Assert.Equal("a", first);
        Assert.True(events.TryRead(out var second));
        Assert.True(events.TryRead(out var third));
        Assert.Equal(("b", "a"), (second, third));
        Assert.False(events.TryRead(out _));
    }

    [Fact]
    public async Task Memory_beyond_the_limit_ends_the_container_as_OOMKilled()
    {
        await using var machine = new ProcessRuntimeFixture(7);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("oom"), default);
        var container = await machine.RunAsync(
            sandbox.Id, machine.Container("main", "python3", "-c", "x = bytearray(500_000_000); print(len(x))") with { Limits = new() { MemoryBytes = 64 * 1024 * 1024, Pids = 50, CpuQuota = 100_000 } });

        var ended = await machine.EndedAsync(container.Id);

        Assert.Equal((137, "OOMKilled"), (ended.ExitCode, ended.Reason));
    }

    [Fact]
    public async Task Attach_sends_input_and_receives_output_until_the_end()
    {
        await using var machine = new ProcessRuntimeFixture(8);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("attach"), default);
        var container = await machine.RunAsync(sandbox.Id, machine.Container("main", "sh", "-c", "read a; echo \"you said $a\"; exit 4") with { Stdin = true, StdinOnce = true });

        var output = new MemoryStream();
        await runtime.AttachAsync(container.Id, new(new MemoryStream("hi there\n"u8.ToArray()), output, null, false, null), default);

        Assert.Equal("you said hi there\n", Text(output));
        Assert.Equal(4, (await machine.EndedAsync(container.Id)).ExitCode);
    }

    [Fact]
    public async Task A_command_that_does_not_exist_is_named_in_the_error()
    {
        await using var machine = new ProcessRuntimeFixture(9);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("bad"), default);

        var error = await Assert.ThrowsAsync<RuntimeException>(() => machine.RunAsync(sandbox.Id, machine.Container("main", "no-such-command")));

        Assert.Contains("no-such-command", error.Message);
    }

    [Fact]
    public async Task Pods_do_not_see_the_state_of_the_cluster_nor_each_others_temporary_files()
    {
        await using var machine = new ProcessRuntimeFixture(10);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("wall"), default);
        var spec = machine.Container("main", "sh", "-c", $"ls -A {machine.Options.DataDir} 2>&1 | wc -l; ls -A /tmp; touch /etc/x 2>&1; touch /tmp/y && echo ok; cat /sys/class/net/eth0/mtu > /dev/null && echo net") with { User = new ProcessIdentity(0, 0, []) };
        var container = await machine.RunAsync(sandbox.Id, spec with { ReadOnlyRoot = true });
        await machine.EndedAsync(container.Id);

        var log = string.Join('\n', (await File.ReadAllLinesAsync(spec.LogPath)).Select(l => l.Split(' ', 4)[3]));

        Assert.Contains("Read-only file system", log);
        Assert.EndsWith("ok\nnet", log);
    }

    [Fact]
    public async Task What_a_pod_writes_and_mounts_does_not_land_on_the_machine()
    {
        await using var machine = new ProcessRuntimeFixture(12);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("root"), default);
        var volume = Path.Combine(machine.Options.DataDir, "volume");
        Directory.CreateDirectory(volume);
        var mark = "/weft-test-" + Chance.Next();
        var spec = machine.Container("main", "sh", "-c", $"echo x > {mark}; cat {mark}; echo y > {mark}-volume/file; ls {mark}-volume") with
        {
            User = new ProcessIdentity(0, 0, []),
            Mounts = [new ContainerMount(volume, mark + "-volume", ReadOnly: false)],
        };
        var container = await machine.RunAsync(sandbox.Id, spec);

        Assert.Equal(0, (await machine.EndedAsync(container.Id)).ExitCode);
        Assert.Equal(["x", "file"], (await File.ReadAllLinesAsync(spec.LogPath)).Select(l => l.Split(' ', 4)[3]));
        Assert.False(Path.Exists(mark));
        Assert.False(Path.Exists(mark + "-volume"));
        Assert.Equal("y\n", await File.ReadAllTextAsync(Path.Combine(volume, "file")));
    }

    [Fact]
    public async Task A_rotated_log_goes_on_in_a_new_file()
    {
        await using var machine = new ProcessRuntimeFixture(13);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("rotate"), default);
        var spec = machine.Container("main", "sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done");
        var container = await machine.RunAsync(sandbox.Id, spec);
        await Weft.Testing.Eventually.TrueAsync(() => new FileInfo(spec.LogPath) is { Exists: true, Length: > 0 });

        Node.Logs.LogRotation.Shift(spec.LogPath);
        await runtime.ReopenLogAsync(container.Id, default);
        await Weft.Testing.Eventually.TrueAsync(() => new FileInfo(spec.LogPath) is { Exists: true, Length: > 0 });
        await runtime.StopContainerAsync(container.Id, TimeSpan.Zero, default);

        using var output = new MemoryStream();
        await Node.Logs.LogReader.CopyAsync(spec.LogPath, new LogOptions(), Task.CompletedTask, TimeProvider.System, output, default);
        var numbers = Text(output).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToList();
        Assert.Equal(Enumerable.Range(1, numbers.Count), numbers);   // none lost, none twice
    }

    [Fact]
    public async Task A_container_whose_monitor_was_killed_is_ended_and_says_so()
    {
        await using var machine = new ProcessRuntimeFixture(14);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("monitor"), default);
        var container = await machine.RunAsync(sandbox.Id, machine.Container("main", "sleep", "1000"));
        var conmon = int.Parse(await File.ReadAllTextAsync(Path.Combine(machine.Options.RunDir, "c", container.Id, "conmon.pid")));

        System.Diagnostics.Process.GetProcessById(conmon).Kill();

        var ended = await machine.EndedAsync(container.Id);
        Assert.Equal((137, "ContainerStatusUnknown"), (ended.ExitCode, ended.Reason));
    }

    [Fact]
    public async Task The_default_seccomp_profile_refuses_new_namespaces_and_lets_programs_run()
    {
        await using var machine = new ProcessRuntimeFixture(15);
        var runtime = await machine.StartAsync();
        var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("seccomp"), default);
        var spec = machine.Container("main", "sh", "-c", "grep Seccomp: /proc/self/status; unshare -U true 2>/dev/null || echo refused; python3 -c 'import threading; t = threading.Thread(target=print, args=(\"thread\",)); t.start(); t.join()'");
        var container = await machine.RunAsync(sandbox.Id, spec with { DefaultSeccomp = true });

        Assert.Equal(0, (await machine.EndedAsync(container.Id)).ExitCode);
        Assert.Equal(["Seccomp:\t2", "refused", "thread"], (await File.ReadAllLinesAsync(spec.LogPath)).Select(l => l.Split(' ', 4)[3]));
    }

    [Fact]
    public async Task Many_pods_at_once_all_start()
    {
        using var loggers = Environment.GetEnvironmentVariable("WEFT_TEST_TIMES") is null ? null : LoggerFactory.Create(b => b.SetMinimumLevel(LogLevel.Debug).AddConsole());
        await using var machine = loggers is null ? new ProcessRuntimeFixture(11) : new ProcessRuntimeFixture(11) { Loggers = loggers };
        var runtime = await machine.StartAsync();

        var pods = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            var sandbox = await runtime.CreateSandboxAsync(ProcessRuntimeFixture.Pod("p" + i), default);
            return await machine.RunAsync(sandbox.Id, machine.Container("main", "sleep", "1000"));
        }));

        Assert.Equal(20, pods.Select(p => p.Id).Distinct().Count());
        Assert.Equal(20, (await runtime.ListAsync(default)).Sandboxes.SelectMany(s => s.Ips).Distinct().Count());
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var from = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                if (await condition())
                    return;
            }
            catch (HttpRequestException) when (TimeProvider.System.GetElapsedTime(from) < TimeSpan.FromSeconds(60))
            {
                // Not listening yet.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }
}
