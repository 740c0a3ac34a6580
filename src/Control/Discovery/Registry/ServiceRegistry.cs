using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Control.Discovery.Model;

namespace Weft.Control.Discovery.Registry;

/// <summary>A state that came to be, and what it is about.</summary>
public sealed record RegistryChange(RegistryState Before, RegistryState After, IReadOnlySet<string> Names, IReadOnlySet<string> Topics);

/// <summary>
/// The table of names with its one writer. Changes are made one after the other on the newest state, several are kept in one transaction, and each caller
/// hears when his is on the disk. Readers take <see cref="Current"/> and lock nothing.
/// </summary>
public sealed partial class ServiceRegistry : IAsyncDisposable
{
    // Indices are reserved in blocks: one write for so many changes that are themselves not kept.
    private const int Block = 100_000;

    // What one transaction may hold beside the number of its writes.
    private const int MaxBatchBytes = 4 * 1024 * 1024;

    private readonly IRegistryStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<Pending> _pending;
    private readonly TopicWaits _waits = new();
    private readonly Lock _gate = new();
    private readonly List<Action<RegistryChange>> _listeners = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _writing;
    private readonly Task _living;
    private RegistryState _state;
    private long _reserved;

    private ServiceRegistry(IRegistryStore store, RegistryOptions options, RegistryState state, TimeProvider time, ILogger logger)
    {
        (_store, Options, _state, _time, _logger, _reserved) = (store, options, state, time, logger, state.Index);
        _pending = Channel.CreateBounded<Pending>(new BoundedChannelOptions(options.MaxPending) { SingleReader = true });
        _writing = WriteAsync();
        _living = LiveAsync();
    }

    public RegistryOptions Options { get; }

    public RegistryState Current => Volatile.Read(ref _state);

    /// <exception cref="InvalidDataException">What was kept cannot be read.</exception>
    public static async Task<ServiceRegistry> OpenAsync(IRegistryStore store, RegistryOptions options, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var (state, _) = Loader.Load(await store.LoadAsync(cancellationToken), time.GetUtcNow());
        var registry = new ServiceRegistry(store, options, state, time, logger);
        try
        {
            await registry.ChangeAsync(
                draft =>
                {
                    if (draft.State.Nodes.GetValueOrDefault(options.NodeName)?.Address != options.NodeAddress)
                        draft.PutNode(new() { Name = options.NodeName, Address = options.NodeAddress });
                    return 0;
                }, cancellationToken);
            return registry;
        }
        catch
        {
            // Whoever tries again opens another: two that live would each say what the other has reserved.
            await registry.EndAsync(isKept: false);
            throw;
        }
    }

