using System.Globalization;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Routes;

/// <summary>What is done to the requests of a rule, in Envoy's order: CORS, faults, header fields.</summary>
internal static class HttpFilterReader
{
    private static readonly string[] GrpcStatuses =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ];

    public static ValueList<FilterConfig> Read(Istio.HTTPRoute route, string field, Problems problems)
    {
        var filters = new List<FilterConfig>();
        if (route.CorsPolicy is { } cors)
            filters.Add(Cors(cors, $"{field}.corsPolicy", problems));
        if (route.Fault is { } fault && Fault(fault, $"{field}.fault", problems) is var compiled && compiled != new FaultFilter())
            filters.Add(compiled);
        var headers = new HeaderFilter
        {
            Request = HeaderTexts.Edits(route.Headers?.Request, $"{field}.headers.request", problems),
            Response = HeaderTexts.Edits(route.Headers?.Response, $"{field}.headers.response", problems),
        };
        if (headers != new HeaderFilter())
            filters.Add(headers);
        return filters.ToValueList();
    }

    /// <summary>Null: no share is said.</summary>
    public static double? Fraction(Istio.Percent? percentage, int? wholePercent, string field, Problems problems)
    {
        double? percent = percentage is null ? wholePercent : percentage.Value ?? 0;
        if (percent is < 0 or > 100)
            problems.Error(field, string.Create(CultureInfo.InvariantCulture, $"{percent} is no percentage; 0 to 100"));
        return percent is null ? null : Math.Clamp(percent.Value, 0, 100) / 100;
    }

    private static CorsFilter Cors(Istio.CorsPolicy cors, string field, Problems problems)
    {
        var origins = new List<StringMatch>(cors.AllowOrigin.Select(StringMatch.Exact));
        if (cors.AllowOrigin.Count > 0)
            problems.Warn($"{field}.allowOrigin", "is old; write allowOrigins with exact");
        foreach (var (i, origin) in cors.AllowOrigins.Index())
        {
            if (Patterns.Read(origin, $"{field}.allowOrigins[{i}]", problems) is { } match)
                origins.Add(match);
            else
                problems.Error($"{field}.allowOrigins[{i}]", "has none of exact, prefix and regex; say which origins");
        }

        if (cors.AllowCredentials == true && origins.Contains(StringMatch.Exact("*")))
            problems.Error($"{field}.allowCredentials", "with the origin '*' every site could act as the user; name the origins");
        foreach (var (name, list) in new[] { ("allowMethods", cors.AllowMethods), ("allowHeaders", cors.AllowHeaders), ("exposeHeaders", cors.ExposeHeaders) })
        {
            foreach (var (i, value) in list.Index().Where(item => !HeaderTexts.IsToken(item.Item)))
                problems.Error($"{field}.{name}[{i}]", $"'{value}' is neither a method nor a name of a header field");
        }

        return new()
        {
            AllowOrigins = origins.ToValueList(), AllowMethods = cors.AllowMethods.ToValueList(), AllowHeaders = cors.AllowHeaders.ToValueList(),
            ExposeHeaders = cors.ExposeHeaders.ToValueList(), AllowCredentials = cors.AllowCredentials == true,
            MaxAge = Durations.Read(cors.MaxAge, $"{field}.maxAge", problems), ForwardUnmatchedPreflights = cors.UnmatchedPreflights != "IGNORE",
        };
    }

    private static FaultFilter Fault(Istio.HTTPFaultInjection fault, string field, Problems problems)
    {
        var result = new FaultFilter();
        if (fault.Delay is { } delay)
        {
            problems.UnsupportedIf(delay.ExponentialDelay is not null, $"{field}.delay.exponentialDelay", "is not made; use fixedDelay");
            var share = Fraction(delay.Percentage, delay.Percent, $"{field}.delay.percentage", problems);
            if (share is null)
                problems.Warn($"{field}.delay.percentage", "is missing, so nothing is delayed; say value: 100 for all requests");
            if (Durations.Read(delay.FixedDelay, $"{field}.delay.fixedDelay", problems) is { } time && share > 0)
                result = result with { Delay = time, DelayFraction = share.Value };
        }

        if (fault.Abort is not { } abort)
            return result;
        problems.UnsupportedIf(abort.Http2Error is not null, $"{field}.abort.http2Error", "is not made; use httpStatus or grpcStatus");
        var fraction = Fraction(abort.Percentage, null, $"{field}.abort.percentage", problems);
        if (fraction is null)
            problems.Warn($"{field}.abort.percentage", "is missing, so nothing is aborted; say value: 100 for all requests");
        if (abort.HttpStatus is not null && abort.GrpcStatus is not null)
            problems.Error($"{field}.abort", "has httpStatus and grpcStatus; keep one");
        if (abort.HttpStatus is < 200 or > 599)
            problems.Error($"{field}.abort.httpStatus", $"{abort.HttpStatus} is no final status; 200 to 599");
        var grpc = abort.GrpcStatus is { } name ? Grpc(name, $"{field}.abort.grpcStatus", problems) : null;
        if (abort.HttpStatus is null && abort.GrpcStatus is null && abort.Http2Error is null)
            problems.Error($"{field}.abort", "says no status; write httpStatus or grpcStatus");
        return fraction is > 0 && (abort.HttpStatus is not null || grpc is not null)
            ? result with { AbortStatus = abort.HttpStatus ?? 0, AbortGrpcStatus = grpc, AbortFraction = fraction.Value }
            : result;
    }

    private static int? Grpc(string status, string field, Problems problems)
    {
        var number = int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : Array.IndexOf(GrpcStatuses, status.ToUpperInvariant());
        if (number >= 0 && number < GrpcStatuses.Length)
            return number;
        problems.Error(field, $"'{status}' is no gRPC status; one of {string.Join(", ", GrpcStatuses)}, or 0 to 16");
        return null;
    }
}
