using Weft.Api.Schemas;

namespace Weft.Api.GatewayApi;

/// <summary>What the controllers of a route's parents say.</summary>
public sealed record RouteStatus
{
    /// <summary>Of each parent, by its controller.</summary>
    [Must, Count(0, 32)] public IReadOnlyList<RouteParentStatus> Parents { get; init; } = [];
}

/// <summary>What the controller of one parent says.</summary>
public sealed record RouteParentStatus
{
    /// <summary>The parent.</summary>
    [Must] public ParentReference ParentRef { get; init; } = new();

    /// <summary>The controller.</summary>
    [Must, Length(1, 253), Pattern(Names.Controller)] public string ControllerName { get; init; } = "";

    /// <summary>Accepted, ResolvedRefs and others.</summary>
    [Must, List(ListType.Map, "type"), Count(1, 8)] public IReadOnlyList<Condition> Conditions { get; init; } = [];
}

/// <summary>A field of a request or answer.</summary>
public sealed record HeaderValue
{
    /// <summary>Its name, in any case.</summary>
    [Must, Length(1, 256), Pattern(Names.Token)] public string Name { get; init; } = "";

    /// <summary>Its value.</summary>
    [Must, Length(1, 4096)] public string Value { get; init; } = "";
}

/// <summary>Changes of fields.</summary>
public sealed record HeaderFilter
{
    /// <summary>Written in place of what is there.</summary>
    [List(ListType.Map, "name"), Count(0, 16)] public IReadOnlyList<HeaderValue> Set { get; init; } = [];

    /// <summary>Written beside what is there.</summary>
    [List(ListType.Map, "name"), Count(0, 16)] public IReadOnlyList<HeaderValue> Add { get; init; } = [];

    /// <summary>Taken away.</summary>
    [List(ListType.Set), Count(0, 16)] public IReadOnlyList<string> Remove { get; init; } = [];
}

/// <summary>Copies of requests whose answers nobody sees.</summary>
[Rule("!(has(self.percent) && has(self.fraction))", "percent and fraction exclude each other")]
public sealed record MirrorFilter
{
    /// <summary>Where they go.</summary>
    [Must] public MirrorReference BackendRef { get; init; } = new();

    /// <summary>Of how many of a hundred requests.</summary>
    [RangeOf(0, 100)] public int? Percent { get; init; }

    /// <summary>Of which part of the requests.</summary>
    public Fraction? Fraction { get; init; }
}

/// <summary>A part of a whole.</summary>
[Rule("self.numerator <= self.denominator", "numerator is at most denominator")]
public sealed record Fraction
{
    /// <summary>How many.</summary>
    [Must, RangeOf(0, int.MaxValue)] public int Numerator { get; init; }

    /// <summary>Of how many.</summary>
    [RangeOf(1, int.MaxValue), Default("100")] public int? Denominator { get; init; }
}

/// <summary>A field that requests have.</summary>
public sealed record HeaderMatch
{
    /// <summary>How the value is compared.</summary>
    [OneOf("Exact", "RegularExpression"), Default("\"Exact\"")] public string? Type { get; init; }

    /// <summary>Its name, in any case.</summary>
    [Must, Length(1, 256), Pattern(Names.Token)] public string Name { get; init; } = "";

    /// <summary>Its value.</summary>
    [Must, Length(1, 4096)] public string Value { get; init; } = "";
}

/// <summary>Keeps the requests of a client at one endpoint.</summary>
[Rule("!has(self.cookieConfig) || !has(self.cookieConfig.lifetimeType) || self.cookieConfig.lifetimeType != 'Permanent' || has(self.absoluteTimeout)", "a permanent cookie needs absoluteTimeout")]
public sealed record SessionPersistence
{
    /// <summary>Name of the cookie or field.</summary>
    [Length(0, 128)] public string? SessionName { get; init; }

    /// <summary>When a session ends at the latest.</summary>
    [Pattern(Names.Duration)] public string? AbsoluteTimeout { get; init; }

    /// <summary>When a session ends that nobody uses.</summary>
    [Pattern(Names.Duration)] public string? IdleTimeout { get; init; }

    /// <summary>Cookie or Header.</summary>
    [OneOf("Cookie", "Header"), Default("\"Cookie\"")] public string? Type { get; init; }

    /// <summary>Of the cookie.</summary>
    public CookieConfig? CookieConfig { get; init; }
}

/// <summary>Of a session's cookie.</summary>
public sealed record CookieConfig
{
    /// <summary>Session: until the browser is closed; Permanent: as long as the session.</summary>
    [OneOf("Permanent", "Session"), Default("\"Session\"")] public string? LifetimeType { get; init; }
}
