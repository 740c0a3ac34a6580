using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.Identity;

/// <summary>
/// The identities of the node's workloads: what is wanted, what is held, and TLS with it. Thread-safe; handshakes take no lock. A renewed certificate or bundle takes the
/// place of the old one for new connections, and no handshake fails for it.
/// </summary>
internal sealed partial class MeshIdentities : IDisposable
{
    // A workload that was restarted in between gets the certificate that it had.
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<WorkloadAccount, Entry> _entries = new();
    private readonly Lock _gate = new(); // for changes
    private readonly List<Action<WorkloadAccount>> _listeners = [];
    private readonly IdentityFiles _files;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private TrustBundle? _bundle;
    private long _generation;
    private TaskCompletionSource _wanted = NewSignal();

    public MeshIdentities(IdentityFiles files, TimeProvider time, Random random, ILogger logger)
    {
        (_files, _time, _random, _logger) = (files, time, random, logger);
        if (files.LoadBundle() is not { } bundle)
            return;
        _bundle = bundle;
        foreach (var held in files.Load(bundle.TrustDomain, time.GetUtcNow()))
            Hold(EntryOf(held.Account), held);
        if (!_entries.IsEmpty)
            Log.Loaded(logger, _entries.Count);
    }

    /// <summary>Null: the server was never reached.</summary>
    public TrustBundle? Bundle => Volatile.Read(ref _bundle);

    /// <summary>Sees to it that the account has a certificate: its pod is here.</summary>
    public void Want(WorkloadAccount account)
    {
        if (!account.IsValid)
            return;
        lock (_gate)
        {
            var entry = EntryOf(account);
            entry.WantedAt = _time.GetUtcNow();
            if (entry is { Held: not null, Released: false })
                return;
            entry.Released = false;
            _wanted.TrySetResult();
        }
    }

    /// <summary>Called with an account that has a new certificate or bundle, on whichever thread brings it. Must be quick.</summary>
    public void OnChange(Action<WorkloadAccount> listener)
    {
        lock (_gate)
            _listeners.Add(listener);
    }

    /// <summary>The server's side of a connection to a workload of this account; null: it has no certificate now, and one is asked for.</summary>
    public LibSslEngine? Accept(WorkloadAccount account, BufferPool pool) => Engine(account, pool, static (contexts, buffers, _) => contexts.Server.Accept(buffers), "");

    /// <summary>The client's side of a connection of this account, to nobody but the expected identity; null: as in <see cref="Accept"/>.</summary>
    public LibSslEngine? Connect(WorkloadAccount account, BufferPool pool, string expectedIdentity) =>
        Engine(account, pool, static (contexts, buffers, expected) => contexts.Client.Connect(buffers, null, identity: expected), expectedIdentity);

