using Weft.Api.Schemas;

namespace Weft.Api.Istio;

/// <summary>A rule for HTTP requests: when it holds, where requests go and what is done to them.</summary>
public sealed record HTTPRoute
{
    /// <summary>Name for logs and metrics.</summary>
    public string? Name { get; init; }

    /// <summary>One of them must hold; all requests when empty.</summary>
    public IReadOnlyList<HTTPMatchRequest> Match { get; init; } = [];

    /// <summary>Where the requests go. One of route, redirect, directResponse and delegate.</summary>
    public IReadOnlyList<HTTPRouteDestination> Route { get; init; } = [];

    /// <summary>Sends clients to another address.</summary>
    public HTTPRedirect? Redirect { get; init; }

    /// <summary>Answers without asking anybody.</summary>
    public HTTPDirectResponse? DirectResponse { get; init; }

    /// <summary>Another virtual service, without hosts, whose rules go on where this one matches.</summary>
    public Delegate? Delegate { get; init; }

    /// <summary>What the destination sees in place of what the client sent.</summary>
    public HTTPRewrite? Rewrite { get; init; }

    /// <summary>Longest time of the whole exchange: 5s. None by default.</summary>
    public string? Timeout { get; init; }

    /// <summary>When and how often a failed request is sent again.</summary>
    public HTTPRetry? Retries { get; init; }

    /// <summary>Faults on purpose.</summary>
    public HTTPFaultInjection? Fault { get; init; }

    /// <summary>Gets a copy of the requests; its answers are thrown away.</summary>
    public Destination? Mirror { get; init; }

    /// <summary>Several destinations that get copies.</summary>
    public IReadOnlyList<HTTPMirrorPolicy> Mirrors { get; init; } = [];

    /// <summary>Deprecated: whole percent of the requests that is mirrored.</summary>
    public int? MirrorPercent { get; init; }

    /// <summary>Share of the requests that is mirrored; all by default.</summary>
    public Percent? MirrorPercentage { get; init; }

    /// <summary>Which pages of other origins may ask (CORS).</summary>
    public CorsPolicy? CorsPolicy { get; init; }

    /// <summary>Changes of header fields.</summary>
    public Headers? Headers { get; init; }
}

/// <summary>Conditions on a request; all that are given must hold.</summary>
public sealed record HTTPMatchRequest
{
    /// <summary>Name, appended to that of the rule.</summary>
    public string? Name { get; init; }

    /// <summary>The path.</summary>
    public StringMatch? Uri { get; init; }

    /// <summary>http or https.</summary>
    public StringMatch? Scheme { get; init; }

    /// <summary>The method.</summary>
    public StringMatch? Method { get; init; }

    /// <summary>Host and port as the client sent them.</summary>
    public StringMatch? Authority { get; init; }

    /// <summary>Header fields by lower-case name; without a condition the field must be there.</summary>
    public IReadOnlyDictionary<string, StringMatch> Headers { get; init; } = Empty.Map<StringMatch>();

    /// <summary>Port that the request was meant for.</summary>
    [RangeOf(0, 65535)] public int? Port { get; init; }

    /// <summary>Labels of the client's workload.</summary>
    public IReadOnlyDictionary<string, string> SourceLabels { get; init; } = Empty.Strings;

    /// <summary>Gateways in place of those of the virtual service.</summary>
    public IReadOnlyList<string> Gateways { get; init; } = [];

    /// <summary>Query parameters by name.</summary>
    public IReadOnlyDictionary<string, StringMatch> QueryParams { get; init; } = Empty.Map<StringMatch>();

    /// <summary>Whether upper and lower case of the path are the same; for exact and prefix only.</summary>
    public bool? IgnoreUriCase { get; init; }

    /// <summary>Header fields that must not be as said; without a condition the field must be absent.</summary>
    public IReadOnlyDictionary<string, StringMatch> WithoutHeaders { get; init; } = Empty.Map<StringMatch>();

