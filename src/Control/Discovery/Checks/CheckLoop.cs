using Microsoft.Extensions.Logging;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Checks;

/// <summary>
/// All that happens to the registry by the passing of time: checks are made, TTLs and sessions run out, instances that were critical for too long go.
/// One queue of instants; what lies in it is looked at again when it is due, so that nothing needs to be taken out.
/// </summary>
public sealed partial class CheckLoop : IAsyncDisposable
{
    // Checks at once: 10,000 of them each 10 s need 1,000 a second, and an answer takes milliseconds where it comes.
    private const int Parallel = 64;

    private readonly ServiceRegistry _registry;
    private readonly Prober _prober;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly PriorityQueue<Work, DateTimeOffset> _queue = new();
    private readonly Dictionary<CheckKey, Progress> _checks = [];
    private readonly Dictionary<string, DateTimeOffset> _sessions = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _free = new(Parallel);
    private readonly CancellationTokenSource _stopping = new();
    private readonly IDisposable _subscription;
    private readonly Task _running;
    private TaskCompletionSource _sooner = Signal();

    public CheckLoop(ServiceRegistry registry, Prober prober, TimeProvider time, Random random, ILogger logger)
    {
        (_registry, _prober, _time, _random, _logger) = (registry, prober, time, random, logger);
        _subscription = registry.Subscribe(Follow);
        var state = registry.Current;
        lock (_gate)
        {
            foreach (var check in state.Checks.Values.SelectMany(some => some.Values))
                Adopt(check, isNew: false);
            foreach (var session in state.Sessions.Values)
                Adopt(session);
        }

        _running = RunAsync();
    }

    private enum Kind { Probe, Expiry, Removal, Session }

    /// <param name="Definition">That it was planned for: when the check has another by then, it is somebody else's work.</param>
    private sealed record Work(Kind Kind, CheckKey? Check, CheckDefinition? Definition, string? Session);

    private sealed class Progress(CheckDefinition definition)
    {
        public CheckDefinition Definition => definition;

        public DateTimeOffset Deadline { get; set; }

        public DateTimeOffset? CriticalSince { get; set; }

        public int Successes { get; set; }

        public int Failures { get; set; }
    }

    /// <summary>A client says how its TTL check is.</summary>
    /// <exception cref="RegistryException">There is no such check, or it is none of clients.</exception>
    public async Task UpdateAsync(CheckKey key, CheckStatus status, string output, CancellationToken cancellationToken)
    {
        var check = _registry.Current.FindCheck(key) ?? throw new RegistryException(404, $"Unknown check ID \"{key.Id}\"");
        if (check.Definition is { Ttl: null })
            throw new RegistryException(400, $"CheckID \"{key.Id}\" does not have associated TTL");
        output = output.Length <= 4096 ? output : output[..4096];
        lock (_gate)
        {
            if (_checks.TryGetValue(key, out var progress) && check.Definition?.Ttl is { } ttl)
                progress.Deadline = _time.GetUtcNow() + ttl;
        }

        // A renewal changes nothing: no write, no wait for the disk.
        if (check.Status != status || check.Output != output)
            await _registry.ChangeAsync(draft => { draft.SetStatus(key, status, output); return 0; }, cancellationToken);
    }

    /// <summary>The session lives on for its TTL.</summary>
    public void Renew(Session session)
    {
        lock (_gate)
        {
            if (session.Ttl is { } ttl && _sessions.ContainsKey(session.Id))
                _sessions[session.Id] = _time.GetUtcNow() + ttl * 2;
        }
    }

    private void Follow(RegistryChange change)
    {
        if (ReferenceEquals(change.Before.Checks, change.After.Checks) && ReferenceEquals(change.Before.Sessions, change.After.Sessions))
            return;
        lock (_gate)
        {
            foreach (var name in change.Names)
            {
                if (change.After.Names.TryGetValue(name, out var group))
                    Adopt(change.After, group.Registered);
            }

            Adopt(change.After, [new(_registry.Options.NodeName, "")]); // checks of other nodes are made by others
            if (!ReferenceEquals(change.Before.Sessions, change.After.Sessions))
            {
                foreach (var session in change.After.Sessions.Values.Where(session => !_sessions.ContainsKey(session.Id)))
                    Adopt(session);
            }
        }
    }

