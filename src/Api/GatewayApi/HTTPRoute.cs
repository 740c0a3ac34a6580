using Weft.Api.Schemas;

namespace Weft.Api.GatewayApi;

/// <summary>Where requests of HTTP go.</summary>
[Kind(Names.Group, "v1", "HTTPRoute", Categories = ["gateway-api"], OlderVersions = ["v1beta1"], DefinitionPrefix = Names.Definitions)]
public sealed record HTTPRoute : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Which requests, and where they go.</summary>
    [Must] public HTTPRouteSpec Spec { get; init; } = new();

    /// <summary>What the parents' controllers say.</summary>
    public RouteStatus Status { get; init; } = new();
}

/// <summary>Which requests, and where they go.</summary>
public sealed record HTTPRouteSpec
{
    /// <summary>Gateways or Services that the route is attached to.</summary>
    [Count(0, 32), Rule(ParentRules.Unique, ParentRules.UniqueMessage)] public IReadOnlyList<ParentReference> ParentRefs { get; init; } = [];

    /// <summary>Hosts of the requests; all of the listener's when empty.</summary>
    [Count(0, 16), Length(1, 253), Pattern(Names.Hosts)] public IReadOnlyList<string> Hostnames { get; init; } = [];

    /// <summary>The rules. The most exact match wins, not the first.</summary>
    [Count(1, 16), Default("""[{"matches":[{"path":{"type":"PathPrefix","value":"/"}}]}]""")]
    [Rule("self.all(r1, !has(r1.name) || self.exists_one(r2, has(r2.name) && r1.name == r2.name))", "names of rules are unique in a route")]
    [Rule("self.map(r, has(r.matches) ? r.matches.size() : 0).sum() <= 128", "a route has at most 128 matches in all rules")]
    public IReadOnlyList<HTTPRouteRule> Rules { get; init; } = [];
}

/// <summary>Requests that match, what is done with them and where they go.</summary>
[Rule("!has(self.backendRefs) || self.backendRefs.size() == 0 || !has(self.filters) || self.filters.all(f, !has(f.requestRedirect))", "a redirect has no backendRefs")]
[Rule("!has(self.filters) || !self.filters.exists(f, (has(f.requestRedirect) && has(f.requestRedirect.path) && f.requestRedirect.path.type == 'ReplacePrefixMatch') || (has(f.urlRewrite) && has(f.urlRewrite.path) && f.urlRewrite.path.type == 'ReplacePrefixMatch')) || (self.matches.size() == 1 && has(self.matches[0].path) && self.matches[0].path.type == 'PathPrefix')",
    "replacePrefixMatch needs exactly one match, by PathPrefix")]
public sealed record HTTPRouteRule
{
    /// <summary>Of the rule.</summary>
    [Length(1, 253), Pattern(Names.Section)] public string? Name { get; init; }

    /// <summary>One of them must match.</summary>
    [Count(0, 64), Default("""[{"path":{"type":"PathPrefix","value":"/"}}]""")] public IReadOnlyList<HTTPRouteMatch> Matches { get; init; } = [];

    /// <summary>What is done with the requests.</summary>
    [Count(0, 16), Rule(HTTPFilterRules.Once, HTTPFilterRules.OnceMessage), Rule(HTTPFilterRules.Excluding, HTTPFilterRules.ExcludingMessage)]
    public IReadOnlyList<HTTPRouteFilter> Filters { get; init; } = [];

    /// <summary>Where they go, by weight.</summary>
    [Count(0, 16)] public IReadOnlyList<HTTPBackendReference> BackendRefs { get; init; } = [];

    /// <summary>How long a request may take.</summary>
    public HTTPRouteTimeouts? Timeouts { get; init; }

    /// <summary>When a request is sent again.</summary>
    public HTTPRouteRetry? Retry { get; init; }

    /// <summary>Keeps the requests of a client at one endpoint.</summary>
    public SessionPersistence? SessionPersistence { get; init; }
}

/// <summary>All of it must match.</summary>
public sealed record HTTPRouteMatch
{
    /// <summary>The path.</summary>
    [Default("""{"type":"PathPrefix","value":"/"}""")] public HTTPPathMatch? Path { get; init; }

