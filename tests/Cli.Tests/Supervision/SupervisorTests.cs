using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Cli.Clusters;
using Weft.Cli.Processes;
using Weft.Cli.Supervision;
using Weft.Testing;

namespace Weft.Cli.Tests.Supervision;

public sealed class SupervisorTests : IDisposable
{
    private readonly TempDir _dir = new();
    private readonly CancellationTokenSource _stopping = new();

    private ClusterPaths Paths => new("test", _dir.File("data"), _dir.File("run"));

    [Fact]
    public async Task A_child_that_dies_is_started_again_and_the_others_stay()
    {
        var running = Start(Sleeper("server"), Sleeper("proxy"));
        var server = await PidAsync("server");
        var proxy = await PidAsync("proxy");

        Signals.Send(proxy.Pid, Signals.Kill);
        await Eventually.TrueAsync(() => Child("proxy") is { Process: { } next, Restarts: 1 } && next != proxy);

        Assert.Equal(server, Child("server")!.Process);
        Assert.Equal(0, Child("server")!.Restarts);
        Assert.Equal("was ended by signal 9", Child("proxy")!.LastEnd);
        await StopAsync(running);
    }

    [Fact]
    public async Task A_crash_loop_of_one_child_does_not_touch_another()
    {
        var running = Start(Sleeper("server"), Shell("proxy", "exit 3"));
        var server = await PidAsync("server");

        await Eventually.TrueAsync(() => Child("proxy") is { Restarts: >= 3 });

        Assert.Equal(server, Child("server")!.Process);
        Assert.Equal("ended with 3", Child("proxy")!.LastEnd);
        await StopAsync(running);
    }

    [Fact]
    public async Task A_log_that_takes_no_more_ends_no_child()
    {
        var running = Start(new FullDisk(), Sleeper("server"), Shell("proxy", "exit 3"));
        var server = await PidAsync("server");

        await Eventually.TrueAsync(() => running.IsCompleted || Child("proxy") is { Restarts: >= 2 });

        Assert.False(running.IsCompleted);
        Assert.True(server.IsAlive);
        await StopAsync(running);
    }

    [Fact]
    public async Task An_essential_child_that_cannot_start_ends_the_supervisor_and_the_other_children()
    {
        var running = Start(Sleeper("proxy"), Shell("server", $"exit {Supervisor.CannotStart}") with { IsEssential = true });
        Assert.Equal(Supervisor.CannotStart, await Eventually.EndsAsync(running));
        Assert.Empty(ChildState.Load(Paths));
    }

    [Fact]
    public async Task An_essential_child_that_has_learned_something_has_all_start_anew_with_new_sockets()
    {
        var (learned, opened) = (_dir.File("learned"), 0);
        var running = Start(
            Sleeper("proxy") with { OpenSockets = () => { opened++; return []; } },
            Shell("agent", $"test -e {learned} && exec sleep 1000; touch {learned}; exit {Supervisor.StartAnew}") with { IsEssential = true });

        await Eventually.TrueAsync(() => Volatile.Read(ref opened) == 2 && File.Exists(learned));
        await PidAsync("agent");
        await PidAsync("proxy");
        await StopAsync(running);
        Assert.Equal(2, opened);
    }

    [Fact]
    public async Task The_last_child_ends_first()
    {
        var log = _dir.File("ends");
        // The shell takes a signal only between two of its commands: `wait` is one that a signal interrupts.
        ChildSpec Writer(string name) => Shell(name, $"trap 'echo {name} >> {log}; exit 0' TERM; touch {log}.{name}; while :; do sleep 1 & wait $!; done");
        var running = Start(Writer("proxy"), Writer("server"));
        await Eventually.TrueAsync(() => File.Exists(log + ".proxy") && File.Exists(log + ".server"));

        await StopAsync(running);

        Assert.Equal(["server", "proxy"], await File.ReadAllLinesAsync(log));
    }

