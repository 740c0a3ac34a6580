using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Weft.Proxy.Config;

/// <summary>Kinds of units. The numbers are part of the wire form: one that was given out is never used for another kind.</summary>
public enum UnitKind : byte
{
    Zone = 1,
    Service = 2,
    Endpoints = 3,
    Pod = 4,
    /// <summary>What connections to the addresses of a host mean. Key: the host.</summary>
    Destination = 5,
    /// <summary>
    /// Routes of requests to a port of a host, or to a host at a port of the front door. Key: `host:port` or `gateway/port/host`. Units of the same table make it together: a
    /// front door has more hosts than a unit holds.
    /// </summary>
    Routes = 6,
    /// <summary>How endpoints of a port of a host are chosen and spoken to. Key: `host:port`, with `/subset`, with `@namespace` for clients that have rules of their own.</summary>
    Cluster = 7,
    /// <summary>Some of a host's endpoints. Key: `slice/namespace/name` or `entry/namespace/name/host`.</summary>
    Backends = 8,
    /// <summary>Who has an address, and what its inbound traffic passes. Key: `namespace/name`, or `entry/namespace/name`.</summary>
    Workload = 9,
    /// <summary>An authorization policy. Key: `namespace/name`.</summary>
    Policy = 10,
    /// <summary>Issuers of tokens. Key: `namespace/name`.</summary>
    Tokens = 11,
    /// <summary>A port of the front door. Key: `gateway/port`.</summary>
    Listener = 12,
    /// <summary>A certificate that a listener or a cluster names. Key: `namespace/name`.</summary>
    Secret = 13,
    /// <summary>A name of the registry, for DNS. Key: `service/name` or `node/name`.</summary>
    Registered = 16,
    /// <summary>Where a node is. Key: its name.</summary>
    Node = 20,
    /// <summary>Collectors of spans, and what the front door tells. Key: `mesh`.</summary>
    Telemetry = 21,
}

/// <summary>
/// What a unit is about: `Service` and `shop/web`. Names are those of its source, so that a change of the source is a change of one unit. A class, because
/// .NET has compiled code for collections of classes: for those of another program's structures it is made at each start, a proxy's too.
/// </summary>
public sealed record UnitKey(UnitKind Kind, string Name)
{
    public bool Equals(UnitKey? other) => other is not null && Kind == other.Kind && Name == other.Name;

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal) ^ (int)Kind;

    public override string ToString() => $"{Kind}/{Name}";
}

/// <summary>The first 128 bits of the SHA-256 of a unit's bytes: what a proxy has is compared by it, not by a version.</summary>
public readonly record struct UnitHash(ulong High, ulong Low)
{
    public const int Length = 16;

    public static UnitHash Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    public static UnitHash Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, digest);
        return Read(digest);
    }

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64BigEndian(to, High);
        BinaryPrimitives.WriteUInt64BigEndian(to[8..], Low);
    }

    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{High:x16}{Low:x16}");
}

/// <summary>The smallest part of the configuration that is sent, acknowledged, kept and replaced as a whole.</summary>
/// <param name="Bytes">The wire form of the unit (<see cref="Units.UnitCodec"/>); never changed.</param>
public sealed record ConfigUnit(UnitKey Key, UnitHash Hash, ReadOnlyMemory<byte> Bytes)
{
    public static ConfigUnit Create(UnitKey key, ReadOnlyMemory<byte> bytes) => new(key, UnitHash.Of(bytes.Span), bytes);

    public bool Equals(ConfigUnit? other) => other is not null && Key == other.Key && Hash == other.Hash;

    public override int GetHashCode() => HashCode.Combine(Key, Hash);
}
