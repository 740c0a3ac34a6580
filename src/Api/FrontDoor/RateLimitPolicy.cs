using Weft.Api.Istio;
using Weft.Api.Schemas;

namespace Weft.Api.FrontDoor;

/// <summary>How many requests pass the front door.</summary>
[Kind("weft.dev", "v1", "RateLimitPolicy", Plural = "ratelimitpolicies", ShortNames = ["rlp"], Categories = ["weft"], DefinitionPrefix = "dev.weft.v1")]
public sealed record RateLimitPolicy : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>For what, and how many.</summary>
    public RateLimitPolicySpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>For what, and how many.</summary>
public sealed record RateLimitPolicySpec
{
    /// <summary>Gateway, Ingress, VirtualService or Service of the policy's own namespace.</summary>
    [Must] public IReadOnlyList<PolicyTargetReference> TargetRefs { get; init; } = [];

    /// <summary>The limits. All of them hold.</summary>
    [Must] public IReadOnlyList<RequestLimit> Limits { get; init; } = [];

    /// <summary>Status of refusals.</summary>
    [RangeOf(400, 599), Default("429")] public int? StatusCode { get; init; }

    /// <summary>Only counted and recorded.</summary>
    public bool? DryRun { get; init; }
}

/// <summary>Requests in a time.</summary>
public sealed record RequestLimit
{
    /// <summary>Stands in the proxy's records.</summary>
    public string? Name { get; init; }

    /// <summary>How many.</summary>
    [Must, RangeOf(1, 1_000_000_000)] public int Requests { get; init; }

    /// <summary>In which time: 1s, 1m, 1h.</summary>
    [Default("\"1s\"")] public string? Per { get; init; }

    /// <summary>How many at once after a pause; as many as requests when absent.</summary>
    [RangeOf(1, 1_000_000_000)] public int? Burst { get; init; }

    /// <summary>Counted apart for each of these together; all together when empty.</summary>
    public IReadOnlyList<LimitedBy> By { get; init; } = [];
}

/// <summary>What requests are told apart by.</summary>
public sealed record LimitedBy
{
    /// <summary>ClientAddress, Consumer (of a token, key or password), Path or Header.</summary>
    [Must, OneOf("ClientAddress", "Consumer", "Path", "Header")] public string Type { get; init; } = "";

    /// <summary>Of the header field.</summary>
    public string? Name { get; init; }
}
