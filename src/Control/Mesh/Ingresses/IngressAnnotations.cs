using System.Globalization;
using Weft.Api.Networking;
using Weft.Control.Mesh.Diagnostics;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>
/// Annotations of an Ingress, by `weft.dev/name` or as ingress-nginx writes it. What nobody has asked for is not done, and <see cref="ReportRest"/> says so by name.
/// </summary>
internal sealed class IngressAnnotations(Ingress ingress, Problems problems)
{
    public const string Own = "weft.dev/";

    public const string Nginx = "nginx.ingress.kubernetes.io/";

    // Whose annotations these are: nobody reads them here.
    private static readonly string[] Others = ["ingress.kubernetes.io/", "alb.ingress.kubernetes.io/", "traefik.ingress.kubernetes.io/", "haproxy.org/", "haproxy-ingress.github.io/", "konghq.com/", "nginx.org/", "appgw.ingress.kubernetes.io/"];

    private readonly HashSet<string> _asked = [];

    private bool _isClosed;

    /// <summary>Something that was to keep requests out cannot be understood or done: nobody knows which, so all are refused.</summary>
    public bool IsClosed => _isClosed;

    public Problems Problems => problems;

    /// <summary>Null: not there.</summary>
    public string? Text(string name)
    {
        _asked.Add(name);
        return (ingress.Metadata.Annotations.GetValueOrDefault(Own + name) ?? ingress.Metadata.Annotations.GetValueOrDefault(Nginx + name))?.Trim() is { Length: > 0 } text ? text : null;
    }

    /// <summary>Where it stands.</summary>
    public string Field(string name) => $"metadata.annotations[{(ingress.Metadata.Annotations.ContainsKey(Own + name) ? Own : Nginx)}{name}]";

    public void Error(string name, string message) => problems.Error(Field(name), message);

    /// <summary>For what keeps requests out.</summary>
    public void Close(string name, string message)
    {
        _isClosed = true;
        problems.Error(Field(name), $"{message}; until then its requests are answered 500");
    }

    public bool Flag(string name, bool usual = false)
    {
        if (Text(name) is not { } text)
            return usual;
        if (bool.TryParse(text, out var value))
            return value;
        Error(name, $"'{text}' is neither true nor false");
        return usual;
    }

    public int? Number(string name, int least, int most)
    {
        if (Text(name) is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            return value;
        Error(name, $"'{text}' is no number from {least} to {most}");
        return null;
    }

    /// <summary>Seconds, or with a unit: 30, 30s, 2m.</summary>
    public TimeSpan? Time(string name)
    {
        if (Text(name) is not { } text)
            return null;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds < TimeSpan.FromDays(365).TotalSeconds)
            return TimeSpan.FromSeconds(seconds);
        if (Texts.Durations.TryParse(text, out var duration))
            return duration;
        Error(name, $"'{text}' is no duration; write seconds, or 30s, 2m");
        return null;
    }

    public IReadOnlyList<string> List(string name) => Text(name)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>The fidelity report: each annotation that was to do something and does nothing.</summary>
    public void ReportRest()
    {
        foreach (var name in ingress.Metadata.Annotations.Keys.Order(StringComparer.Ordinal))
        {
            var field = $"metadata.annotations[{name}]";
            var own = name.StartsWith(Own, StringComparison.Ordinal) ? name[Own.Length..] : name.StartsWith(Nginx, StringComparison.Ordinal) ? name[Nginx.Length..] : null;
            if (own is not null && !_asked.Contains(own))
                problems.Unsupported(field, UndoneAnnotations.Why(own));
            else if (own is null && Others.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
                problems.Unsupported(field, $"is another controller's; the front door reads {Own}* and {Nginx}*");
        }
    }
}
