using System.Collections.Immutable;
using System.Net;

namespace Weft.Proxy.Dns.Names;

/// <summary>All names of the cluster at one moment. Immutable: an answer reads one table.</summary>
internal sealed record NameTable
{
    /// <summary>`cluster.local`.</summary>
    public required string Domain { get; init; }

    /// <summary>Further zones in which the same names are; the longest first, so that the nearest is found.</summary>
    public ImmutableArray<string> Zones { get; init; } = [];

    /// <summary>Grows with every change: the serial number of the zone.</summary>
    public uint Serial { get; init; }

    public ImmutableArray<IPAddress> Servers { get; init; } = [];

    /// <summary>Ranges whose addresses nobody else can name.</summary>
    public ImmutableArray<IPNetwork> Reverse { get; init; } = [];

    /// <summary>By `web.shop`.</summary>
    public ShardedTable<ServiceNames> Services { get; init; } = ShardedTable<ServiceNames>.Empty;

    /// <summary>Namespaces with a service or a pod: their names exist, without records.</summary>
    public ShardedTable<string> Namespaces { get; init; } = ShardedTable<string>.Empty;

    /// <summary>Pods by `10-244-0-7.shop`.</summary>
    public ShardedTable<AddressSet> Pods { get; init; } = ShardedTable<AddressSet>.Empty;

    /// <summary>Names by address, each as octets.</summary>
    public ShardedTable<byte[][]> Addresses { get; init; } = ShardedTable<byte[][]>.Empty;

    /// <summary>Hosts of the mesh outside of all zones, in lower case: for clients in the mesh.</summary>
    public ShardedTable<MeshNames> Hosts { get; init; } = ShardedTable<MeshNames>.Empty;

    /// <summary>The cluster answers for `consul`; without it such names are somebody else's.</summary>
    public bool HasRegistry { get; init; }

    /// <summary>Names of the registry, in lower case.</summary>
    public ShardedTable<RegisteredNames> Registered { get; init; } = ShardedTable<RegisteredNames>.Empty;

    public ShardedTable<RegisteredNames> RegisteredNodes { get; init; } = ShardedTable<RegisteredNames>.Empty;
}
