namespace Weft.Proxy.Config.Model;

public abstract record RouteAction;

/// <summary>To an endpoint.</summary>
public sealed record ForwardAction : RouteAction
{
    /// <summary>Chosen by chance in proportion to the weights.</summary>
    public ValueList<WeightedCluster> Clusters { get; init; } = [];

    /// <summary>The same client gets the same cluster of <see cref="Clusters"/>, as long as the weights stand; null: chance for each request.</summary>
    public HashPolicy? StickySplit { get; init; }

    /// <summary>For the whole exchange with all tries; zero: none (Istio's default; Envoy has 15 s, which cuts streams).</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>No byte in either direction for so long; null: as the listener says. Zero: none.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>A shorter deadline of `grpc-timeout` counts, too.</summary>
    public bool HonourGrpcTimeout { get; init; } = true;

    public RetryPolicy Retry { get; init; } = RetryPolicy.Default;

    /// <summary>What keeps requests together, for balancers that hash: all that are there count together, up to the first of them that is terminal.</summary>
    public ValueList<HashPolicy> Hash { get; init; } = [];

    public ValueList<Mirror> Mirrors { get; init; } = [];

    public Rewrite Rewrite { get; init; } = Rewrite.None;

    /// <summary>Protocols of Upgrade and extended CONNECT that are passed (`websocket`); others are answered 403.</summary>
    public ValueList<string> Upgrades { get; init; } = ["websocket"];

    /// <summary>Largest body of a request; null: as the listener says. 0: any.</summary>
    public long? MaxRequestBytes { get; init; }

    /// <summary>Largest body of a response, beyond which it is cut; 0: any.</summary>
    public long MaxResponseBytes { get; init; }
}

/// <summary>A cluster among those that share a route's requests.</summary>
public sealed record WeightedCluster
{
    public string Cluster { get; init; } = "";

    /// <summary>One of the cluster's subsets; null: all endpoints.</summary>
    public string? Subset { get; init; }

    public int Weight { get; init; } = 1;

    public HeaderEdits RequestHeaders { get; init; } = HeaderEdits.None;

    public HeaderEdits ResponseHeaders { get; init; } = HeaderEdits.None;
}

/// <summary>A copy of requests whose answer is thrown away. Its host gets the suffix `-shadow`, as Envoy's.</summary>
public sealed record Mirror
{
    public string Cluster { get; init; } = "";

    public string? Subset { get; init; }

    public double Fraction { get; init; } = 1;
}

/// <summary>What the endpoint sees in place of what the client sent. One of the path's forms at most.</summary>
public sealed record Rewrite
{
    public static readonly Rewrite None = new();

    /// <summary>In place of what the route's prefix matched. Joined with one slash.</summary>
    public string? Prefix { get; init; }

    /// <summary>In place of the whole path; the query stays.</summary>
    public string? Path { get; init; }

    public RegexRewrite? Regex { get; init; }

    /// <summary>In place of host and port.</summary>
    public string? Host { get; init; }

    /// <summary>The host name of the endpoint that was chosen.</summary>
    public bool EndpointHost { get; init; }
}

/// <param name="Substitution">With `\1` to `\9` for groups and `\0` for the match, as RE2 and so Envoy and Istio have it.</param>
public sealed record RegexRewrite(string Pattern, string Substitution);

/// <summary>To another address. What is not given stays as it is in the request.</summary>
public sealed record RedirectAction : RouteAction
{
    public string? Scheme { get; init; }

    public string? Host { get; init; }

    public int? Port { get; init; }

    /// <summary>The whole path.</summary>
    public string? Path { get; init; }

    /// <summary>In place of what the route's prefix matched.</summary>
    public string? Prefix { get; init; }

    public RegexRewrite? Regex { get; init; }

    public bool DropQuery { get; init; }

    /// <summary>301, 302, 303, 307 or 308.</summary>
    public int Status { get; init; } = 301;
}

public sealed record DirectResponse : RouteAction
{
    public static readonly DirectResponse NotFound = new();

    public int Status { get; init; } = 404;

    public string Body { get; init; } = "";

    public string ContentType { get; init; } = "text/plain; charset=utf-8";
}
