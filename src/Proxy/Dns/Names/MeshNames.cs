using System.Collections.Frozen;
using Weft.Proxy.Config.Units;

namespace Weft.Proxy.Dns.Names;

/// <summary>What the name of a host of the mesh answers.</summary>
/// <param name="Namespaces">Of the clients that it is for; null: all.</param>
internal sealed record MeshNames(AddressSet Addresses, FrozenSet<string>? Namespaces)
{
    public static MeshNames Of(HostAnswer answer) => new(AddressSet.Of(answer.Addresses), answer.Namespaces.IsEmpty ? null : answer.Namespaces.ToFrozenSet(StringComparer.Ordinal));

    public bool IsFor(string @namespace) => Namespaces?.Contains(@namespace) != false;
}
