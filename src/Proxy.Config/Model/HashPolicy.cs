namespace Weft.Proxy.Config.Model;

/// <summary>What a request is told apart from others by.</summary>
public abstract record HashPolicy
{
    /// <summary>Where it is there, those after it are not asked.</summary>
    public bool Terminal { get; init; }
}

/// <param name="Name">Of a field; `:path` is path and query, `:authority` the host.</param>
public sealed record HeaderHash(string Name) : HashPolicy;

/// <summary>A cookie; where it is absent the proxy makes one, if it has a lifetime to give it.</summary>
public sealed record CookieHash(string Name) : HashPolicy
{
    /// <summary>Null: not made here. Zero: for the browser's session.</summary>
    public TimeSpan? Lifetime { get; init; }

    public string Path { get; init; } = "/";
}

/// <summary>The client's address.</summary>
public sealed record SourceHash : HashPolicy;

public sealed record QueryHash(string Name) : HashPolicy;
