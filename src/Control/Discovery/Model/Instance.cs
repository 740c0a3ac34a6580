using System.Text.Json.Serialization;

namespace Weft.Control.Discovery.Model;

/// <summary>Who says that a name is there. The order is the order of who wins a name (docs/decisions/0033-the-registry.md).</summary>
public enum NameSource
{
    Kubernetes = 0,
    Registry = 1,
    File = 2,

    /// <summary>Names of elsewhere, which the services file tells to ask DNS for.</summary>
    Dns = 3,
}

/// <summary>An instance of a service on a node; with an empty id: the node itself.</summary>
public sealed record InstanceKey(string Node, string Id) : IComparable<InstanceKey>
{
    public int CompareTo(InstanceKey? other)
    {
        var order = string.CompareOrdinal(Node, other?.Node);
        return order != 0 ? order : string.CompareOrdinal(Id, other?.Id);
    }

    public override string ToString() => $"{Node}/{Id}";
}

/// <summary>Something that has addresses: a machine, or what a client calls one.</summary>
public sealed record NodeRecord
{
    public string Name { get; init; } = "";

    /// <summary>A UUID that the client gave; empty: none.</summary>
    public string Id { get; init; } = "";

    /// <summary>IP address or host name.</summary>
    public string Address { get; init; } = "";

    public IReadOnlyDictionary<string, string> Meta { get; init; } = EmptyMap.Of<string>();

    public IReadOnlyDictionary<string, string> TaggedAddresses { get; init; } = EmptyMap.Of<string>();

    public long CreateIndex { get; init; }

    public long ModifyIndex { get; init; }
}

/// <summary>One place where a service is to be had.</summary>
public sealed record Instance
{
    public string Node { get; init; } = "";

    public string Id { get; init; } = "";

    /// <summary>Of the service.</summary>
    public string Name { get; init; } = "";

    /// <summary>Empty: the node's.</summary>
    public string Address { get; init; } = "";

    /// <summary>0: the service has none.</summary>
    public int Port { get; init; }

    public IReadOnlyList<string> Tags { get; init; } = [];

    public IReadOnlyDictionary<string, string> Meta { get; init; } = EmptyMap.Of<string>();

    public IReadOnlyDictionary<string, TaggedAddress> TaggedAddresses { get; init; } = EmptyMap.Of<TaggedAddress>();

    /// <summary>Share of the traffic while its checks pass, and while one of them warns.</summary>
    public int PassingWeight { get; init; } = 1;

    public int WarningWeight { get; init; } = 1;

    /// <summary>0: asked first; those with more take over when all with less are out (the priorities of SRV records, as levels).</summary>
    public int Priority { get; init; }

    public bool EnableTagOverride { get; init; }

    public NameSource Source { get; init; } = NameSource.Registry;

    /// <summary>Registered, or last changed: its age counts from here.</summary>
    public DateTimeOffset Since { get; init; }

    public long CreateIndex { get; init; }

    public long ModifyIndex { get; init; }

    [JsonIgnore]
    public InstanceKey Key => new(Node, Id);
}

public sealed record TaggedAddress(string Address, int Port);

internal static class EmptyMap
{
    public static IReadOnlyDictionary<string, T> Of<T>() => System.Collections.Immutable.ImmutableDictionary<string, T>.Empty;
}