    /// <summary>Fields of the request.</summary>
    [List(ListType.Map, "name"), Count(0, 16)] public IReadOnlyList<HeaderMatch> Headers { get; init; } = [];

    /// <summary>Query parameters.</summary>
    [List(ListType.Map, "name"), Count(0, 16)] public IReadOnlyList<HTTPQueryMatch> QueryParams { get; init; } = [];

    /// <summary>The method.</summary>
    [OneOf("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")] public string? Method { get; init; }
}

/// <summary>A path.</summary>
[Rule("self.type == 'RegularExpression' || self.value.startsWith('/')", "a path starts with /")]
[Rule(@"self.type == 'RegularExpression' || !self.value.matches(r'//|/\.\.?(/|$)|%2[fF]|#')", "a path has no //, /./, /../, %2f or #, and does not end with /. or /..")]
[Rule(@"self.type == 'RegularExpression' || self.value.matches(r""^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$"")", "a path has only characters that RFC 3986 allows in one")]
public sealed record HTTPPathMatch
{
    /// <summary>How it is compared: whole, by segments from the left, or as a regular expression.</summary>
    [OneOf("Exact", "PathPrefix", "RegularExpression"), Default("\"PathPrefix\"")] public string? Type { get; init; }

    /// <summary>With what.</summary>
    [Length(0, 1024), Default("\"/\"")] public string? Value { get; init; }
}

/// <summary>A query parameter.</summary>
public sealed record HTTPQueryMatch
{
    /// <summary>How the value is compared.</summary>
    [OneOf("Exact", "RegularExpression"), Default("\"Exact\"")] public string? Type { get; init; }

    /// <summary>Its name.</summary>
    [Must, Length(1, 256), Pattern(Names.Token)] public string Name { get; init; } = "";

    /// <summary>Its value.</summary>
    [Must, Length(1, 1024)] public string Value { get; init; } = "";
}

/// <summary>A backend, and what is done with the requests that go there.</summary>
[Rule(BackendRules.Port, BackendRules.PortMessage)]
public sealed record HTTPBackendReference
{
    /// <summary>Group of the backend; empty for the core one.</summary>
    [Length(0, 253), Pattern(Names.ApiGroup), Default("\"\"")] public string? Group { get; init; }

    /// <summary>Its kind.</summary>
    [Length(1, 63), Pattern(Names.ApiKind), Default("\"Service\"")] public string? Kind { get; init; }

    /// <summary>Its name.</summary>
    [Must, Length(1, 253)] public string Name { get; init; } = "";

    /// <summary>The route's own when absent; for another one a ReferenceGrant there must allow it.</summary>
    [Length(1, 63), Pattern(Names.Namespace)] public string? Namespace { get; init; }

    /// <summary>Port of the Service.</summary>
    [RangeOf(1, 65535)] public int? Port { get; init; }

    /// <summary>Its share, against the sum of all.</summary>
    [RangeOf(0, 1_000_000), Default("1")] public int? Weight { get; init; }

    /// <summary>What is done with the requests.</summary>
    [Count(0, 16), Rule(HTTPFilterRules.Once, HTTPFilterRules.OnceMessage), Rule(HTTPFilterRules.Excluding, HTTPFilterRules.ExcludingMessage)]
    public IReadOnlyList<HTTPRouteFilter> Filters { get; init; } = [];
}

/// <summary>How long a request may take; 0s for any time.</summary>
[Rule("!(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && duration(self.backendRequest) > duration(self.request))", "backendRequest is at most request")]
public sealed record HTTPRouteTimeouts
{
    /// <summary>Altogether.</summary>
    [Pattern(Names.Duration)] public string? Request { get; init; }

    /// <summary>Each try.</summary>
    [Pattern(Names.Duration)] public string? BackendRequest { get; init; }
}

/// <summary>When a request is sent again.</summary>
public sealed record HTTPRouteRetry
{
    /// <summary>After which statuses.</summary>
    public IReadOnlyList<int> Codes { get; init; } = [];

    /// <summary>How often.</summary>
    public int? Attempts { get; init; }

    /// <summary>How long after the last try.</summary>
    [Pattern(Names.Duration)] public string? Backoff { get; init; }
}
