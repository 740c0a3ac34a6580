using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Wire;
using Weft.Proxy.Routing.Table;

namespace Weft.Proxy.Mesh.State;

/// <summary>Route tables of one or several units each.</summary>
internal sealed class TableJoin
{
    private readonly Dictionary<string, RouteTableConfig> _units = [];
    private readonly Dictionary<string, SortedSet<string>> _unitsOf = [];

    public IEnumerable<string> Names => _unitsOf.Keys;

    /// <returns>Names of tables that are different now.</returns>
    public IEnumerable<string> Set(string key, RouteTableConfig? unit)
    {
        var tables = new List<string>();
        if (_units.Remove(key, out var before))
        {
            tables.Add(before.Name);
            if (_unitsOf[before.Name].Remove(key) && _unitsOf[before.Name].Count == 0)
                _unitsOf.Remove(before.Name);
        }

        if (unit is null)
            return tables;
        _units.Add(key, unit);
        if (!_unitsOf.TryGetValue(unit.Name, out var all))
            _unitsOf.Add(unit.Name, all = new(StringComparer.Ordinal));
        all.Add(key);
        tables.Add(unit.Name);
        return tables.Distinct();
    }

    /// <summary>Without hosts where there is no unit of it: every request is answered 404.</summary>
    public RouteTableConfig Of(string name) => Of(name, []);

    /// <param name="left">Gets the units whose hosts another one has: they are left out, and their requests find no route.</param>
    public RouteTableConfig Of(string name, List<Rejection> left)
    {
        if (!_unitsOf.TryGetValue(name, out var keys))
            return new RouteTableConfig { Name = name };
        if (keys.Count == 1)
            return _units[keys.Min!];
        var domains = new HashSet<string>();
        var hosts = new List<VirtualHostConfig>();
        foreach (var key in keys)
        {
            var unit = _units[key];
            if (unit.Hosts.SelectMany(host => host.Domains).Select(HostIndex.Canonical).FirstOrDefault(domains.Contains) is { } taken)
            {
                left.Add(new Rejection(new UnitKey(UnitKind.Routes, key), "hosts", $"'{taken}' is in another unit of table '{name}' already"));
                continue;
            }

            domains.UnionWith(unit.Hosts.SelectMany(host => host.Domains).Select(HostIndex.Canonical));
            hosts.AddRange(unit.Hosts.AsSpan());
        }

        return new RouteTableConfig { Name = name, Hosts = hosts.ToValueList() };
    }
}