    /// <summary>Makes a change; returns when it is durable and visible. What throws changes nothing.</summary>
    /// <exception cref="RegistryException"/>
    /// <exception cref="RegistryStoreException"/>
    public async Task<T> ChangeAsync<T>(Func<RegistryDraft, T> change, CancellationToken cancellationToken)
    {
        var pending = new Pending<T>(change);
        try
        {
            await _pending.Writer.WriteAsync(pending, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            throw new RegistryException(503, "the registry is ending");
        }

        return await pending.Result;
    }

    /// <summary>Told of every change, in order, by the writer: be quick, do not throw.</summary>
    public IDisposable Subscribe(Action<RegistryChange> listener)
    {
        lock (_gate)
            _listeners.Add(listener);
        return new Subscription(() =>
        {
            lock (_gate)
                _listeners.Remove(listener);
        });
    }

    /// <summary>The first state whose index of the question is above the client's; or that of now when the time is over.</summary>
    internal async Task<RegistryState> WaitAsync(string topic, Func<RegistryState, long> indexOf, long index, TimeSpan wait, CancellationToken cancellationToken)
    {
        var state = Current;
        if (indexOf(state) > index || index > state.Index || wait <= TimeSpan.Zero)
            return state;
        using var deadline = new CancellationTokenSource(wait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken, _stopping.Token);
        while (true)
        {
            using var wake = _waits.Join(topic);
            state = Current; // after joining: a change between the two is not missed
            if (indexOf(state) > index)
                return state;
            await wake.Task.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (either.IsCancellationRequested)
                return Current;
        }
    }

    internal int Waiting => _waits.Count;

    private async Task WriteAsync()
    {
        var reader = _pending.Reader;
        while (await reader.WaitToReadAsync())
        {
            var batch = new Batch(_state, _time.GetUtcNow());
            while (batch.Writes.Count < _store.MaxWrites / 2 && batch.Bytes < MaxBatchBytes && reader.TryRead(out var pending))
                batch.Apply(pending);
            await CommitAsync(batch);
        }
    }

    private async Task CommitAsync(Batch batch)
    {
        try
        {
            var reserved = _reserved;
            if (batch.State.Index >= _reserved)
                reserved = batch.State.Index + Block;
            if (reserved != _reserved || batch.SaysAlive)
                batch.Writes[Records.Meta] = Records.Write(new RegistryMeta(reserved, _time.GetUtcNow()));

            if (batch.Writes.Count > 0)
                await _store.WriteAsync(batch.Writes, CancellationToken.None); // also at the end: whoever was let in is answered
            _reserved = reserved;
        }
        catch (Exception failed)
        {
            // Whatever it was: the callers must know that their change is not there. A store that failed for good ends the process by itself.
            Log.NotKept(_logger, batch.Callers.Count, failed.Message);
            foreach (var caller in batch.Callers)
                caller.Fail(failed as RegistryStoreException ?? new RegistryStoreException("the change could not be kept", failed));
            return;
        }

        var before = _state;
        Volatile.Write(ref _state, batch.State);
        _waits.Wake(batch.Topics);
        Tell(new(before, batch.State, batch.Names, batch.Topics));
        foreach (var caller in batch.Callers)
            caller.Succeed();
    }

    private void Tell(RegistryChange change)
    {
        Action<RegistryChange>[] listeners;
        lock (_gate)
            listeners = [.. _listeners];
        foreach (var listener in listeners)
            listener(change);
    }

    // While something has a status that a restart should keep, the time of now is written down.
    private async Task LiveAsync()
    {
        using var timer = new PeriodicTimer(Options.AlivePeriod, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                if (!Current.Owners.IsEmpty)
                    await SayAliveAsync();
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    // By the writer, who alone knows which indices are reserved.
    private async Task SayAliveAsync()
    {
        try
        {
            await ChangeAsync(draft => draft.SaysAlive = true, CancellationToken.None);
        }
        catch (Exception unkept) when (unkept is RegistryStoreException or RegistryException)
        {
            // Said in the log by the writer. A status is then held for a shorter time after a crash.
        }
    }

    public ValueTask DisposeAsync() => EndAsync(isKept: true);

    /// <param name="isKept">Whether what it says last is to be kept.</param>
    private async ValueTask EndAsync(bool isKept)
    {
        await _stopping.CancelAsync();
        await _living;
        if (isKept && !Current.Owners.IsEmpty)
            await SayAliveAsync();
        _pending.Writer.TryComplete();
        await _writing;
        _stopping.Dispose();
    }

    private abstract class Pending
    {
        /// <summary>Throws what the change throws.</summary>
        public abstract void Run(RegistryDraft draft);

        public abstract void Succeed();

        public abstract void Fail(Exception why);
    }

    private sealed class Pending<T>(Func<RegistryDraft, T> change) : Pending
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;

        public Task<T> Result => _done.Task;

        public override void Run(RegistryDraft draft) => _result = change(draft);

        public override void Succeed() => _done.SetResult(_result!);

        public override void Fail(Exception why) => _done.SetException(why);
    }

    private sealed class Batch(RegistryState state, DateTimeOffset now)
    {
        public RegistryState State { get; private set; } = state;

        public Dictionary<string, byte[]?> Writes { get; } = new(StringComparer.Ordinal);

        public int Bytes { get; private set; }

        public bool SaysAlive { get; private set; }

        public HashSet<string> Topics { get; } = new(StringComparer.Ordinal);

        public HashSet<string> Names { get; } = new(StringComparer.OrdinalIgnoreCase);

        public List<Pending> Callers { get; } = [];

        public void Apply(Pending pending)
        {
            var draft = new RegistryDraft(State, now);
            try
            {
                pending.Run(draft);
            }
            catch (Exception refused)
            {
                pending.Fail(refused);
                return;
            }

            Callers.Add(pending);
            State = draft.State;
            SaysAlive |= draft.SaysAlive;
            Topics.UnionWith(draft.Touched);
            Names.UnionWith(draft.TouchedNames);
            foreach (var (key, value) in draft.Writes)
            {
                Writes[key] = value;
                Bytes += value?.Length ?? 0;
            }
        }
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Count} changes of the registry were not kept: {Reason}")]
        public static partial void NotKept(ILogger logger, int count, string reason);
    }
}
