using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Runtime;

/// <summary>
/// The routes of one listener of the front door. A change compiles its own hosts; the others stay as they are, with all that their filters hold (buckets of a rate limit, what a cache knows). Used by one thread at
/// a time; what it gives out is immutable.
/// </summary>
internal sealed class DoorRoutes
{
    private readonly ListenerConfig _listener;
    private readonly FilterNeeds _needs;
    private readonly string _table;
    private readonly IReadOnlyDictionary<Type, Func<FilterConfig, IFilter>> _kinds;
    private readonly FilterFactory _commonFactory;
    private readonly IFilter[] _common;

    // Of hosts that have some, by the host.
    private readonly Dictionary<string, FilterFactory> _filters = [];

    /// <param name="before">Of the same listener: its filters are taken over where they are the same.</param>
    public DoorRoutes(JoinedTable table, ListenerConfig listener, FilterNeeds needs, DoorRoutes? before)
    {
        (_listener, _needs, _table, _kinds) = (listener, needs, table.Name, FilterKinds.With(needs));
        _commonFactory = new FilterFactory(_kinds, before?._commonFactory);
        _common = _commonFactory.Create(listener.Filters, $"listener/{listener.Name}");
        Table = RouteTable.Of(listener, _common).With([], [.. table.Hosts.Select(host => (host, Compile(host, before?._filters.GetValueOrDefault(host.Name))))]);
    }

    public RouteTable Table { get; private set; }

    /// <summary>Whether nothing but hosts can be different.</summary>
    public bool AreOf(ListenerConfig listener, FilterNeeds needs) => _needs == needs && _listener == listener;

    public void Change(TableChange change)
    {
        var before = new Dictionary<string, FilterFactory>();
        foreach (var host in change.Gone)
        {
            if (_filters.Remove(host.Name, out var filters))
                before.TryAdd(host.Name, filters);
        }

        Table = Table.With(change.Gone, [.. change.Come.Select(host => (host, Compile(host, before.GetValueOrDefault(host.Name))))]);
    }

    private Routing.Table.HostRoutes Compile(VirtualHostConfig host, FilterFactory? before)
    {
        var factory = new FilterFactory(_kinds, before);
        var routes = RouteTable.HostOf(host, _table, _listener.Name, _common, factory);
        if (!factory.IsEmpty)
            _filters[host.Name] = factory;
        return routes;
    }
}
