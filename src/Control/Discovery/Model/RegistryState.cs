using System.Collections.Immutable;

namespace Weft.Control.Discovery.Model;

/// <summary>An instance with all that an answer about it needs.</summary>
public sealed record Entry(NodeRecord Node, Instance Instance, ImmutableArray<Check> Checks)
{
    /// <summary>The worst of its checks and its node's; without any it passes.</summary>
    public CheckStatus Status => Checks.IsEmpty ? CheckStatus.Passing : Checks.Max(check => check.Status);

    /// <summary>Where it is reached: an IP address or a host name.</summary>
    public string Address => Instance.Address.Length > 0 ? Instance.Address : Node.Address;
}

/// <summary>What a source other than the registry says of a name. Without entries it holds the name all the same.</summary>
/// <param name="Origin">Where it says so: `Service shop/orders`, `services.yaml:12`.</param>
/// <param name="Trouble">What is wrong with what the source says: that it is old, or is not taken in full; null: nothing.</param>
public sealed record Projection(string Origin, ImmutableArray<Entry> Entries, string? Trouble = null);

/// <summary>One name, and who claims it.</summary>
public sealed record NameGroup(string Name)
{
    public ImmutableSortedSet<InstanceKey> Registered { get; init; } = [];

    public Projection? Kubernetes { get; init; }

    public Projection? File { get; init; }

    public Projection? Dns { get; init; }

    /// <summary>Of the last change of it, of its instances or their checks.</summary>
    public long Index { get; init; }

    /// <summary>Kubernetes before the registry before the file before DNS.</summary>
    public NameSource Winner => Kubernetes is not null ? NameSource.Kubernetes : Registered.Count > 0 ? NameSource.Registry : File is not null ? NameSource.File : NameSource.Dns;

    public bool IsEmpty => Kubernetes is null && File is null && Dns is null && Registered.Count == 0;
}

/// <summary>Everything at one moment. Immutable: an answer reads one state. Each part knows the index of its last change, which is what a blocking query waits for.</summary>
public sealed record RegistryState
{
    public static readonly RegistryState Empty = new();

    /// <summary>Of the last change of anything; only grows, also over restarts.</summary>
    public long Index { get; init; } = 1;

    public ImmutableSortedDictionary<string, NodeRecord> Nodes { get; init; } = ImmutableSortedDictionary.Create<string, NodeRecord>(StringComparer.Ordinal);

    public ImmutableDictionary<InstanceKey, Instance> Instances { get; init; } = ImmutableDictionary<InstanceKey, Instance>.Empty;

    /// <summary>By instance; those of a node below its key with an empty id.</summary>
    public ImmutableDictionary<InstanceKey, ImmutableSortedDictionary<string, Check>> Checks { get; init; } = ImmutableDictionary<InstanceKey, ImmutableSortedDictionary<string, Check>>.Empty;

    /// <summary>Whose a check is.</summary>
    public ImmutableDictionary<CheckKey, InstanceKey> Owners { get; init; } = ImmutableDictionary<CheckKey, InstanceKey>.Empty;

    /// <summary>Upper and lower case are the same name, as in DNS.</summary>
    public ImmutableSortedDictionary<string, NameGroup> Names { get; init; } = ImmutableSortedDictionary.Create<string, NameGroup>(StringComparer.OrdinalIgnoreCase);

    public ImmutableDictionary<string, KeyValue> Values { get; init; } = ImmutableDictionary.Create<string, KeyValue>(StringComparer.Ordinal);

    public ImmutableSortedSet<string> Keys { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    public ImmutableDictionary<string, Session> Sessions { get; init; } = ImmutableDictionary.Create<string, Session>(StringComparer.Ordinal);

    /// <summary>Keys whose lock was lost, and until when nobody gets it.</summary>
    public ImmutableDictionary<string, DateTimeOffset> LockDelays { get; init; } = ImmutableDictionary.Create<string, DateTimeOffset>(StringComparer.Ordinal);

    public long NodesIndex { get; init; } = 1;

    public long NamesIndex { get; init; } = 1;

    public long ChecksIndex { get; init; } = 1;

    public long ValuesIndex { get; init; } = 1;

    /// <summary>Of the last deleted key: for a prefix that says nothing of its own about what is gone.</summary>
    public long DeletedIndex { get; init; } = 1;

    /// <summary>Of the last name that went.</summary>
    public long ExtinctIndex { get; init; } = 1;

    public long SessionsIndex { get; init; } = 1;

    public long IndexOfName(string name) => Names.TryGetValue(name, out var group) ? group.Index : ExtinctIndex;

    public long IndexOfValue(string key) => Values.TryGetValue(key, out var value) ? value.ModifyIndex : ValuesIndex;

    public Check? FindCheck(CheckKey key) => Owners.TryGetValue(key, out var owner) && Checks.TryGetValue(owner, out var some) ? some.GetValueOrDefault(key.Id) : null;

    public IEnumerable<Check> ChecksOf(InstanceKey owner) => Checks.TryGetValue(owner, out var some) ? some.Values : [];

    /// <summary>The entries of a name, of the source that has it.</summary>
    public IEnumerable<Entry> Entries(string name) => Names.TryGetValue(name, out var group) ? Entries(group) : [];

    public IEnumerable<Entry> Entries(NameGroup group) => group.Winner switch
    {
        NameSource.Kubernetes => group.Kubernetes!.Entries,
        NameSource.File => group.File!.Entries,
        NameSource.Dns => group.Dns?.Entries ?? [],
        _ => group.Registered.Select(Entry),
    };

    public Entry Entry(InstanceKey key) => new(
        Nodes.GetValueOrDefault(key.Node) ?? new NodeRecord { Name = key.Node }, Instances[key], [.. ChecksOf(new(key.Node, "")), .. ChecksOf(key)]);

    /// <summary>Keys that begin with the prefix, in order.</summary>
    public IEnumerable<string> KeysBelow(string prefix)
    {
        var at = Keys.IndexOf(prefix);
        for (var i = at < 0 ? ~at : at; i < Keys.Count && Keys[i].StartsWith(prefix, StringComparison.Ordinal); i++)
            yield return Keys[i];
    }
}
