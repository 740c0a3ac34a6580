using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Wire;
using Weft.Proxy.Mesh.State;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>Tables of several units: what a change says of them is what all of them together say.</summary>
public sealed class TableJoinTests
{
    [Theory]
    [InlineData(6, 1)]
    [InlineData(6, 2)]
    [InlineData(200, 3)]
    public void A_table_is_what_its_units_make_in_the_order_of_their_keys(int domains, int seed)
    {
        var random = new Random(seed);
        var (join, units, served) = (new TableJoin(), new SortedDictionary<string, RouteTableConfig>(StringComparer.Ordinal), new Dictionary<string, HashSet<VirtualHostConfig>>());
        var told = new HashSet<string>();
        for (var step = 0; step < 400; step++)
        {
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                var key = $"u{random.Next(12)}";
                var unit = random.Next(4) == 0 ? null : Unit(random, domains, step);
                told.Remove(key);
                if (unit is null)
                    units.Remove(key);
                else
                    units[key] = unit;
                join.Set(key, unit);
            }

            var left = new List<Rejection>();
            foreach (var (table, gone, come) in join.Rejoin(left))
            {
                var hosts = served.TryGetValue(table.Name, out var known) ? known : served[table.Name] = [];
                Assert.All(gone, host => Assert.True(hosts.Remove(host)));
                Assert.All(come, host => Assert.True(hosts.Add(host)));
                Assert.Equal(hosts.OrderBy(host => host.Name), table.Hosts.OrderBy(host => host.Name));
            }

            told.UnionWith(left.Select(one => one.Key.Name));
            foreach (var table in new[] { "a", "b" })
            {
                var (expected, leftOut) = Whole(table, units);
                Assert.Equal(expected, join.Of(table).Hosts);
                Assert.Subset(told, leftOut);
            }
        }
    }

    // All of it, one unit after the other.
    private static (List<VirtualHostConfig> Hosts, HashSet<string> Left) Whole(string table, SortedDictionary<string, RouteTableConfig> units)
    {
        var (hosts, left, domains) = (new List<VirtualHostConfig>(), new HashSet<string>(), new HashSet<string>());
        foreach (var (key, unit) in units.Where(pair => pair.Value.Name == table))
        {
            if (unit.Hosts.SelectMany(host => host.Domains).Any(domains.Contains))
            {
                left.Add(key);
                continue;
            }

            domains.UnionWith(unit.Hosts.SelectMany(host => host.Domains));
            hosts.AddRange(unit.Hosts.ToArray());
        }

        return (hosts, left);
    }

    private static RouteTableConfig Unit(Random random, int domains, int step)
    {
        var own = Enumerable.Range(0, random.Next(1, 3)).Select(_ => $"d{random.Next(domains)}").Distinct().ToValueList();
        return new() { Name = random.Next(3) == 0 ? "b" : "a", Hosts = [new VirtualHostConfig { Name = $"{own[0]} of {step} {random.Next()}", Domains = own }] };
    }
}