    /// <summary>Namespace of the client's workload.</summary>
    public string? SourceNamespace { get; init; }

    /// <summary>Name of own metrics for the route.</summary>
    public string? StatPrefix { get; init; }
}

/// <summary>A condition on a text: one of exact, prefix and regex. Empty: it is there at all.</summary>
public sealed record StringMatch
{
    /// <summary>The whole text.</summary>
    public string? Exact { get; init; }

    /// <summary>The start of the text.</summary>
    public string? Prefix { get; init; }

    /// <summary>A regular expression (RE2) for the whole text.</summary>
    public string? Regex { get; init; }
}

/// <summary>A host with its share of the requests.</summary>
public sealed record HTTPRouteDestination
{
    /// <summary>The host.</summary>
    [Must] public Destination Destination { get; init; } = new();

    /// <summary>Share in proportion to the sum of all weights.</summary>
    public int? Weight { get; init; }

    /// <summary>Changes of header fields for this destination.</summary>
    public Headers? Headers { get; init; }
}

/// <summary>Changes of header fields.</summary>
public sealed record Headers
{
    /// <summary>Of requests, before they go to the destination.</summary>
    public HeaderOperations? Request { get; init; }

    /// <summary>Of responses, before they go to the client.</summary>
    public HeaderOperations? Response { get; init; }
}

/// <summary>Changes of header fields, by name.</summary>
public sealed record HeaderOperations
{
    /// <summary>Values in place of those that are there.</summary>
    public IReadOnlyDictionary<string, string> Set { get; init; } = Empty.Strings;

    /// <summary>Values beside those that are there.</summary>
    public IReadOnlyDictionary<string, string> Add { get; init; } = Empty.Strings;

    /// <summary>Names that are taken off.</summary>
    public IReadOnlyList<string> Remove { get; init; } = [];
}

/// <summary>Another virtual service.</summary>
public sealed record Delegate
{
    /// <summary>Its name.</summary>
    public string? Name { get; init; }

    /// <summary>Its namespace; that of the object by default.</summary>
    public string? Namespace { get; init; }
}

/// <summary>Another address; what is not given stays as in the request.</summary>
public sealed record HTTPRedirect
{
    /// <summary>The path.</summary>
    public string? Uri { get; init; }

    /// <summary>The host.</summary>
    public string? Authority { get; init; }

    /// <summary>The port.</summary>
    [RangeOf(0, 65535)] public int? Port { get; init; }

    /// <summary>Where the port comes from.</summary>
    [OneOf("FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT")] public string? DerivePort { get; init; }

    /// <summary>http or https.</summary>
    public string? Scheme { get; init; }

    /// <summary>Status: 301 by default.</summary>
    public int? RedirectCode { get; init; }
}

/// <summary>An answer of the proxy's own.</summary>
public sealed record HTTPDirectResponse
{
    /// <summary>Its status.</summary>
    [Must] public int Status { get; init; }

    /// <summary>Its body.</summary>
    public HTTPBody? Body { get; init; }
}

/// <summary>A body, as text or in base64.</summary>
public sealed record HTTPBody
{
    /// <summary>Text.</summary>
    public string? String { get; init; }

    /// <summary>Bytes in base64.</summary>
    public byte[]? Bytes { get; init; }
}

/// <summary>What the destination sees.</summary>
public sealed record HTTPRewrite
{
    /// <summary>In place of the path, or of the prefix that matched.</summary>
    public string? Uri { get; init; }

    /// <summary>In place of the host.</summary>
    public string? Authority { get; init; }

    /// <summary>What a regular expression finds in the path is replaced.</summary>
    public RegexRewrite? UriRegexRewrite { get; init; }

    /// <summary>Old form of uriRegexRewrite.match.</summary>
    public string? Regex { get; init; }

    /// <summary>Old form of uriRegexRewrite.rewrite, with $1 for groups.</summary>
    public string? Replacement { get; init; }
}

