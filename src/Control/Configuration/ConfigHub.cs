using System.Collections.Immutable;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Wire;

namespace Weft.Control.Configuration;

/// <summary>What one proxy has said about a version.</summary>
public sealed record ProxyState(string Proxy, ulong Version, ImmutableArray<Rejection> Rejected);

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

    /// <param name="known">What the proxy has.</param>
    public ConfigSubscription Subscribe(string proxy, IReadOnlyDictionary<UnitKey, UnitHash> known)
    {
        lock (_gate)
        {
            var behind = _units.Values.Where(unit => !known.TryGetValue(unit.Key, out var hash) || hash != unit.Hash).Select(unit => unit.Key)
                .Concat(known.Keys.Where(key => !_units.ContainsKey(key)));
            var subscription = new ConfigSubscription(this, proxy, behind);
            _subscriptions.Add(subscription);
            return subscription;
        }
    }

    internal Lock Gate => _gate;

    internal ulong VersionLocked => _version;

    internal ConfigUnit? FindLocked(UnitKey key) => _units.GetValueOrDefault(key);

    internal void Acknowledged(ProxyState state)
    {
        lock (_gate)
            _proxies[state.Proxy] = state;
    }

    internal void Leave(ConfigSubscription subscription)
    {
        lock (_gate)
        {
            _subscriptions.Remove(subscription);
            if (!_subscriptions.Exists(other => other.Proxy == subscription.Proxy))
                _proxies.Remove(subscription.Proxy);
        }
    }

    private void Tell(UnitKey key)
    {
        _version++;
        foreach (var subscription in _subscriptions)
            subscription.AddLocked(key);
    }
}
