using System.Globalization;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Mesh.Inspection.Explaining;

/// <summary>Parts of the model in words.</summary>
internal static class RouteTexts
{
    public static string Of(RouteMatch match)
    {
        var parts = new List<string>();
        if (match.Path is { } path)
            parts.Add($"path {Of(path)}");
        if (!match.Methods.IsEmpty)
            parts.Add($"method {string.Join(" or ", match.Methods)}");
        parts.AddRange(match.Headers.Select(header => $"header {Of(header)}"));
        parts.AddRange(match.Query.Select(query => $"query parameter {Of(query)}"));
        parts.AddRange(match.Claims.Select(claim => $"claim {Of(Named(claim))}"));
        if (match.Authority is { } authority)
            parts.Add($"authority {Of(authority)}");
        if (match.Scheme is { } scheme)
            parts.Add($"scheme {Of(scheme)}");
        if (!match.Ports.IsEmpty)
            parts.Add($"port {string.Join(" or ", match.Ports)}");
        if (match.Source != SourceMatch.Any)
            parts.Add($"client {Of(match.Source)}");
        return string.Join(", ", parts);
    }

    public static string Of(PathMatch path) => $"{path.Kind switch { PathMatchKind.Exact => "exactly", PathMatchKind.Prefix => "below", PathMatchKind.TextPrefix => "beginning with", PathMatchKind.Regex => "like", _ => "of the form" }} {path.Value}{(path.IgnoreCase ? " in any case" : "")}";

    public static string Of(StringMatch text) => $"{text.Kind switch { TextMatch.Exact => "", TextMatch.Prefix => "beginning with ", TextMatch.Suffix => "ending with ", TextMatch.Contains => "containing ", _ => "like " }}'{text.Value}'";

    public static string Of(NamedMatch named) => named.Value is { } value ? $"{named.Name} {(named.Invert ? "not " : "")}{Of(value)}" : $"{named.Name} {(named.Invert ? "absent" : "present")}";

    public static string Unmet(ClaimMatch claim) => Unmet(Named(claim));

    public static string Unmet(NamedMatch named) => named.Value is { } value
        ? $"{named.Name} is {(named.Invert ? "" : "not ")}{Of(value)}"
        : $"{named.Name} is {(named.Invert ? "there" : "missing")}";

    private static NamedMatch Named(ClaimMatch claim) => new(string.Join('.', claim.Path), claim.Value, claim.Invert);

    public static string Of(SourceMatch source)
    {
        var parts = new List<string>();
        if (!source.Namespaces.IsEmpty)
            parts.Add($"of namespace {string.Join(" or ", source.Namespaces)}");
        if (source.Labels.Any())
            parts.Add($"labelled {string.Join(", ", source.Labels.Select(label => $"{label.Key}={label.Value}"))}");
        if (!source.Identities.IsEmpty)
            parts.Add($"one of {source.Identities.Count} identities");
        if (!source.Ranges.IsEmpty)
            parts.Add($"in {string.Join(" or ", source.Ranges)}");
        return string.Join(", ", parts);
    }

    /// <summary>What a filter does to a request; null: nothing that decides anything.</summary>
    public static string? Of(FilterConfig filter) => filter switch
    {
        FaultFilter fault => string.Join(", ", Faults(fault)),
        HeaderFilter headers => Edits(headers.Request, headers.Response),
        QueryFilter query => $"query parameters set: {string.Join(", ", query.Set.Concat(query.Add).Select(one => one.Name))}; removed: {string.Join(", ", query.Remove)}",
        CorsFilter => "cross-origin rules; preflights are answered here",
        RateLimitFilter limit => $"rate limit {limit.Name}: {limit.Requests} requests in {Of(limit.Per)}, then {limit.Status}{(limit.DryRun ? " (on trial: nothing is refused)" : "")}",
        BodyLimitFilter body => $"bodies above {body.MaxRequestBytes} bytes are answered 413",
        JwtFilter jwt => $"tokens of {string.Join(", ", jwt.Providers.Concat(jwt.Issuers.Select(issuer => issuer.Issuer)))} are checked{(jwt.AllowMissing ? "; a request without one passes" : "; without one: 401")}",
        ApiKeyFilter => "an API key is asked for; without one: 401",
        BasicAuthFilter => "a password is asked for; without one: 401",
        ExternalAuthorizationFilter external => $"{(external.Name.Length > 0 ? external.Name : external.Cluster)} is asked, at {external.Cluster}; when it fails: {(external.FailOpen ? "the request passes" : external.ErrorStatus.ToString(CultureInfo.InvariantCulture))}",
        AuthorizationFilter own => $"policies {string.Join(", ", own.Policies.Select(policy => policy.Name))}",
        _ => filter.GetType().Name,
    };

