using System.Text.Json.Serialization;

namespace Weft.Control.Discovery.Model;

/// <summary>From good to bad: the worst of several is the largest.</summary>
public enum CheckStatus
{
    Passing = 0,
    Warning = 1,
    Critical = 2,
}

/// <summary>A check of an instance, or of a node. The first block is kept; status and output are soft (see <see cref="KeptStatus"/>).</summary>
public sealed record Check
{
    public string Node { get; init; } = "";

    /// <summary>One of its kind on the node.</summary>
    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    public string Notes { get; init; } = "";

    /// <summary>Empty: of the node.</summary>
    public string ServiceId { get; init; } = "";

    /// <summary>How it is made; null: somebody else makes it and says so.</summary>
    public CheckDefinition? Definition { get; init; }

    public long CreateIndex { get; init; }

    [JsonIgnore]
    public long ModifyIndex { get; init; }

    [JsonIgnore]
    public CheckStatus Status { get; init; } = CheckStatus.Critical;

    [JsonIgnore]
    public string Output { get; init; } = "";

    /// <summary>Since when it is critical; null: it is not.</summary>
    [JsonIgnore]
    public DateTimeOffset? CriticalSince { get; init; }

    [JsonIgnore]
    public CheckKey Key => new(Node, Id);

    [JsonIgnore]
    public InstanceKey Owner => new(Node, ServiceId);
}

public sealed record CheckKey(string Node, string Id);

/// <summary>What a check does. Exactly one of the first four is set.</summary>
public sealed record CheckDefinition
{
    /// <summary>The client says how it is, at least so often.</summary>
    public TimeSpan? Ttl { get; init; }

    /// <summary>URL: 2xx passes, 429 warns, all else is critical.</summary>
    public string? Http { get; init; }

    /// <summary>HOST:PORT that a connection is made to.</summary>
    public string? Tcp { get; init; }

    /// <summary>HOST:PORT or HOST:PORT/SERVICE, asked by the gRPC health protocol.</summary>
    public string? Grpc { get; init; }

    public bool GrpcUseTls { get; init; }

    public string Method { get; init; } = "GET";

    public IReadOnlyDictionary<string, IReadOnlyList<string>> Headers { get; init; } = EmptyMap.Of<IReadOnlyList<string>>();

    public string Body { get; init; } = "";

    public bool TlsSkipVerify { get; init; }

    public TimeSpan Interval { get; init; }

    public TimeSpan Timeout { get; init; } = DefaultTimeout;

    /// <summary>The instance goes when it was critical for so long; null: never.</summary>
    public TimeSpan? DeregisterAfter { get; init; }

    public int SuccessBeforePassing { get; init; }

    public int FailuresBeforeCritical { get; init; }

    /// <summary>Consul's.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(10);

    /// <summary>`ttl`, `http`, `tcp`, `grpc`.</summary>
    [JsonIgnore]
    public string Type => Ttl is not null ? "ttl" : Http is not null ? "http" : Tcp is not null ? "tcp" : "grpc";

    /// <summary>How long a status holds without news.</summary>
    [JsonIgnore]
    public TimeSpan Holds => Ttl ?? (Interval + Timeout);
}

/// <summary>The last status that was written down: at each change, not at each renewal.</summary>
public sealed record KeptStatus(CheckStatus Status, string Output, DateTimeOffset? CriticalSince);
