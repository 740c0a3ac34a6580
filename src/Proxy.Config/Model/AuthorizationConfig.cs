namespace Weft.Proxy.Config.Model;

public enum AuthorizationAction { Allow, Deny, Audit }

/// <summary>
/// Istio's AuthorizationPolicy: a request that a DENY policy matches is refused; where there are ALLOW policies, one of them must match; AUDIT is recorded.
/// </summary>
public sealed record AuthorizationFilter : FilterConfig
{
    public ValueList<AuthorizationPolicyConfig> Policies { get; init; } = [];
}

public sealed record AuthorizationPolicyConfig
{
    /// <summary>`namespace/name`: stands in the decision.</summary>
    public string Name { get; init; } = "";

    public AuthorizationAction Action { get; init; } = AuthorizationAction.Allow;

    /// <summary>What it would have decided is recorded and does nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>It matches when one of them does. None: it never matches, so an ALLOW policy without rules refuses everything.</summary>
    public ValueList<AuthorizationRule> Rules { get; init; } = [];
}

/// <summary>One of <see cref="From"/> and one of <see cref="To"/> and all of <see cref="When"/>; what is not given holds. Without any of them all requests match.</summary>
public sealed record AuthorizationRule
{
    public ValueList<AuthorizationSource> From { get; init; } = [];

    public ValueList<AuthorizationOperation> To { get; init; } = [];

    public ValueList<AuthorizationCondition> When { get; init; } = [];
}

/// <summary>
/// All that are given must hold; a list holds when one of its values does, a `Not` list when none does. Values are exact, `abc*`, `*abc`, or `*` (anything that is
/// there). Principals are without `spiffe://`.
/// </summary>
public sealed record AuthorizationSource
{
    public ValueList<string> Principals { get; init; } = [];
    public ValueList<string> NotPrincipals { get; init; } = [];

    /// <summary>`issuer/subject` of a verified token.</summary>
    public ValueList<string> RequestPrincipals { get; init; } = [];
    public ValueList<string> NotRequestPrincipals { get; init; } = [];

    public ValueList<string> Namespaces { get; init; } = [];
    public ValueList<string> NotNamespaces { get; init; } = [];

    /// <summary>`namespace/name`.</summary>
    public ValueList<string> ServiceAccounts { get; init; } = [];
    public ValueList<string> NotServiceAccounts { get; init; } = [];

    /// <summary>Of the connection.</summary>
    public ValueList<string> IpBlocks { get; init; } = [];
    public ValueList<string> NotIpBlocks { get; init; } = [];

    /// <summary>Of the client, as trusted proxies say.</summary>
    public ValueList<string> RemoteIpBlocks { get; init; } = [];
    public ValueList<string> NotRemoteIpBlocks { get; init; } = [];
}

/// <summary>As in <see cref="AuthorizationSource"/>. Hosts in any case; paths also as templates with `{*}` and `{**}`.</summary>
public sealed record AuthorizationOperation
{
    public ValueList<string> Hosts { get; init; } = [];
    public ValueList<string> NotHosts { get; init; } = [];
    public ValueList<int> Ports { get; init; } = [];
    public ValueList<int> NotPorts { get; init; } = [];
    public ValueList<string> Methods { get; init; } = [];
    public ValueList<string> NotMethods { get; init; } = [];
    public ValueList<string> Paths { get; init; } = [];
    public ValueList<string> NotPaths { get; init; } = [];
}

/// <param name="Key">
/// Istio's: `request.headers[name]`, `request.auth.principal`, `request.auth.audiences`, `request.auth.presenter`, `request.auth.claims[name]` (`[a][b]` nested),
/// `source.ip`, `remote.ip`, `source.namespace`, `source.principal`, `source.serviceAccount`, `destination.ip`, `destination.port`, `connection.sni`.
/// </param>
public sealed record AuthorizationCondition(string Key, ValueList<string> Values = default, ValueList<string> NotValues = default);

/// <summary>How an authorizer is asked.</summary>
public enum AuthorizerProtocol
{
    /// <summary>By a copy of the request's head (nginx: auth_request).</summary>
    Http,

    /// <summary>By `envoy.service.auth.v3.Authorization/Check`, as Envoy and Istio do.</summary>
    Grpc,
}

/// <summary>Another server is asked whether a request may pass, by a copy of its head.</summary>
public sealed record ExternalAuthorizationFilter : FilterConfig
{
    public string Name { get; init; } = "";

    /// <summary>Cluster of the authorizer.</summary>
    public string Cluster { get; init; } = "";

    public AuthorizerProtocol Protocol { get; init; } = AuthorizerProtocol.Http;

    /// <summary>Before the path of the request; the method stays. Of HTTP.</summary>
    public string PathPrefix { get; init; } = "";

    /// <summary>With its query, in place of the request's; null: that of the request after <see cref="PathPrefix"/>. The question then says in x-original-method, x-original-url and x-forwarded-uri what was asked for. Of HTTP.</summary>
    public string? Path { get; init; }

    /// <summary>In place of the request's; null: that of the request. Of HTTP.</summary>
    public string? Method { get; init; }

    /// <summary>Host of the question; null: that of the request, and of gRPC the cluster's name.</summary>
    public string? Host { get; init; }

    /// <summary>Envoy's default is 200 ms, Istio's 10 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Fields that are asked with, beside method, path and host. A name ending in `*` is a prefix.</summary>
    public ValueList<string> RequestHeaders { get; init; } = ["authorization", "cookie"];

    /// <summary>Fields of an answer that lets pass, which the endpoint gets in place of the client's. Of gRPC it gets all that the answer has; these are taken from the client in any case.</summary>
    public ValueList<string> UpstreamHeaders { get; init; } = [];

    /// <summary>Fields of a refusal that the client gets. Of gRPC it gets all.</summary>
    public ValueList<string> ClientHeaders { get; init; } = ["www-authenticate", "location", "set-cookie", "content-type"];

    /// <summary>When the authorizer does not answer or fails: the request passes. A closed door is the default.</summary>
    public bool FailOpen { get; init; }

    /// <summary>What a request gets when the authorizer fails.</summary>
    public int ErrorStatus { get; init; } = 403;

    /// <summary>Only these requests are asked about (Istio's CUSTOM); none: all.</summary>
    public ValueList<AuthorizationRule> When { get; init; } = [];
}
