using System.Text.Json.Serialization;

namespace Weft.Proxy.Config.Inspection;

/// <summary>A request that is imagined.</summary>
public sealed record ExplainQuestion
{
    /// <summary>`pod`, `outside` (through the front door), `host` (a process of the node, or of somewhere that is not in the mesh).</summary>
    public string From { get; init; } = "pod";

    /// <summary>Of the pod; also where names without a namespace are looked up.</summary>
    public string Namespace { get; init; } = "";

    public string Pod { get; init; } = "";

    /// <summary>Its address, as the cluster has it; null: the proxy's own knowledge.</summary>
    public string? Address { get; init; }

    public string Method { get; init; } = "GET";

    /// <summary>`http`, `https`, `tcp`.</summary>
    public string Scheme { get; init; } = "http";

    /// <summary>As it stands in the URL: a name or an address.</summary>
    public string Host { get; init; } = "";

    public int Port { get; init; } = 80;

    /// <summary>With its query.</summary>
    public string Path { get; init; } = "/";

    public IReadOnlyList<QuestionHeader> Headers { get; init; } = [];
}

public sealed record QuestionHeader(string Name, string Value);

[JsonConverter(typeof(JsonStringEnumConverter<ExplainedOutcome>))]
public enum ExplainedOutcome
{
    /// <summary>An endpoint gets it.</summary>
    Forwarded,
    /// <summary>The proxy answers itself: redirect, fixed answer, fault, no route.</summary>
    Answered,
    /// <summary>A policy, or mutual TLS, refuses it.</summary>
    Refused,
    /// <summary>Nobody is there who could take it.</summary>
    Unreachable,
    /// <summary>The mesh passes it on without knowing anything of it.</summary>
    PassedThrough,
    /// <summary>It depends on what cannot be known beforehand: which endpoint is chosen, what an authorizer says, a token.</summary>
    Depends,
}

/// <summary>What becomes of a request, and why.</summary>
public sealed record Explanation
{
    public ExplainedOutcome Outcome { get; init; }

    /// <summary>That the client gets from a proxy; null: an endpoint answers, or the connection is closed.</summary>
    public int? Status { get; init; }

    /// <summary>One sentence.</summary>
    public string Summary { get; init; } = "";

    /// <summary>In the order in which they happen.</summary>
    public IReadOnlyList<ExplainedStep> Steps { get; init; } = [];

    /// <summary>Who may get it; where several clusters share it, of all of them.</summary>
    public IReadOnlyList<ExplainedEndpoint> Endpoints { get; init; } = [];

    /// <summary>Units of the configuration that had a part in it: `Kind name`.</summary>
    public IReadOnlyList<string> Units { get; init; } = [];
}

/// <param name="Name">`source`, `host`, `port`, `route`, `destination`, `security`, `policy`...</param>
/// <param name="Mark">`+`: as it should be; `-`: the request ends here; `!`: worth a look; ` `: a fact.</param>
/// <param name="Text">What was decided.</param>
/// <param name="Why">More, a line each.</param>
public sealed record ExplainedStep(string Name, char Mark, string Text, IReadOnlyList<string> Why);

public sealed record ExplainedEndpoint
{
    public string Address { get; init; } = "";

    public string Cluster { get; init; } = "";

    /// <summary>`namespace/name`; null: no workload that is known.</summary>
    public string? Workload { get; init; }

    public string? Node { get; init; }

    public string? Locality { get; init; }

    public int Weight { get; init; }

    public int Priority { get; init; }

    /// <summary>`healthy`, `ejected (consecutive 5xx)`, `failed its checks`, `draining`; `unknown` without a proxy to ask.</summary>
    public string Health { get; init; } = "";

    /// <summary>Requests in flight there from the node that was asked; null: not known.</summary>
    public int? Active { get; init; }

    /// <summary>`mtls`, `local`, `tls`, `plain`, `none`: there is no way that is allowed.</summary>
    public string Security { get; init; } = "";

    /// <summary>What its own side says: `allowed by shop/front-only rule 0`, `refused: ...`.</summary>
    public string Verdict { get; init; } = "";
}