    private void Adopt(RegistryState state, IEnumerable<InstanceKey> owners)
    {
        foreach (var check in owners.SelectMany(state.ChecksOf))
            Adopt(check, isNew: true);
    }

    private void Adopt(Check check, bool isNew)
    {
        if (check.Definition is not { } definition)
            return;
        var now = _time.GetUtcNow();
        if (!_checks.TryGetValue(check.Key, out var progress) || !ReferenceEquals(progress.Definition, definition))
        {
            _checks[check.Key] = progress = new(definition) { Deadline = now + definition.Holds };
            if (definition.Ttl is not null)
                Plan(new(Kind.Expiry, check.Key, definition, null), progress.Deadline);
            else
                // At once, so that what is well takes traffic soon; after a start a little apart, so that not all begin together.
                Plan(new(Kind.Probe, check.Key, definition, null), isNew ? now : now + Spread(TimeSpan.FromSeconds(1)));
        }

        if (check.CriticalSince == progress.CriticalSince)
            return;
        progress.CriticalSince = check.CriticalSince;
        if (check is { CriticalSince: { } since, ServiceId.Length: > 0 } && definition.DeregisterAfter is { } after)
            Plan(new(Kind.Removal, check.Key, definition, null), since + after);
    }

    private void Adopt(Session session)
    {
        // Consul too ends a session within twice its TTL, not at it: a client renews at half of it, and may be late.
        if (session.Ttl is not { } ttl)
            return;
        _sessions[session.Id] = _time.GetUtcNow() + ttl * 2;
        Plan(new(Kind.Session, null, null, session.Id), _sessions[session.Id]);
    }

    private void Plan(Work work, DateTimeOffset due)
    {
        _queue.Enqueue(work, due);
        if (_queue.TryPeek(out var first, out _) && ReferenceEquals(first, work))
            _sooner.TrySetResult();
    }

    private async Task RunAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            Work? work = null;
            Task sooner;
            TimeSpan pause;
            lock (_gate)
            {
                var now = _time.GetUtcNow();
                if (_queue.TryPeek(out _, out var due) && due <= now)
                    work = _queue.Dequeue();
                if (_sooner.Task.IsCompleted)
                    _sooner = Signal();
                sooner = _sooner.Task;
                pause = _queue.Count > 0 ? Min(due - now, TimeSpan.FromHours(1)) : TimeSpan.FromHours(1);
            }

