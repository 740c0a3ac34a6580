using System.Collections.Immutable;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Mesh.State;

/// <summary>A route table of one or several units, as it is at a moment.</summary>
/// <param name="Units">Those that are served, by their keys.</param>
internal sealed record JoinedTable(string Name, ImmutableSortedDictionary<string, RouteTableConfig> Units)
{
    public static JoinedTable Empty(string name) => new(name, ImmutableSortedDictionary.Create<string, RouteTableConfig>(StringComparer.Ordinal));

    public IEnumerable<VirtualHostConfig> Hosts => Units.Values.SelectMany(unit => unit.Hosts);

    /// <summary>All of it as one: for whoever looks at it whole.</summary>
    public RouteTableConfig Whole => Units.Count == 1 ? Units.Values.First() : new RouteTableConfig { Name = Name, Hosts = Hosts.ToValueList() };
}

/// <summary>What is different in a table.</summary>
/// <param name="Table">As it is now.</param>
/// <param name="Gone">Hosts that it had before; one that has changed is in both.</param>
internal sealed record TableChange(JoinedTable Table, IReadOnlyList<VirtualHostConfig> Gone, IReadOnlyList<VirtualHostConfig> Come);
