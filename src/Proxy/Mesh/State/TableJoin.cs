using System.Collections.Immutable;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Wire;
using Weft.Proxy.Routing.Table;

namespace Weft.Proxy.Mesh.State;

/// <summary>
/// Route tables of one or several units each. A unit one of whose hosts another unit has, which comes before it by its key, is left out, and its requests find no route. A change passes over what it touches
/// alone, as long as nothing is left out: there are thousands of hosts.
/// </summary>
internal sealed class TableJoin
{
    private readonly Dictionary<string, RouteTableConfig> _units = [];
    private readonly Dictionary<string, Joined> _tables = [];
    private readonly Dictionary<string, HashSet<string>> _touched = [];

    public IEnumerable<string> Names => _tables.Keys;

    public void Set(string key, RouteTableConfig? unit)
    {
        if (_units.Remove(key, out var before))
            Touch(before.Name, key);
        if (unit is null)
            return;
        _units.Add(key, unit);
        Touch(unit.Name, key);
    }

    /// <summary>Without hosts where there is no unit of it: every request is answered 404.</summary>
    public JoinedTable Of(string name) => _tables.GetValueOrDefault(name)?.Table ?? JoinedTable.Empty(name);

    /// <summary>What has become different since the last time.</summary>
    /// <param name="left">Gets the units that are left out now.</param>
    public IReadOnlyList<TableChange> Rejoin(List<Rejection> left)
    {
        var changes = new List<TableChange>();
        foreach (var (name, touched) in _touched)
        {
            if (!_tables.TryGetValue(name, out var table))
                _tables.Add(name, table = new Joined(name));
            changes.Add(table.Rejoin([.. touched.Select(key => KeyValuePair.Create(key, UnitOf(name, key)))], left));
            if (table.IsEmpty)
                _tables.Remove(name);
        }

        _touched.Clear();
        return changes;
    }

    private RouteTableConfig? UnitOf(string table, string key) => _units.TryGetValue(key, out var unit) && unit.Name == table ? unit : null;

    private void Touch(string table, string key)
    {
        if (!_touched.TryGetValue(table, out var touched))
            _touched.Add(table, touched = []);
        touched.Add(key);
    }

    private sealed class Joined(string name)
    {
        // Domains of units that are served, each with its unit's key.
        private readonly Dictionary<string, string> _owners = [];
        private readonly Dictionary<string, RouteTableConfig> _left = [];

        public JoinedTable Table { get; private set; } = JoinedTable.Empty(name);

        public bool IsEmpty => Table.Units.IsEmpty && _left.Count == 0;

        public TableChange Rejoin(List<KeyValuePair<string, RouteTableConfig?>> units, List<Rejection> left)
        {
            var before = Table;
            foreach (var (key, _) in units)
                GiveUp(key);
            var rest = before.Units.RemoveRange(units.Select(pair => pair.Key));
            var come = units.Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value!);
            var isContested = _left.Keys.Any(key => !units.Exists(pair => pair.Key == key)) || come.Values.SelectMany(Domains).CountBy(domain => domain).Any(count => count.Value > 1 || _owners.ContainsKey(count.Key));
            if (!isContested)
            {
                _left.Clear();
                Take(come, rest);
                return new(Table, [.. units.SelectMany(pair => before.Units.GetValueOrDefault(pair.Key)?.Hosts ?? [])], [.. come.Values.SelectMany(unit => unit.Hosts)]);
            }

            foreach (var (key, _) in units)
                _left.Remove(key);
            var all = new SortedDictionary<string, RouteTableConfig>(rest.Concat(_left).Concat(come).ToDictionary(), StringComparer.Ordinal);
            Decide(all, come.Keys, left);
            return new(Table,
                [.. before.Units.Where(pair => Table.Units.GetValueOrDefault(pair.Key) != pair.Value).SelectMany(pair => pair.Value.Hosts)],
                [.. Table.Units.Where(pair => before.Units.GetValueOrDefault(pair.Key) != pair.Value).SelectMany(pair => pair.Value.Hosts)]);
        }

        private void Decide(SortedDictionary<string, RouteTableConfig> all, ICollection<string> come, List<Rejection> left)
        {
            var wereLeft = _left.Keys.ToHashSet();
            _owners.Clear();
            _left.Clear();
            var taken = new Dictionary<string, RouteTableConfig>();
            foreach (var (key, unit) in all)
            {
                if (Domains(unit).FirstOrDefault(_owners.ContainsKey) is { } domain)
                {
                    _left.Add(key, unit);
                    if (come.Contains(key) || !wereLeft.Contains(key))
                        left.Add(new Rejection(new UnitKey(UnitKind.Routes, key), "hosts", $"'{domain}' is in another unit of table '{name}' already"));
                    continue;
                }

                taken.Add(key, unit);
                foreach (var own in Domains(unit))
                    _owners[own] = key;
            }

            Table = JoinedTable.Empty(name) with { Units = JoinedTable.Empty(name).Units.AddRange(taken) };
        }

        private void Take(Dictionary<string, RouteTableConfig> come, ImmutableSortedDictionary<string, RouteTableConfig> rest)
        {
            foreach (var (key, unit) in come)
            {
                foreach (var domain in Domains(unit))
                    _owners.Add(domain, key);
            }

            Table = Table with { Units = rest.AddRange(come) };
        }

        private void GiveUp(string key)
        {
            foreach (var domain in Table.Units.TryGetValue(key, out var unit) ? Domains(unit) : [])
                _owners.Remove(domain);
        }

        private static IEnumerable<string> Domains(RouteTableConfig unit) => unit.Hosts.SelectMany(host => host.Domains).Select(HostIndex.Canonical);
    }
}
