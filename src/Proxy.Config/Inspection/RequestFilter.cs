using System.Globalization;

namespace Weft.Proxy.Config.Inspection;

/// <summary>Which requests somebody wants to see. All that is given must hold.</summary>
public sealed record RequestFilter
{
    /// <summary>Source or destination are of this namespace: who may look into one namespace sees what concerns it. Null: any.</summary>
    public string? Namespace { get; init; }

    /// <summary>Either side: `deploy/NAME`, `pod/NAME`, `svc/NAME`, `ns/NAME`, or the name of a workload or host; with `.NAMESPACE` behind it, else that of <see cref="Home"/>.</summary>
    public string? Target { get; init; }

    public string? From { get; init; }

    public string? To { get; init; }

    /// <summary>Where names without a namespace are; null: anywhere.</summary>
    public string? Home { get; init; }

    public string? Method { get; init; }

    /// <summary>A path, or the beginning of one with `*` behind it.</summary>
    public string? Path { get; init; }

    /// <summary>`503`, `5xx`, `400-499`.</summary>
    public string? Status { get; init; }

    public bool Failed { get; init; }

    /// <summary>x-request-id or trace id.</summary>
    public string? Id { get; init; }

    /// <summary>What is wrong with it; null: nothing.</summary>
    public string? Problem()
    {
        foreach (var (option, pattern) in ((string, string?)[])[("target", Target), ("from", From), ("to", To)])
        {
            if (pattern is not null && PeerPattern.Parse(pattern, Home) is null)
                return $"{option} '{pattern}' is none of deploy/NAME, pod/NAME, svc/NAME, ns/NAME, NAME";
        }

        return Status is { } status && Range(status) is null ? $"status '{status}' is none of 503, 5xx, 400-499" : null;
    }

    public bool Takes(ObservedRequest request) =>
        (Namespace is null || request.Source.Namespace == Namespace || request.Destination.Namespace == Namespace)
        && (Target is null || Of(Target).Is(request.Source, request, isSource: true) || Of(Target).Is(request.Destination, request, isSource: false))
        && (From is null || Of(From).Is(request.Source, request, isSource: true))
        && (To is null || Of(To).Is(request.Destination, request, isSource: false))
        && (Method is null || request.Method.Equals(Method, StringComparison.OrdinalIgnoreCase))
        && (Path is null || HasPath(request.Path.TrimEnd('?')))
        && (Status is null || Range(Status) is var (least, most) && request.Status >= least && request.Status <= most)
        && (!Failed || request.IsFailed)
        && (Id is null || request.RequestId == Id || request.TraceId == Id);

    private PeerPattern Of(string pattern) => PeerPattern.Parse(pattern, Home) ?? PeerPattern.Nobody;

    private bool HasPath(string path) => Path!.EndsWith('*') ? path.StartsWith(Path[..^1], StringComparison.Ordinal) : path == Path;

    private static (int Least, int Most)? Range(string text)
    {
        if (text is [>= '1' and <= '5' and var kind, 'x' or 'X', 'x' or 'X'])
            return ((kind - '0') * 100, ((kind - '0') * 100) + 99);
        var parts = text.Split('-');
        return parts.Length <= 2 && Number(parts[0]) is { } least && Number(parts[^1]) is { } most ? (least, most) : null;
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}

/// <summary>One side of a request, as a person names it.</summary>
internal sealed record PeerPattern(string Kind, string Name, string? Namespace)
{
    public static readonly PeerPattern Nobody = new("nobody", "", null);

    /// <summary>Null: it is none.</summary>
    public static PeerPattern? Parse(string text, string? home)
    {
        var slash = text.IndexOf('/');
        if (slash < 0)
            return text.Length > 0 ? new("", text, home) : null;
        var (kind, name) = (KindOf(text[..slash]), text[(slash + 1)..]);
        if (kind is null || name.Length == 0 || name.Contains('/'))
            return null;
        // Names of pods have dots only where somebody has named them so; those of namespaces and services have none.
        var dot = name.LastIndexOf('.');
        return kind == "ns" ? new(kind, "", name) : dot > 0 ? new(kind, name[..dot], name[(dot + 1)..]) : new(kind, name, home);
    }

    public bool Is(ObservedPeer peer, ObservedRequest request, bool isSource)
    {
        if (Kind == "nobody" || (Namespace is not null && peer.Namespace != Namespace && !(Kind.Length == 0 && Name.Contains('.'))))
            return false;
        return Kind switch
        {
            "ns" => true,
            "pod" => peer.Pod == Name,
            "deploy" => peer.Workload == Name,
            "svc" => !isSource && ServiceOf(peer, request) == Name,
            _ => peer.Workload == Name || peer.Pod == Name || (!isSource && (peer.Host == Name || request.Authority == Name || ServiceOf(peer, request) == Name)),
        };
    }

    // Where a request was received only what the client called it is known of the service.
    private static string? ServiceOf(ObservedPeer peer, ObservedRequest request)
    {
        var host = peer.Host ?? request.Authority;
        return host.Split('.', ':')[0];
    }

    private static string? KindOf(string kind) => kind.ToLowerInvariant() switch
    {
        "pod" or "pods" or "po" => "pod",
        "svc" or "service" or "services" => "svc",
        "ns" or "namespace" or "namespaces" => "ns",
        "deploy" or "deployment" or "deployments" or "sts" or "statefulset" or "statefulsets" or "ds" or "daemonset" or "daemonsets" or "rs" or "job" or "workload" => "deploy",
        _ => null,
    };
}
