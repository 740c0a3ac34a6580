namespace Weft.Api.GatewayApi;

/// <summary>What names look like in the Gateway API.</summary>
internal static class Names
{
    public const string Group = "gateway.networking.k8s.io";
    public const string Definitions = "io.k8s.networking.gateway.v1";

    private const string Label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

    /// <summary>Of a host, without a wildcard.</summary>
    public const string Host = $@"^{Label}(\.{Label})*$";

    /// <summary>Of hosts, with a wildcard as the first label.</summary>
    public const string Hosts = $@"^(\*\.)?{Label}(\.{Label})*$";

    /// <summary>Of a listener, a rule.</summary>
    public const string Section = $@"^{Label}(\.{Label})*$";

    public const string Namespace = $"^{Label}$";

    /// <summary>Of an API group; empty for the core one.</summary>
    public const string ApiGroup = $@"^$|^{Label}(\.{Label})*$";

    public const string ApiKind = "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$";

    /// <summary>Of a controller: a domain and a path.</summary>
    public const string Controller = $@"^{Label}(\.{Label})*/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$";

    /// <summary>A field of a request: a token of RFC 9110, section 5.6.2.</summary>
    public const string Token = "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$";

    public const string Duration = "^([0-9]{1,5}(h|m|s|ms)){1,4}$";

    /// <summary>Of conditions before a controller has looked at the object: the form that the specification gives them.</summary>
    public const string Accepted = """{"type":"Accepted","status":"Unknown","reason":"Pending","message":"Waiting for controller","lastTransitionTime":"1970-01-01T00:00:00Z"}""";

    public const string Programmed = """{"type":"Programmed","status":"Unknown","reason":"Pending","message":"Waiting for controller","lastTransitionTime":"1970-01-01T00:00:00Z"}""";
}