            try
            {
                if (work is not null)
                    await DoAsync(work);
                else
                    await sooner.WaitAsync(pause > TimeSpan.Zero ? pause : TimeSpan.FromMilliseconds(1), _time, _stopping.Token);
            }
            catch (TimeoutException)
            {
                // Something is due.
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception failed) when (failed is RegistryException or RegistryStoreException)
            {
                // Not kept, and said by the registry. An expiry has its next turn already.
                if (work is { Kind: not Kind.Expiry })
                    Again(work);
            }
        }
    }

    private void Again(Work work)
    {
        lock (_gate)
            Plan(work, _time.GetUtcNow() + TimeSpan.FromSeconds(1));
    }

    private async Task DoAsync(Work work)
    {
        switch (work.Kind)
        {
            case Kind.Probe:
                await _free.WaitAsync(_stopping.Token);
                _ = ProbeAsync(work);
                break;
            case Kind.Expiry:
                await ExpireAsync(work);
                break;
            case Kind.Removal:
                await RemoveAsync(work);
                break;
            default:
                await EndAsync(work);
                break;
        }
    }

    // Runs beside the loop; ends by itself, also with the loop.
    private async Task ProbeAsync(Work work)
    {
        var key = work.Check!;
        try
        {
            if (Present(work) is not (not null, { } progress))
                return;
            var definition = progress.Definition;
            var found = await _prober.RunAsync(definition, _stopping.Token);
            await _registry.ChangeAsync(
                draft =>
                {
                    // While it was made the check may have become another.
                    if (draft.State.FindCheck(key) is { } now && ReferenceEquals(now.Definition, definition))
                        draft.SetStatus(key, Damped(progress, definition, now.Status, found.Status), found.Output);
                    return 0;
                }, _stopping.Token);
            Next(work, definition);
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception failed) when (failed is RegistryException or RegistryStoreException)
        {
            Again(work);
        }
        catch (Exception failed)
        {
            Log.CheckFailed(_logger, key.Id, failed);
            Again(work);
        }
        finally
        {
            _free.Release();
        }
    }

    private void Next(Work work, CheckDefinition definition)
    {
        lock (_gate)
        {
            if (_checks.TryGetValue(work.Check!, out var progress) && ReferenceEquals(progress.Definition, definition))
                Plan(work, _time.GetUtcNow() + definition.Interval);
        }
    }

    private static CheckStatus Damped(Progress progress, CheckDefinition definition, CheckStatus before, CheckStatus found)
    {
        (progress.Successes, progress.Failures) = found == CheckStatus.Critical ? (0, progress.Failures + 1) : (progress.Successes + 1, 0);
        var enough = found == CheckStatus.Critical ? progress.Failures >= definition.FailuresBeforeCritical : progress.Successes >= definition.SuccessBeforePassing;
        return enough ? found : before;
    }

    private async Task ExpireAsync(Work work)
    {
        if (Present(work) is not ({ } check, { Definition.Ttl: { } ttl } progress))
            return;
        var now = _time.GetUtcNow();
        DateTimeOffset deadline;
        lock (_gate)
        {
            deadline = progress.Deadline;
            if (deadline <= now)
                progress.Deadline = now + ttl;
            Plan(work, progress.Deadline);
        }

        if (deadline <= now && check.Status != CheckStatus.Critical)
            await _registry.ChangeAsync(draft => { draft.SetStatus(work.Check!, CheckStatus.Critical, "TTL expired"); return 0; }, _stopping.Token);
    }

    private async Task RemoveAsync(Work work)
    {
        var key = work.Check!;
        if (Present(work) is not ({ CriticalSince: { } since, Definition.DeregisterAfter: { } after } check, _) || since + after > _time.GetUtcNow())
            return;
        var removed = await _registry.ChangeAsync(draft => draft.State.FindCheck(key)?.CriticalSince == since && draft.RemoveInstance(check.Owner), _stopping.Token);
        if (removed)
            Log.Removed(_logger, check.ServiceId, key.Id, after);
    }

    private async Task EndAsync(Work work)
    {
        var now = _time.GetUtcNow();
        lock (_gate)
        {
            if (!_sessions.TryGetValue(work.Session!, out var deadline) || !_registry.Current.Sessions.ContainsKey(work.Session!))
            {
                _sessions.Remove(work.Session!);
                return;
            }

            if (deadline > now)
            {
                Plan(work, deadline);
                return;
            }
        }

        await _registry.ChangeAsync(draft => draft.RemoveSession(work.Session!), _stopping.Token);
        lock (_gate)
            _sessions.Remove(work.Session!);
    }

    /// <summary>The check as it is, when the work is still its own.</summary>
    private (Check?, Progress?) Present(Work work)
    {
        var check = _registry.Current.FindCheck(work.Check!);
        lock (_gate)
        {
            if (check is null)
                _checks.Remove(work.Check!);
            var progress = _checks.GetValueOrDefault(work.Check!);
            return ReferenceEquals(progress?.Definition, work.Definition) ? (check, progress) : (null, null);
        }
    }

    private TimeSpan Spread(TimeSpan within)
    {
        lock (_random)
            return within * _random.NextDouble();
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TaskCompletionSource Signal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async ValueTask DisposeAsync()
    {
        _subscription.Dispose();
        await _stopping.CancelAsync();
        await _running;
        for (var i = 0; i < Parallel; i++)
            await _free.WaitAsync();
        _free.Dispose();
        _stopping.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "check {Check} could not be made")]
        public static partial void CheckFailed(ILogger logger, string check, Exception failure);

        [LoggerMessage(LogLevel.Information, "instance {Instance} is deregistered: check {Check} was critical for {After}")]
        public static partial void Removed(ILogger logger, string instance, string check, TimeSpan after);
    }
}