/// <summary>A replacement by a regular expression.</summary>
public sealed record RegexRewrite
{
    /// <summary>Expression (RE2).</summary>
    public string? Match { get; init; }

    /// <summary>What is put in its place, with \1 for groups.</summary>
    public string? Rewrite { get; init; }
}

/// <summary>When a request is sent again.</summary>
public sealed record HTTPRetry
{
    /// <summary>Tries after the first; 0: none.</summary>
    public int? Attempts { get; init; }

    /// <summary>Longest time of each try.</summary>
    public string? PerTryTimeout { get; init; }

    /// <summary>Conditions and status codes, separated by commas, with Envoy's names.</summary>
    public string? RetryOn { get; init; }

    /// <summary>Whether endpoints of other places may be tried.</summary>
    public bool? RetryRemoteLocalities { get; init; }

    /// <summary>Whether endpoints that were tried are passed over.</summary>
    public bool? RetryIgnorePreviousHosts { get; init; }

    /// <summary>Shortest time between tries.</summary>
    public string? Backoff { get; init; }
}

/// <summary>Faults on purpose.</summary>
public sealed record HTTPFaultInjection
{
    /// <summary>Requests wait.</summary>
    public FaultDelay? Delay { get; init; }

    /// <summary>Requests fail.</summary>
    public FaultAbort? Abort { get; init; }
}

/// <summary>How long how many requests wait.</summary>
public sealed record FaultDelay
{
    /// <summary>The time.</summary>
    public string? FixedDelay { get; init; }

    /// <summary>Mean of a time that varies.</summary>
    public string? ExponentialDelay { get; init; }

    /// <summary>Deprecated: whole percent of the requests.</summary>
    public int? Percent { get; init; }

    /// <summary>Share of the requests.</summary>
    public Percent? Percentage { get; init; }
}

/// <summary>How how many requests fail.</summary>
public sealed record FaultAbort
{
    /// <summary>Status of the answer.</summary>
    public int? HttpStatus { get; init; }

    /// <summary>gRPC status of the answer, by name or number.</summary>
    public string? GrpcStatus { get; init; }

    /// <summary>Error code of HTTP/2.</summary>
    public string? Http2Error { get; init; }

    /// <summary>Share of the requests.</summary>
    public Percent? Percentage { get; init; }
}

/// <summary>A share in percent.</summary>
public sealed record Percent
{
    /// <summary>0.0 to 100.0.</summary>
    public double? Value { get; init; }
}

/// <summary>A destination that gets copies of requests.</summary>
public sealed record HTTPMirrorPolicy
{
    /// <summary>The host.</summary>
    [Must] public Destination Destination { get; init; } = new();

    /// <summary>Share of the requests; all by default.</summary>
    public Percent? Percentage { get; init; }
}

/// <summary>Which pages of other origins may ask.</summary>
public sealed record CorsPolicy
{
    /// <summary>Deprecated: origins by name.</summary>
    public IReadOnlyList<string> AllowOrigin { get; init; } = [];

    /// <summary>Origins.</summary>
    public IReadOnlyList<StringMatch> AllowOrigins { get; init; } = [];

    /// <summary>Methods.</summary>
    public IReadOnlyList<string> AllowMethods { get; init; } = [];

    /// <summary>Fields that requests may have.</summary>
    public IReadOnlyList<string> AllowHeaders { get; init; } = [];

    /// <summary>Fields of responses that pages may read.</summary>
    public IReadOnlyList<string> ExposeHeaders { get; init; } = [];

    /// <summary>How long a browser may remember the answer.</summary>
    public string? MaxAge { get; init; }

    /// <summary>Whether requests may carry cookies.</summary>
    public bool? AllowCredentials { get; init; }

    /// <summary>What happens to preflights of other origins: FORWARD by default.</summary>
    [OneOf("UNSPECIFIED", "FORWARD", "IGNORE")] public string? UnmatchedPreflights { get; init; }
}
