using System.ComponentModel;
using System.Net.Sockets;
using Weft.Cli.Processes;
using Weft.Cli.Proxies.HotRestart;

namespace Weft.Cli.Supervision;

/// <summary>Keeps one child running until it is told to end it. Its crashes, its back-off and its sockets are its own.</summary>
/// <param name="changed">Called after every change of <see cref="State"/>.</param>
internal sealed class SupervisedChild(ChildSpec spec, Action changed, Action<string> say, TimeProvider time) : IDisposable
{
    // As long as a process takes to start: nobody notices it.
    private static readonly TimeSpan WantedCheck = TimeSpan.FromMilliseconds(100);

    // The start of a process costs a third of a second of a core, which whoever has just begun needs more.
    private static readonly TimeSpan StandbyDelay = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly RestartBackoff _restarts = new(spec.Healthy);
    private readonly ChildStore? _store = spec.LeavesDescriptors ? new() : null;
    private IReadOnlyList<HeldSocket>? _sockets;
    private Run? _standby;
    private ChildState _state = new(spec.Name, null, 0, null);

    internal ChildSpec Spec => spec;

    internal ChildState State => Volatile.Read(ref _state);

    /// <summary>Ends after <see cref="Stop"/>, when the process is gone; or with <see cref="Supervisor.CannotStart"/> when an essential child said so at its first start, or
    /// <see cref="Supervisor.StartAnew"/> when one asks for it.</summary>
    internal async Task<int> RunAsync()
    {
        while (spec.IsWanted?.Invoke() == false && !_stopping.IsCancellationRequested)
            await Task.Delay(WantedCheck, time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var first = true;
        while (!_stopping.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            var (exit, why) = await RunOnceAsync();
            if (_stopping.IsCancellationRequested)
                break;
            Change(State with { Process = null, LastEnd = why });
            if (exit == Supervisor.StartAnew && spec.IsEssential)
                return Supervisor.StartAnew;
            // Said by the first start it is a fault of the set-up, and `weft up` shows it; later it may be a disk that is full for now.
            if (exit == Supervisor.CannotStart && first && spec.IsEssential)
                return Supervisor.CannotStart;
            first = false;

            var delay = _restarts.Next(time.GetElapsedTime(started));
            say(FormattableString.Invariant($"the {spec.Name} {why}; starting it again in {delay.TotalMilliseconds:0} ms"));
            await Task.Delay(delay, time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await EndStandbyAsync();
        Change(State with { Process = null });
        return 0;
    }

    internal void Stop() => _stopping.Cancel();

    private async Task<(int Exit, string Why)> RunOnceAsync()
    {
        Run run;
        try
        {
            _sockets ??= spec.OpenSockets?.Invoke() ?? [];
            run = TakeStandby() ?? Start();
        }
        catch (Exception refused) when (IsRefused(refused))
        {
            // The program is being replaced, an address is taken, or the machine is out of something: as good as a child that died at once.
            return (-1, $"cannot be started: {refused.Message}");
        }

        if (run.Control is { } control)
            _store!.Begin(control);
        var restarts = State.Restarts + (State.Process is null && State.LastEnd is null ? 0 : 1);
        var identity = ProcessIdentity.Of(run.Pid);
        Change(State with { Process = identity, Restarts = restarts });
        _ = WatchAsync(run);
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (_stopping.Token.Register(stop.SetResult))
        {
            var over = Task.WhenAny(run.Ended, stop.Task);
            if (spec.HasStandby && await Task.WhenAny(over, Task.Delay(StandbyDelay, time)) != over)
                StartStandby();
            if (await over != run.Ended && identity is not null)
            {
                // Before it gives up its own share of them: what it does not take then is refused at once.
                _store?.Dispose();
                await identity.StopAsync(spec.StopGrace, time, CancellationToken.None);
            }
        }

        var exit = await run.Ended;
        await run.CloseAsync(); // what it said last is for the next one, too
        return (exit, exit > 128 ? FormattableString.Invariant($"was ended by signal {exit - 128}") : FormattableString.Invariant($"ended with {exit}"));
    }

    private Run Start()
    {
        var late = spec.LateArguments is { } arguments ? spec with { Arguments = arguments() } : spec;
        var held = _sockets!.Select(socket => (socket.Name, (int)socket.Socket.Handle));
        if (_store is null)
            return new Run(ChildProcess.Start(late, [.. held]), null, Task.CompletedTask);
        var (own, other) = ControlSocket.Pair();
        try
        {
            var pid = ChildProcess.Start(late, [.. held, (ControlSocket.Name, other)]);
            var silence = new SilenceWatch();
            return new Run(pid, own, _store.ListenTo(own, silence)) { Silence = silence };
        }
        catch
        {
            own.Dispose();
            throw;
        }
        finally
        {
            ControlSocket.CloseDescriptor(other);
        }
    }

    // What is stopped or hangs as a whole cannot say so, nor end when it is asked to.
    private async Task WatchAsync(Run run)
    {
        if (run.Silence is not { } silence)
            return;
        while (await Task.WhenAny(run.Ended, Task.Delay(SilenceWatch.Interval, time)) != run.Ended)
        {
            if (silence.Look() is not { } silent)
                continue;
            say(FormattableString.Invariant($"nothing was heard of the {spec.Name} for {silent.TotalSeconds:0} s: it is ended"));
            ChildProcess.Kill(run.Pid);
            return;
        }
    }

    private void StartStandby()
    {
        if (_standby is { Ended.IsCompleted: false })
            return;
        try
        {
            _standby = Start();
        }
        catch (Exception refused) when (IsRefused(refused))
        {
            say($"no {spec.Name} can be started to wait: {refused.Message}");
        }
    }

    /// <summary>Null: there is none that lives.</summary>
    private Run? TakeStandby()
    {
        var standby = _standby;
        _standby = null;
        if (standby?.Ended.IsCompleted != true)
            return standby;
        _ = standby.CloseAsync();
        return null;
    }

    private async Task EndStandbyAsync()
    {
        if (_standby is not { } standby)
            return;
        await standby.CloseAsync(); // it hears that nobody will need it
        if (await Task.WhenAny(standby.Ended, Task.Delay(spec.StopGrace, time)) != standby.Ended)
            ChildProcess.Kill(standby.Pid);
        await standby.Ended;
    }

    private static bool IsRefused(Exception failed) => failed is Win32Exception or SocketException or IOException;

    private void Change(ChildState state)
    {
        Volatile.Write(ref _state, state);
        changed();
    }

    public void Dispose()
    {
        foreach (var held in _sockets ?? [])
            held.Socket.Dispose();
        _store?.Dispose();
        _stopping.Dispose();
    }

    /// <param name="Control">Null: it leaves nothing.</param>
    /// <param name="Silent">Ends when all that it left has been taken.</param>
    private sealed record Run(int Pid, ControlSocket? Control, Task Silent)
    {
        /// <summary>Null: it says nothing.</summary>
        public SilenceWatch? Silence { get; init; }

        public Task<int> Ended { get; } = ChildProcess.WaitAsync(Pid);

        public async Task CloseAsync()
        {
            Control?.Shutdown();
            await Silent;
            Control?.Dispose();
        }
    }
}