    [Fact]
    public async Task A_program_that_is_missing_is_tried_again_and_said()
    {
        var program = _dir.File("late");
        var running = Start(new ChildSpec("proxy", program, []));
        await Eventually.TrueAsync(() => Child("proxy")?.LastEnd?.StartsWith("cannot be started", StringComparison.Ordinal) == true);

        await File.WriteAllTextAsync(program, "#!/bin/sh\nexec sleep 1000\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        await PidAsync("proxy");
        await StopAsync(running);
    }

    [Fact]
    public async Task A_child_starts_only_when_what_it_needs_is_there()
    {
        var needed = _dir.File("needed");
        var opened = false;
        var running = Start(Sleeper("agent"), Sleeper("proxy") with { IsWanted = () => File.Exists(needed), OpenSockets = () => { opened = File.Exists(needed); return []; } });
        await PidAsync("agent");
        Assert.Null(Child("proxy")?.Process);

        await File.WriteAllTextAsync(needed, "");

        await PidAsync("proxy");
        Assert.True(opened);
        Assert.Null(Child("proxy")?.LastEnd);
        await StopAsync(running);
    }

    [Fact]
    public async Task Children_of_a_killed_supervisor_are_ended_before_new_ones_start()
    {
        using var orphan = System.Diagnostics.Process.Start("/bin/sleep", ["1000"]);
        ChildState.Save(Paths.ChildrenFile, [new("server", ProcessIdentity.Of(orphan.Id), 0, null)]);

        var running = Start(Sleeper("server"));

        Assert.NotEqual(orphan.Id, (await PidAsync("server", except: orphan.Id)).Pid);
        await orphan.WaitForExitAsync();
        await StopAsync(running);
    }

    [Fact]
    public async Task What_arrives_between_two_runs_waits_in_the_socket()
    {
        using var held = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        held.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var ready = _dir.File("ready");
        var got = _dir.File("got");
        // The first run never reads; it is killed with a question in the socket. The second one takes it.
        var script = $"if [ -e {ready} ]; then dd bs=100 count=1 <&3 > {got}.tmp && mv {got}.tmp {got}; fi; touch {ready}; exec sleep 1000";
        var running = Start(Shell("proxy", script) with { OpenSockets = () => [new HeldSocket("dns-udp", held)] });
        await Eventually.TrueAsync(() => File.Exists(ready));
        var first = await PidAsync("proxy");

        using var client = new UdpClient();
        await client.SendAsync(Encoding.ASCII.GetBytes("who is web?"), (IPEndPoint)held.LocalEndPoint!);
        Signals.Send(first.Pid, Signals.Kill);

        await Eventually.TrueAsync(() => File.Exists(got));
        Assert.Equal("who is web?", await File.ReadAllTextAsync(got));
        await StopAsync(running);
    }

    [Fact]
    public async Task A_socket_goes_to_its_child_alone_and_its_arguments_name_it()
    {
        using var held = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        held.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        held.Listen();
        ChildSpec Lister(string name) => Shell(name, $"for f in /proc/$$/fd/*; do readlink $f; done > {_dir.File(name)}.tmp; echo \"$@\" >> {_dir.File(name)}.tmp; mv {_dir.File(name)}.tmp {_dir.File(name)}; exec sleep 1000");

        var running = Start(Lister("server"), Lister("proxy") with { OpenSockets = () => [new HeldSocket("dns-tcp", held)] }, Lister("agent"));
        await Eventually.TrueAsync(() => File.Exists(_dir.File("server")) && File.Exists(_dir.File("proxy")) && File.Exists(_dir.File("agent")));

        var socket = SocketName((int)held.Handle);
        var proxys = await File.ReadAllLinesAsync(_dir.File("proxy"));
        Assert.Contains(socket, proxys);
        Assert.Equal("--socket dns-tcp=3", proxys[^1]);
        Assert.DoesNotContain(socket, await File.ReadAllLinesAsync(_dir.File("server")));
        Assert.DoesNotContain(socket, await File.ReadAllLinesAsync(_dir.File("agent")));
        await StopAsync(running);
    }

    [Fact]
    public async Task A_child_that_leaves_descriptors_is_told_to_begin_and_ends_with_the_supervisor()
    {
        var running = Start(Shell("proxy", $"echo \"$(dd bs=100 count=1 <&3 2>/dev/null) $@\" >> {_dir.File("told")}; exec sleep 1000") with { LeavesDescriptors = true });
        await Eventually.TrueAsync(() => File.Exists(_dir.File("told")) && File.ReadAllLines(_dir.File("told")).Length == 1);
        Assert.Equal("serve --socket control=3", File.ReadAllLines(_dir.File("told"))[0]);
        Signals.Send((await PidAsync("proxy")).Pid, Signals.Kill);
        await Eventually.TrueAsync(() => File.ReadAllLines(_dir.File("told")).Length == 2);
        await StopAsync(running);
    }

    [Fact]
    public async Task A_run_that_waits_takes_the_place_of_one_that_dies_and_ends_when_nobody_needs_it()
    {
        var (started, told) = (_dir.File("started"), _dir.File("told"));
        var running = Start(Shell("proxy", $"echo $$ >> {started}; test \"$(dd bs=100 count=1 <&3 2>/dev/null)\" = serve || exit 0; echo $$ >> {told}; exec sleep 1000") with
        {
            LeavesDescriptors = true, HasStandby = true,
        });
        await Eventually.TrueAsync(() => Pids(started).Length == 2);
        var pids = Pids(started);
        Assert.Equal(pids[..1], Pids(told));

        Signals.Send(pids[0], Signals.Kill);

        await Eventually.TrueAsync(() => Pids(told).Length == 2);
        Assert.Equal(pids, Pids(told));
        Assert.Equal(pids[1], (await PidAsync("proxy", except: pids[0])).Pid);
        await Eventually.TrueAsync(() => Pids(started).Length == 3);
        var last = ProcessIdentity.Of(Pids(started)[2])!;
        await StopAsync(running);
        Assert.False(last.IsAlive);
        Assert.Equal(2, Pids(told).Length);

        static int[] Pids(string file) => File.Exists(file) ? [.. File.ReadAllLines(file).Select(int.Parse)] : [];
    }

    /// <summary>By a program that says every 0.2 s that it goes on, for two seconds each, until it is stopped (SIGSTOP).</summary>
    [Fact]
    public async Task A_run_that_is_silent_for_longer_than_it_said_is_killed_and_the_one_that_waits_takes_its_place()
    {
        var (started, told) = (_dir.File("started"), _dir.File("told"));
        var running = Start(Shell("proxy", $"echo $$ >> {started}; test \"$(dd bs=100 count=1 <&3 2>/dev/null)\" = serve || exit 0; echo $$ >> {told}; while printf 'alive 2000' >&3; do sleep 0.2; done") with
        {
            LeavesDescriptors = true, HasStandby = true,
        });
        await Eventually.TrueAsync(() => Lines(started).Length == 2);
        var first = int.Parse(Lines(started)[0]);

        Signals.Send(first, 19); // SIGSTOP

        await Eventually.TrueAsync(() => Lines(told).Length == 2);
        Assert.Equal(Lines(started)[..2], Lines(told));
        Assert.Equal("was ended by signal 9", Child("proxy")!.LastEnd);
        await StopAsync(running);

        static string[] Lines(string file) => File.Exists(file) ? File.ReadAllLines(file) : [];
    }

    [Fact]
    public void Silence_is_counted_in_looks_and_only_of_who_has_spoken()
    {
        var watch = new SilenceWatch();
        for (var i = 0; i < 100; i++)
            Assert.Null(watch.Look());
        watch.Heard(TimeSpan.FromSeconds(3));
        Assert.Null(watch.Look());
        Assert.Null(watch.Look());
        watch.Heard(TimeSpan.FromSeconds(3));
        Assert.Null(watch.Look());
        Assert.Null(watch.Look());
        Assert.Equal(TimeSpan.FromSeconds(3), watch.Look());
        watch.Heard(TimeSpan.Zero);
        Assert.Null(watch.Look());
    }

    private static string SocketName(int descriptor) => new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget!.Split('/')[^1];

    private static ChildSpec Sleeper(string name) => new(name, "/bin/sleep", ["1000"]);

    private static ChildSpec Shell(string name, string script) => new(name, "/bin/sh", ["-c", script, "sh"]);

    private Task<int> Start(params ChildSpec[] children) => Start(Console.Error, children);

    private Task<int> Start(TextWriter output, params ChildSpec[] children)
    {
        Directory.CreateDirectory(Paths.RunDir);
        return new Supervisor(Paths, children, TimeProvider.System) { Output = output }.RunAsync(_stopping.Token);
    }

    private sealed class FullDisk : StringWriter
    {
        public override void WriteLine(string? value) => throw new IOException("No space left on device");
    }

    private ChildState? Child(string name) => ChildState.Load(Paths).FirstOrDefault(child => child.Name == name);

    private async Task<ProcessIdentity> PidAsync(string name, int except = 0) =>
        await Eventually.ValueAsync(() => Task.FromResult(Child(name)?.Process is { } process && process.Pid != except ? process : null));

    private async Task StopAsync(Task<int> running)
    {
        await _stopping.CancelAsync();
        Assert.Equal(0, await Eventually.EndsAsync(running));
    }

    public void Dispose()
    {
        _stopping.Cancel();
        foreach (var process in ChildState.Load(Paths).Select(child => child.Process).OfType<ProcessIdentity>().Where(process => process.IsAlive))
            Signals.Send(process.Pid, Signals.Kill);
        _stopping.Dispose();
        _dir.Dispose();
    }
}
