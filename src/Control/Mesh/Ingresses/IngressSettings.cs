using Weft.Api.Networking;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>What the annotations of an Ingress say, for all of its paths.</summary>
internal sealed record IngressSettings
{
    public required Problems Problems { get; init; }

    /// <summary>Its requests are refused: see <see cref="IngressAnnotations.IsClosed"/>.</summary>
    public bool IsClosed { get; init; }

    /// <summary>Before authentication by policies, and after it.</summary>
    public ValueList<FilterConfig> Before { get; init; } = [];

    public ValueList<FilterConfig> After { get; init; } = [];

    /// <summary>A policy that it names; null: none.</summary>
    public ObjectRef? JwtPolicy { get; init; }

    /// <summary>In place of the service.</summary>
    public RedirectAction? Redirect { get; init; }

    /// <summary>All but clusters and rewriting of the path.</summary>
    public ForwardAction Forward { get; init; } = new();

    public BackendTraits Traits { get; init; } = BackendTraits.None;

    public bool IsRegex { get; init; }

    public string? RewriteTarget { get; init; }

    public string? AppRoot { get; init; }

    public ValueList<string> Aliases { get; init; } = [];

    public Canary? Canary { get; init; }

    /// <summary>Whether plain HTTP is sent to https where the host has TLS, or in any case.</summary>
    public bool RedirectsToTls { get; init; } = true;

    public bool RedirectsAlways { get; init; }

    public int TlsRedirectStatus { get; init; } = 308;

    public static IngressSettings Read(Ingress ingress, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var problems = Problems.Of(ingress, diagnostics);
        var annotations = new IngressAnnotations(ingress, problems);
        var canary = Ingresses.Canary.Read(annotations);
        var (traits, hash) = BalancingReader.Read(annotations);
        var rewrite = annotations.Text("rewrite-target");
        var settings = new IngressSettings
        {
            Problems = problems, Canary = canary,
            Before = AccessReader.Read(ingress, annotations, lookups), After = HeaderReader.Read(annotations),
            JwtPolicy = AccessReader.JwtPolicy(ingress, annotations, lookups), Redirect = RedirectReader.Read(annotations), AppRoot = RedirectReader.AppRoot(annotations),
            Traits = traits,
            Forward = new ForwardAction
            {
                Hash = hash, Retry = hash.IsEmpty ? RetryPolicy.Default : RetryPolicy.Default with { OtherEndpoint = false },
                MaxRequestBytes = ForwardingReader.BodySize(annotations), IdleTimeout = ForwardingReader.IdleTimeout(annotations), Rewrite = ForwardingReader.Host(annotations),
            },
            // As in ingress-nginx: a new path with groups makes the paths expressions.
            IsRegex = annotations.Flag("use-regex") || rewrite?.Contains('$') == true, RewriteTarget = ForwardingReader.Target(rewrite, annotations),
            Aliases = ForwardingReader.Aliases(annotations),
            RedirectsToTls = annotations.Flag("ssl-redirect", usual: true), RedirectsAlways = annotations.Flag("force-ssl-redirect"),
            TlsRedirectStatus = annotations.Number("ssl-redirect-code", 300, 308) is { } code and (301 or 302 or 303 or 307 or 308) ? code : 308,
        };
        annotations.ReportRest();
        return settings with { IsClosed = annotations.IsClosed };
    }
}
