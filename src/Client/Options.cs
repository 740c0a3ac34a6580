namespace Weft.Client;

public sealed record ListOptions
{
    public string? LabelSelector { get; init; }
    public string? FieldSelector { get; init; }

    /// <summary>Objects per answer; the client follows `continue` until it has all.</summary>
    public int? Limit { get; init; }
    public string? Continue { get; init; }
    public string? ResourceVersion { get; init; }
    public string? ResourceVersionMatch { get; init; }
}

public sealed record WatchOptions
{
    public string? LabelSelector { get; init; }
    public string? FieldSelector { get; init; }

    /// <summary>Changes after this revision; null: the current objects first, as ADDED.</summary>
    public string? ResourceVersion { get; init; }
    public bool Bookmarks { get; init; }

    /// <summary>The server ends the stream after this time; a client that lost its connection silently notices by it.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <summary>Options of create, update and patch.</summary>
public sealed record WriteOptions
{
    public static readonly WriteOptions None = new();

    /// <summary>Name in managedFields; null: the server takes it from the user agent.</summary>
    public string? FieldManager { get; init; }

    /// <summary>Server-side apply takes fields over from other managers.</summary>
    public bool Force { get; init; }
    public bool DryRun { get; init; }

    /// <summary>Strict, Warn or Ignore.</summary>
    public string? FieldValidation { get; init; }

    /// <summary>`status`, `scale`, ...: empty for the object itself.</summary>
    public string Subresource { get; init; } = "";
}

public sealed record Deletion
{
    public static readonly Deletion None = new();

    public long? GracePeriodSeconds { get; init; }
    public PropagationPolicy? Propagation { get; init; }

    /// <summary>Delete only this life of the name.</summary>
    public string? Uid { get; init; }
    public string? ResourceVersion { get; init; }
    public bool DryRun { get; init; }
}

public enum PropagationPolicy { Background, Foreground, Orphan }
