namespace Weft.Control.Discovery.Model;

/// <summary>A key of the key-value store with its value.</summary>
public sealed record KeyValue
{
    public string Key { get; init; } = "";

    public byte[] Value { get; init; } = [];

    /// <summary>The client's own number.</summary>
    public ulong Flags { get; init; }

    /// <summary>Who holds the lock; null: nobody.</summary>
    public string? Session { get; init; }

    /// <summary>How often the lock was taken.</summary>
    public long LockIndex { get; init; }

    public long CreateIndex { get; init; }

    public long ModifyIndex { get; init; }
}

/// <summary>Somebody who may hold locks, for as long as he says that he lives, his node is there and his checks are not critical.</summary>
public sealed record Session
{
    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    public string Node { get; init; } = "";

    public IReadOnlyList<string> Checks { get; init; } = [];

    /// <summary>Null: it lives until it is destroyed.</summary>
    public TimeSpan? Ttl { get; init; }

    /// <summary>How long a lock that it lost stays closed to all, so that a holder who does not know it yet may finish.</summary>
    public TimeSpan LockDelay { get; init; }

    /// <summary>Its keys are deleted with it; else only let go.</summary>
    public bool DeletesKeys { get; init; }

    public long CreateIndex { get; init; }

    public long ModifyIndex { get; init; }
}