    /// <summary>Another after each renewal: connections with an older one are not for new streams. 0: no certificate.</summary>
    public long Generation(WorkloadAccount account) => Usable(account)?.Generation ?? 0;

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var entry in _entries.Values)
                entry.Contexts?.Dispose();
            _entries.Clear();
        }
    }

    /// <summary>Ends when something may have become due earlier.</summary>
    internal Task WantedAsync()
    {
        lock (_gate)
        {
            if (_wanted.Task.IsCompleted)
                _wanted = NewSignal();
            return _wanted.Task;
        }
    }

    /// <summary>Accounts to ask for now, the most urgent first, and when the next falls due.</summary>
    internal (IReadOnlyList<WorkloadAccount> Due, DateTimeOffset Next) Plan()
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            var all = _entries.Select(pair => (pair.Key, At: RenewalPlanner.NextAt(pair.Value.Renewal), pair.Value.Held?.NotAfter)).ToList();
            return ([.. all.Where(each => each.At <= now).OrderBy(each => each.NotAfter).Select(each => each.Key)],
                all.Select(each => each.At).Where(at => at > now).DefaultIfEmpty(DateTimeOffset.MaxValue).Min());
        }
    }

    internal void SetBundle(TrustBundle bundle)
    {
        List<WorkloadAccount> changed = [];
        lock (_gate)
        {
            if (bundle == _bundle)
                return;
            Keep(() => _files.Save(bundle));
            Volatile.Write(ref _bundle, bundle);
            Log.NewBundle(_logger, bundle.Version);
            foreach (var (account, entry) in _entries)
            {
                if (entry.Held is { } held && Hold(entry, held))
                    changed.Add(account);
            }
        }

        Tell(changed);
    }

    /// <returns>Why it is not usable; null: it is used from now on.</returns>
    internal string? Store(WorkloadAccount account, string key, string chain)
    {
        lock (_gate)
        {
            if (_bundle is not { } bundle)
                return "a certificate before the bundle";
            if (!HeldIdentity.TryCreate(account, bundle.TrustDomain, key, chain, out var held, out var error))
                return error;
            Keep(() => _files.Save(held)); // before anybody has seen it
            var entry = EntryOf(account);
            if (!Hold(entry, held))
                return "TLS cannot use it";
            entry.Failures = 0;
        }

        Tell([account]);
        return null;
    }

    /// <param name="released">The server says that the account is not at work here.</param>
    internal void Failed(WorkloadAccount account, bool released)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(account, out var entry))
                return;
            var now = _time.GetUtcNow();
            (entry.Failures, entry.FailedAt) = (entry.Failures + 1, now);
            var valid = entry.Held?.NotAfter > now;
            entry.Released |= released && valid;
            if (valid || now - entry.WantedAt < Forgotten)
                return;
            _entries.TryRemove(account, out _);
            entry.Contexts?.Dispose();
            _files.Remove(account);
        }
    }

    private LibSslEngine? Engine(WorkloadAccount account, BufferPool pool, Func<IdentityContexts, BufferPool, string, LibSslEngine> make, string expected)
    {
        while (Usable(account) is { } contexts)
        {
            try
            {
                return make(contexts, pool, expected);
            }
            catch (ObjectDisposedException)
            {
                // Renewed since it was read: the next one is there already.
            }
        }

        Want(account);
        return null;
    }

    private IdentityContexts? Usable(WorkloadAccount account) =>
        _entries.TryGetValue(account, out var entry) && Volatile.Read(ref entry.Contexts) is { } contexts && contexts.NotAfter > _time.GetUtcNow() ? contexts : null;

    private Entry EntryOf(WorkloadAccount account) => _entries.GetOrAdd(account, static (_, random) => new Entry { Jitter = (random.NextDouble() * 2) - 1 }, _random);

    private bool Hold(Entry entry, HeldIdentity held)
    {
        if (!IdentityContexts.TryCreate(held, _bundle!, ++_generation, _time, out var contexts, out var error))
        {
            Log.NotUsable(_logger, held.Account, error);
            return false;
        }

        entry.Held = held;
        var old = entry.Contexts;
        Volatile.Write(ref entry.Contexts, contexts); // before the old one goes: a handshake that loses it finds this one
        old?.Dispose();
        return true;
    }

    private void Keep(Action save)
    {
        try
        {
            save();
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            Log.NotSaved(_logger, full.Message); // only a restart without the server would be poorer
        }
    }

    private void Tell(List<WorkloadAccount> changed)
    {
        Action<WorkloadAccount>[] listeners;
        lock (_gate)
            listeners = [.. _listeners];
        foreach (var account in changed)
        {
            foreach (var listener in listeners)
                listener(account);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Entry
    {
        public IdentityContexts? Contexts;
        public HeldIdentity? Held;
        public double Jitter;
        public int Failures;
        public DateTimeOffset FailedAt;
        public DateTimeOffset WantedAt;
        public bool Released;

        public RenewalState Renewal => new(Held?.NotBefore, Held?.NotAfter, Jitter, Failures, FailedAt, Released);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "began with {Count} identities on disk")]
        public static partial void Loaded(ILogger logger, int count);

        [LoggerMessage(LogLevel.Information, "trust bundle {Version} is in use")]
        public static partial void NewBundle(ILogger logger, long version);

        [LoggerMessage(LogLevel.Error, "the certificate of {Account} cannot be used: {Reason}")]
        public static partial void NotUsable(ILogger logger, WorkloadAccount account, string reason);

        [LoggerMessage(LogLevel.Warning, "identities cannot be kept on disk: {Reason}")]
        public static partial void NotSaved(ILogger logger, string reason);
    }
}
