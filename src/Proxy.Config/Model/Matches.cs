namespace Weft.Proxy.Config.Model;

public enum TextMatch { Exact, Prefix, Suffix, Contains, Regex }

/// <summary>A condition on a text. A regular expression must match the whole of it, as in Envoy and Istio.</summary>
public sealed record StringMatch
{
    public TextMatch Kind { get; init; }

    public string Value { get; init; } = "";

    /// <summary>ASCII case alone.</summary>
    public bool IgnoreCase { get; init; }

    public static StringMatch Exact(string value) => new() { Value = value };

    public static StringMatch Prefix(string value) => new() { Kind = TextMatch.Prefix, Value = value };

    public static StringMatch Suffix(string value) => new() { Kind = TextMatch.Suffix, Value = value };

    public static StringMatch Regex(string value) => new() { Kind = TextMatch.Regex, Value = value };
}

public enum PathMatchKind
{
    Exact,
    /// <summary>Whole segments: `/a` takes `/a` and `/a/b`, not `/ab` (Gateway API, Ingress). A slash at the end of the prefix does not count.</summary>
    Prefix,
    /// <summary>Characters: `/a` takes `/ab`, too (Istio's `prefix`).</summary>
    TextPrefix,
    /// <summary>The whole path.</summary>
    Regex,
    /// <summary>`{*}` takes one segment, `{**}` the rest, as a segment of its own (Istio, Envoy's URI templates); `{name}` and `{name=**}` are the same with a name.</summary>
    Template,
}

/// <summary>A condition on the normalised path, without its query.</summary>
public sealed record PathMatch(PathMatchKind Kind, string Value, bool IgnoreCase = false);

/// <summary>A condition on a field, a query parameter or a cookie. Each value of a name that stands several times is asked, and for fields their list, too.</summary>
/// <param name="Value">Null: it is there at all.</param>
/// <param name="Invert">The condition holds where it would not: with no <paramref name="Value"/>, the name is absent.</param>
public sealed record NamedMatch(string Name, StringMatch? Value = null, bool Invert = false);

/// <summary>
/// A condition on a claim of the token that a filter of the listener has verified; each value of a list is asked. Of a request without such a token no claim is there, whatever fields it has.
/// </summary>
/// <param name="Path">From the top down.</param>
/// <param name="Value">Null: it is there at all.</param>
/// <param name="Invert">The condition holds where it would not.</param>
public sealed record ClaimMatch(ValueList<string> Path, StringMatch? Value = null, bool Invert = false);

/// <summary>When a route takes a request. All conditions that are given must hold.</summary>
public sealed record RouteMatch
{
    public static readonly RouteMatch Any = new();

    public PathMatch? Path { get; init; }

    /// <summary>One of them.</summary>
    public ValueList<string> Methods { get; init; } = [];

    public ValueList<NamedMatch> Headers { get; init; } = [];

    public ValueList<NamedMatch> Query { get; init; } = [];

    /// <summary>Where a table has any, the listener's filters come before the choice of the route.</summary>
    public ValueList<ClaimMatch> Claims { get; init; } = [];

    /// <summary>Host and port as the client sent them, in lower case; beside the domains of the virtual host (Istio's `authority`).</summary>
    public StringMatch? Authority { get; init; }

    /// <summary>`http` or `https`.</summary>
    public StringMatch? Scheme { get; init; }

    public SourceMatch Source { get; init; } = SourceMatch.Any;

    /// <summary>Ports that the request came to.</summary>
    public ValueList<int> Ports { get; init; } = [];

    /// <summary>Names in the client's TLS hello.</summary>
    public ValueList<string> ServerNames { get; init; } = [];
}
