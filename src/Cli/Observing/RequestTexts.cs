using System.Globalization;
using Weft.Proxy.Config.Inspection;

namespace Weft.Cli.Observing;

/// <summary>A request in words. Everything in it was written by somebody: what a terminal would obey is not printed.</summary>
public static class RequestTexts
{
    /// <summary>One line of `weft tap`.</summary>
    public static string Line(ObservedRequest request)
    {
        var parts = new List<string>
        {
            request.Time.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture), request.Side.PadRight(4), $"{Source(request)} -> {Destination(request)}",
            request.IsHttp ? $"{request.Method} {request.Path}" : "TCP", Status(request), Milliseconds(request.Milliseconds),
        };
        if (request.Security is { } security)
            parts.Add(security);
        if (Reason(request) is { Length: > 0 } reason)
            parts.Add(reason);
        return Clean(string.Join("  ", parts));
    }

    public static string Source(ObservedRequest request) =>
        request.Source.Pod is { } pod ? $"{request.Source.Namespace}/{pod}" : request.Side == "door" ? $"outside ({request.Source.Address})" : request.Source.Address ?? "?";

    public static string Destination(ObservedRequest request)
    {
        var pod = request.Destination.Pod is { } name ? $"{request.Destination.Namespace}/{name}" : request.Destination.Address;
        var host = request.Destination.Host;
        return host is null ? pod ?? "?" : pod is null ? Short(host) : $"{Short(host)} ({pod})";
    }

    /// <summary>`200`, `503 UH`, `0 DC`.</summary>
    public static string Status(ObservedRequest request)
    {
        var status = request.IsHttp ? request.Status.ToString(CultureInfo.InvariantCulture) + (request.GrpcStatus is { } grpc ? $" grpc={grpc}" : "") : request.IsFailed ? "closed" : "ok";
        return request.Flags.Count == 0 ? status : $"{status} {string.Join(',', request.Flags)}";
    }

    /// <summary>Why it went where it went: rule, policy, detail, tries.</summary>
    public static string Reason(ObservedRequest request)
    {
        var parts = new List<string>();
        if (request.Policy is { } policy)
            parts.Add($"policy {policy}{(request.PolicyRule is { } rule ? $" rule {rule}" : "")}");
        if (request.DryRunPolicy is { } trial)
            parts.Add($"on trial: {trial} would refuse");
        if (request.Route is { } route)
            parts.Add($"route {route}");
        if (request.Detail is { } detail)
            parts.Add(detail);
        if (request.Tries.Count > 1)
            parts.Add($"{request.Tries.Count} tries");
        return string.Join(", ", parts);
    }

    public static string Milliseconds(double milliseconds) =>
        milliseconds >= 1000 ? FormattableString.Invariant($"{milliseconds / 1000:0.00}s") : FormattableString.Invariant($"{Math.Round(milliseconds, milliseconds >= 10 ? 0 : 1)}ms");

    /// <summary>`orders.shop` of `orders.shop.svc.cluster.local`.</summary>
    public static string Short(string host) => host.IndexOf(".svc.", StringComparison.Ordinal) is > 0 and var svc ? host[..svc] : host;

    /// <summary>As <see cref="Clean"/>, of a text of several lines.</summary>
    public static string CleanLines(string text) => string.Join('\n', text.Split('\n').Select(Clean));

    public static string Clean(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c)) : text;
}
