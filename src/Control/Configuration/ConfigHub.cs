using System.Collections.Immutable;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Wire;

namespace Weft.Control.Configuration;

/// <summary>What one proxy has said.</summary>
/// <param name="Version">In use, except for what is rejected.</param>
/// <param name="Rejected">Units that it was told and does not use, whichever version brought them.</param>
public sealed record ProxyState(string Proxy, ulong Version, ImmutableArray<Rejection> Rejected)
{
    /// <summary>Addresses of endpoints that it uses no more, and that still answer what it sent them before.</summary>
    public IReadOnlySet<string> Draining { get; init; } = ImmutableHashSet<string>.Empty;
}

/// <summary>
/// The configuration that all proxies should have, and who is behind with what. A proxy that reads slowly costs one entry for each unit that it lacks,
/// however often that unit changes.
/// </summary>
/// <param name="epoch">Names this run: versions begin anew with each.</param>
public sealed class ConfigHub(ulong epoch)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<UnitKey, ConfigUnit> _units = [];
    private readonly List<ConfigSubscription> _subscriptions = [];
    private readonly Dictionary<string, ProxyState> _proxies = [];
    private TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ulong _version;

    public ulong Epoch => epoch;

    /// <summary>Ends when the first state is whole: before that a proxy would be told to forget what is only not read yet.</summary>
    public Task Complete => _complete.Task;

    public ulong Version
    {
        get
        {
            lock (_gate)
                return _version;
        }
    }

    /// <summary>What each connected proxy has acknowledged last.</summary>
    public IReadOnlyList<ProxyState> Proxies
    {
        get
        {
            lock (_gate)
                return [.. _proxies.Values];
        }
    }

    /// <summary>The connected proxies; those that have acknowledged nothing yet with version 0. Behind it: ends when one of them says something, comes or goes.</summary>
    public (IReadOnlyList<ProxyState> Proxies, Task Next) Look()
    {
        lock (_gate)
        {
            var states = _subscriptions.Select(subscription => subscription.Proxy).Distinct().Select(proxy => _proxies.GetValueOrDefault(proxy) ?? new ProxyState(proxy, 0, []));
            return ([.. states], _heard.Task);
        }
    }

    public void MarkComplete() => _complete.TrySetResult();

    /// <summary>A unit that is as it was changes nothing.</summary>
    public void Publish(ConfigUnit unit)
    {
        lock (_gate)
        {
            if (_units.TryGetValue(unit.Key, out var old) && old.Hash == unit.Hash)
                return;
            _units[unit.Key] = unit;
            Tell(unit.Key);
        }
    }

    public void Remove(UnitKey key)
    {
        lock (_gate)
        {
            if (_units.Remove(key))
                Tell(key);
        }
    }

    /// <summary>Several changes as one: no proxy is told a part of them.</summary>
    /// <returns>The version that has them all.</returns>
    public ulong Update(IEnumerable<ConfigUnit> units, IEnumerable<UnitKey> gone)
    {
        lock (_gate)
        {
            foreach (var unit in units)
                Publish(unit);
            foreach (var key in gone)
                Remove(key);
            return _version;
        }
    }

    /// <param name="known">What the proxy has.</param>
    public ConfigSubscription Subscribe(string proxy, IReadOnlyDictionary<UnitKey, UnitHash> known)
    {
        lock (_gate)
        {
            var behind = _units.Values.Where(unit => !known.TryGetValue(unit.Key, out var hash) || hash != unit.Hash).Select(unit => unit.Key)
                .Concat(known.Keys.Where(key => !_units.ContainsKey(key)));
            var subscription = new ConfigSubscription(this, proxy, behind);
            _subscriptions.Add(subscription);
            // A new stream tells what it still waits for; what the one before had told may be long over.
            if (_proxies.TryGetValue(proxy, out var old))
                _proxies[proxy] = old with { Draining = ImmutableHashSet<string>.Empty };
            Hear();
            return subscription;
        }
    }

    internal Lock Gate => _gate;

    internal ulong VersionLocked => _version;

    internal ConfigUnit? FindLocked(UnitKey key) => _units.GetValueOrDefault(key);

    /// <param name="told">What the step was about: what was refused of it before is so no more, unless it is again.</param>
    internal void Acknowledged(string proxy, Ack ack, IReadOnlySet<UnitKey> told)
    {
        lock (_gate)
        {
            var before = _proxies.TryGetValue(proxy, out var old) ? old.Rejected.RemoveAll(rejection => told.Contains(rejection.Key)) : [];
            _proxies[proxy] = (old ?? new ProxyState(proxy, 0, [])) with { Version = ack.Version, Rejected = before.AddRange(ack.Rejected) };
            Hear();
        }
    }

    internal void Drains(ConfigSubscription subscription, IEnumerable<string> addresses)
    {
        lock (_gate)
        {
            if (_subscriptions.FindLast(other => other.Proxy == subscription.Proxy) != subscription)
                return; // of a stream that another has followed
            var old = _proxies.GetValueOrDefault(subscription.Proxy) ?? new ProxyState(subscription.Proxy, 0, []);
            _proxies[subscription.Proxy] = old with { Draining = addresses.ToImmutableHashSet() };
            Hear();
        }
    }

    internal void Leave(ConfigSubscription subscription)
    {
        lock (_gate)
        {
            _subscriptions.Remove(subscription);
            if (!_subscriptions.Exists(other => other.Proxy == subscription.Proxy))
                _proxies.Remove(subscription.Proxy);
            Hear();
        }
    }

    private void Hear()
    {
        _heard.TrySetResult();
        _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private void Tell(UnitKey key)
    {
        _version++;
        foreach (var subscription in _subscriptions)
            subscription.AddLocked(key);
    }
}
