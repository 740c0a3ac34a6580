using Weft.Control.Configuration;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Discovery.Outputs;

/// <summary>Keeps the proxies' zone `consul` as the registry is. Told by the registry's writer, which a unit costs some microseconds.</summary>
public sealed class RegistryNames : IDisposable
{
    private readonly ConfigHub _hub;
    private readonly IDisposable _subscription;
    private readonly Lock _gate = new();

    /// <param name="servers">Where the zone's server is asked.</param>
    public RegistryNames(ServiceRegistry registry, ConfigHub hub, IReadOnlyList<string> servers)
    {
        _hub = hub;
        hub.Publish(UnitCodec.Zone("consul", new ZoneUnit { Servers = servers }));
        _subscription = registry.Subscribe(Follow);
        lock (_gate)
        {
            var state = registry.Current;
            foreach (var name in state.Names.Keys)
                Put(state, name);
            foreach (var node in state.Nodes.Keys)
                PutNode(state, node);
            _seen = state.Index;
        }
    }

    private long _seen;

    private void Follow(RegistryChange change)
    {
        lock (_gate)
        {
            if (change.After.Index <= _seen)
                return;
            foreach (var name in change.Names)
                Put(change.After, name);
            if (ReferenceEquals(change.Before.Nodes, change.After.Nodes))
                return;
            foreach (var node in change.Before.Nodes.Keys.Union(change.After.Nodes.Keys).Where(node => change.Before.Nodes.GetValueOrDefault(node) != change.After.Nodes.GetValueOrDefault(node)))
                PutNode(change.After, node);
        }
    }

    private void Put(RegistryState state, string name)
    {
        if (RegistryUnits.Compile(state, name) is { } unit)
            _hub.Publish(unit);
        else
            _hub.Remove(RegistryUnits.KeyOfName(name));
    }

    private void PutNode(RegistryState state, string node)
    {
        if (RegistryUnits.CompileNode(state, node) is { } unit)
            _hub.Publish(unit);
        else
            _hub.Remove(RegistryUnits.KeyOfNode(node));
    }

    public void Dispose() => _subscription.Dispose();
}