    public static string Of(TimeSpan time) => time.TotalSeconds >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###} s") : string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.###} ms");

    public static string Percent(double fraction) => string.Create(CultureInfo.InvariantCulture, $"{fraction * 100:0.##} %");

    public static string Of(LoadBalancer balancer) => balancer switch
    {
        RoundRobinBalancer => "in turn (ROUND_ROBIN)",
        LeastRequestBalancer => "fewest requests in flight (LEAST_REQUEST)",
        LeastTimeBalancer => "fastest answers (peak EWMA)",
        RandomBalancer => "by chance (RANDOM)",
        RingHashBalancer => "by hash (ring)",
        MaglevBalancer => "by hash (Maglev)",
        _ => balancer.GetType().Name,
    };

    /// <summary>What the route does beside sending it on.</summary>
    public static IEnumerable<string> Of(ForwardAction forward)
    {
        yield return forward.Timeout > TimeSpan.Zero ? $"time-out {Of(forward.Timeout)} for all tries together" : "no time-out";
        yield return forward.Retry.Attempts == 0
            ? "no retries"
            : $"up to {forward.Retry.Attempts} retries on {forward.Retry.On}{(forward.Retry.StatusCodes.IsEmpty ? "" : " " + string.Join(",", forward.Retry.StatusCodes))}{(forward.Retry.PerTryTimeout > TimeSpan.Zero ? $", {Of(forward.Retry.PerTryTimeout)} each" : "")}{(forward.Retry.NonIdempotent ? "" : "; of idempotent methods, and where the endpoint has certainly not looked at it")}";
        var rewrite = forward.Rewrite;
        if ((rewrite.Prefix ?? rewrite.Path ?? rewrite.Regex?.Substitution) is { } path)
            yield return $"the path is rewritten: {(rewrite.Prefix is not null ? "its matched prefix becomes" : rewrite.Path is not null ? "it becomes" : $"what is like {rewrite.Regex!.Pattern} becomes")} {path}";
        if (rewrite.Host is { } host)
            yield return $"the host is rewritten to {host}";
        foreach (var mirror in forward.Mirrors.AsEnumerable())
            yield return $"{Percent(mirror.Fraction)} are copied to {mirror.Cluster}, whose answers are thrown away";
        if (!forward.Hash.IsEmpty)
            yield return "a hash of the request keeps a client at one endpoint";
    }

    private static IEnumerable<string> Faults(FaultFilter fault)
    {
        if (fault.Delay > TimeSpan.Zero && fault.DelayFraction > 0)
            yield return $"fault: {Percent(fault.DelayFraction)} wait {Of(fault.Delay)}";
        if (fault.AbortFraction > 0)
            yield return $"fault: {Percent(fault.AbortFraction)} are answered {(fault.AbortGrpcStatus is { } grpc ? $"gRPC status {grpc}" : fault.AbortStatus)}";
    }

    private static string Edits(HeaderEdits request, HeaderEdits response)
    {
        var parts = new List<string>();
        foreach (var (what, edits) in new[] { ("request", request), ("response", response) })
        {
            if (!edits.Set.IsEmpty || !edits.Add.IsEmpty)
                parts.Add($"{what} headers set: {string.Join(", ", edits.Set.Concat(edits.Add).Select(one => one.Name))}");
            if (!edits.Remove.IsEmpty)
                parts.Add($"{what} headers removed: {string.Join(", ", edits.Remove)}");
        }

        return string.Join("; ", parts);
    }
}
