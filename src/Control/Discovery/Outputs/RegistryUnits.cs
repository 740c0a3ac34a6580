using Weft.Control.Discovery.Model;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;

namespace Weft.Control.Discovery.Outputs;

/// <summary>From a name of the table to the unit that DNS answers from. Pure. Who does not pass takes no traffic, so he has no place in an answer.</summary>
internal static class RegistryUnits
{
    // More than fit into the largest answer that DNS has (64 KB, 16 octets for each address).
    private const int MaxPlaces = 4000;

    public static UnitKey KeyOfName(string name) => new(UnitKind.Registered, $"service/{name.ToLowerInvariant()}");

    public static UnitKey KeyOfNode(string name) => new(UnitKind.Registered, $"node/{name.ToLowerInvariant()}");

    /// <summary>
    /// Null: DNS says nothing of it. A Service that nobody else claims the name of has its own name in the cluster's zone; said twice it would cost every proxy its
    /// memory twice.
    /// </summary>
    public static ConfigUnit? Compile(RegistryState state, string name)
    {
        if (!state.Names.TryGetValue(name, out var group) || (group.Winner == NameSource.Kubernetes && group.Registered.Count == 0 && group.File is null && group.Dns is null))
            return null;
        var places = state.Entries(group).Where(entry => entry.Status == CheckStatus.Passing).Select(Place).Take(MaxPlaces).ToList();
        while (true)
        {
            var unit = UnitCodec.Registered(KeyOfName(name).Name, new() { Places = places });
            if (unit.Bytes.Length <= WireLimits.MaxUnitBytes)
                return unit;
            places = places[..(places.Count / 2)];
        }
    }

    public static ConfigUnit? CompileNode(RegistryState state, string name) => state.Nodes.GetValueOrDefault(name) is { Address.Length: > 0 } node
        ? UnitCodec.Registered(KeyOfNode(name).Name, new() { Places = [new() { Address = node.Address, Node = node.Name }] })
        : null;

    private static RegisteredPlace Place(Entry entry) => new()
    {
        Address = entry.Address, Port = entry.Instance.Port, Tags = entry.Instance.Tags, Weight = entry.Instance.PassingWeight, Priority = entry.Instance.Priority,
        Node = entry.Instance.Source == NameSource.Registry && (entry.Instance.Address.Length == 0 || entry.Instance.Address == entry.Node.Address) ? entry.Node.Name : null,
    };
}
