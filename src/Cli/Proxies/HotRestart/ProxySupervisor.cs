using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Weft.Cli.Supervision;

namespace Weft.Cli.Proxies.HotRestart;

/// <summary>
/// The process that `weft proxy --config` is for whoever starts it: it serves nothing, reads no configuration and parses nothing that strangers send. It holds what has to outlive a proxy, and keeps one
/// running (<see cref="RestartMachine"/>).
/// </summary>
/// <param name="program">Path of this program, started anew for each proxy.</param>
/// <param name="say">Gets a sentence for the log.</param>
public sealed class ProxySupervisor(string program, string file, Action<string> say, TimeProvider time) : IWorkers, IDisposable
{
    /// <summary>SIGUSR2: nginx and HAProxy change the process at it.</summary>
    private const PosixSignal HotRestart = (PosixSignal)12;

    // Code that is compiled again by what it has seen costs a proxy a quarter less for each request (docs/performance.md); the program's other parts are better off without.
    private static readonly IReadOnlyDictionary<string, string> Recompiled = new Dictionary<string, string> { ["DOTNET_TieredPGO"] = "1" };

    // One thing after the other, from whatever thread it comes. What is in it is bounded by how many processes there are and what each says.
    private readonly Channel<Action> _events = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<int, ControlSocket> _links = [];
    private readonly DescriptorStore _store = new();
    private readonly CancellationTokenSource _over = new();
    private readonly long _started = time.GetTimestamp();
    private int _exitCode;

    TimeSpan IWorkers.Now => time.GetElapsedTime(_started);

    /// <summary>The arguments that a proxy is started with, before its socket.</summary>
    public static string[] WorkerArguments(string file, bool rehearse) => ["proxy", rehearse ? "--standby" : "--worker", file];

    /// <summary>Returns after SIGTERM or SIGINT, when all connections have ended, or when the first proxy cannot begin; gives the exit code.</summary>
    public async Task<int> RunAsync()
    {
        var machine = new RestartMachine(this);
        _machine = machine;
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Hear(context, machine.End));
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Hear(context, machine.End));
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Hear(context, machine.Reload));
        using var restart = PosixSignalRegistration.Create(HotRestart, context => Hear(context, machine.Restart));
        machine.Start();
        try
        {
            await foreach (var happened in _events.Reader.ReadAllAsync(_over.Token))
                happened();
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }

        return _exitCode;
    }

    public void Dispose()
    {
        _store.Dispose();
        _over.Dispose();
    }

    private RestartMachine? _machine;

    int IWorkers.Start(bool rehearse)
    {
        try
        {
            var (own, other) = ControlSocket.Pair();
            var pid = 0;
            try
            {
                pid = ChildProcess.Start(new ChildSpec("proxy", program, WorkerArguments(file, rehearse)) { Environment = Recompiled }, [(ControlSocket.Name, other)]);
            }
            finally
            {
                ControlSocket.CloseDescriptor(other);
                if (pid == 0)
                    own.Dispose();
            }

            _links.Add(pid, own);
            // A thread for each of a handful, as for their ends.
            new Thread(() => Listen(pid, own), maxStackSize: 256 * 1024) { IsBackground = true, Name = "control-" + pid }.Start();
            _ = WaitAsync(pid);
            return pid;
        }
        catch (Exception refused) when (refused is Win32Exception or IOException)
        {
            say($"no process can be started: {refused.Message}");
            return 0;
        }
    }

    void IWorkers.Serve(int worker, bool recover)
    {
        if (!_links.TryGetValue(worker, out var link))
            return;
        _store.HandTo(link);
        link.Send(recover ? WorkerOrders.Recover : WorkerOrders.Serve);
    }

    // Nobody there: its end is the next event.
    void IWorkers.Send(int worker, string order)
    {
        if (_links.TryGetValue(worker, out var link))
            link.Send(order);
    }

    void IWorkers.Kill(int worker)
    {
        // Its end is on its way here if it has ended: a number is not given again so soon.
        if (_links.ContainsKey(worker))
            ChildProcess.Kill(worker);
    }

    void IWorkers.GiveUpSockets() => _store.Dispose();

    void IWorkers.After(TimeSpan delay, Action action) => _ = AfterAsync(delay, action);

    void IWorkers.Say(string sentence) => say(sentence);

    void IWorkers.Finish(int exitCode)
    {
        _exitCode = exitCode;
        _over.Cancel();
    }

    private async Task AfterAsync(TimeSpan delay, Action action)
    {
        await Task.Delay(delay, time, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _events.Writer.TryWrite(action);
    }

    private async Task WaitAsync(int pid)
    {
        var code = await ChildProcess.WaitAsync(pid);
        _events.Writer.TryWrite(() =>
        {
            if (_links.Remove(pid, out var link))
                link.Shutdown(); // closed by the thread that reads it
            _machine!.OnExit(pid, code, code > 128 ? FormattableString.Invariant($"was ended by signal {code - 128}") : FormattableString.Invariant($"ended with {code}"));
        });
    }

    private void Listen(int pid, ControlSocket link)
    {
        while (link.Receive() is { } message)
            _events.Writer.TryWrite(() => Hear(pid, message));
        _events.Writer.TryWrite(link.Dispose);
    }

    private void Hear(int pid, ControlMessage message)
    {
        var machine = _machine!;
        if (machine.Owns(pid) && _store.Hear(message))
            return;
        var (word, rest) = WorkerOrders.Split(message.Text);
        switch (word)
        {
            case WorkerOrders.Standby:
                machine.OnStandby(pid);
                break;
            case WorkerOrders.Alive:
                machine.OnAlive(pid, WorkerOrders.AliveLimit(rest));
                break;
            case WorkerOrders.Frozen:
                machine.OnFrozen(pid);
                break;
            case WorkerOrders.Ready:
                machine.OnReady(pid, WorkerOrders.DrainTime(rest));
                break;
        }

        foreach (var descriptor in message.Descriptors)
            ControlSocket.CloseDescriptor(descriptor);
    }

    private void Hear(PosixSignalContext context, Action what)
    {
        context.Cancel = true;
        _events.Writer.TryWrite(what);
    }
}
