using Weft.Api.Schemas;

namespace Weft.Api.Istio;

/// <summary>Who may do what at workloads.</summary>
[Kind("security.istio.io", "v1", "AuthorizationPolicy", Plural = "authorizationpolicies", ShortNames = ["ap"], Categories = ["istio-io", "security-istio-io"],
    OlderVersions = ["v1beta1"], DefinitionPrefix = "io.istio.security.v1")]
public sealed record AuthorizationPolicy : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>For which workloads, and the rules.</summary>
    public AuthorizationPolicySpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>For which workloads, and the rules.</summary>
public sealed record AuthorizationPolicySpec
{
    /// <summary>The workloads; all of the namespace when absent, all of the mesh in the root namespace.</summary>
    public PolicySelector? Selector { get; init; }

    /// <summary>Deprecated: one object in place of workloads.</summary>
    public PolicyTargetReference? TargetRef { get; init; }

    /// <summary>Objects in place of workloads.</summary>
    public IReadOnlyList<PolicyTargetReference> TargetRefs { get; init; } = [];

    /// <summary>The policy matches when one of them does; never without any.</summary>
    public IReadOnlyList<Rule> Rules { get; init; } = [];

    /// <summary>What a match means; ALLOW by default.</summary>
    [OneOf("ALLOW", "DENY", "AUDIT", "CUSTOM")] public string? Action { get; init; }

    /// <summary>Who decides, with CUSTOM.</summary>
    public ExtensionProvider? Provider { get; init; }
}

/// <summary>A decider that the mesh's settings name.</summary>
public sealed record ExtensionProvider
{
    /// <summary>Its name.</summary>
    public string? Name { get; init; }
}

/// <summary>Matches when one of from, one of to and all of when do; what is absent matches.</summary>
public sealed record Rule
{
    /// <summary>Who asks.</summary>
    public IReadOnlyList<RuleFrom> From { get; init; } = [];

    /// <summary>What is asked.</summary>
    public IReadOnlyList<RuleTo> To { get; init; } = [];

    /// <summary>Further conditions.</summary>
    public IReadOnlyList<RuleCondition> When { get; init; } = [];
}

/// <summary>Who asks.</summary>
public sealed record RuleFrom
{
    /// <summary>The source.</summary>
    public Source? Source { get; init; }
}

/// <summary>What is asked.</summary>
public sealed record RuleTo
{
    /// <summary>The operation.</summary>
    public Operation? Operation { get; init; }
}

/// <summary>Who asks; all that is given must hold. Values are exact, abc*, *abc or *.</summary>
public sealed record Source
{
    /// <summary>Identities: trust-domain/ns/namespace/sa/account. One of them.</summary>
    public IReadOnlyList<string> Principals { get; init; } = [];

    /// <summary>Identities: trust-domain/ns/namespace/sa/account. None of them.</summary>
    public IReadOnlyList<string> NotPrincipals { get; init; } = [];

    /// <summary>Identities of tokens: issuer/subject. One of them.</summary>
    public IReadOnlyList<string> RequestPrincipals { get; init; } = [];

    /// <summary>Identities of tokens: issuer/subject. None of them.</summary>
    public IReadOnlyList<string> NotRequestPrincipals { get; init; } = [];

    /// <summary>Namespaces. One of them.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = [];

    /// <summary>Namespaces. None of them.</summary>
    public IReadOnlyList<string> NotNamespaces { get; init; } = [];

    /// <summary>Service accounts: namespace/name, or name for the policy's namespace. One of them.</summary>
    public IReadOnlyList<string> ServiceAccounts { get; init; } = [];

    /// <summary>Service accounts: namespace/name, or name for the policy's namespace. None of them.</summary>
    public IReadOnlyList<string> NotServiceAccounts { get; init; } = [];

    /// <summary>Addresses of connections. One of them.</summary>
    public IReadOnlyList<string> IpBlocks { get; init; } = [];

    /// <summary>Addresses of connections. None of them.</summary>
    public IReadOnlyList<string> NotIpBlocks { get; init; } = [];

    /// <summary>Addresses of clients behind proxies. One of them.</summary>
    public IReadOnlyList<string> RemoteIpBlocks { get; init; } = [];

    /// <summary>Addresses of clients behind proxies. None of them.</summary>
    public IReadOnlyList<string> NotRemoteIpBlocks { get; init; } = [];
}

/// <summary>What is asked; all that is given must hold. Values are exact, abc*, *abc or *.</summary>
public sealed record Operation
{
    /// <summary>Hosts, in any case. One of them.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Hosts, in any case. None of them.</summary>
    public IReadOnlyList<string> NotHosts { get; init; } = [];

    /// <summary>Ports, as texts. One of them.</summary>
    public IReadOnlyList<string> Ports { get; init; } = [];

    /// <summary>Ports, as texts. None of them.</summary>
    public IReadOnlyList<string> NotPorts { get; init; } = [];

    /// <summary>Methods. One of them.</summary>
    public IReadOnlyList<string> Methods { get; init; } = [];

    /// <summary>Methods. None of them.</summary>
    public IReadOnlyList<string> NotMethods { get; init; } = [];

    /// <summary>Paths; also with {*} and {**}. One of them.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>Paths; also with {*} and {**}. None of them.</summary>
    public IReadOnlyList<string> NotPaths { get; init; } = [];
}

/// <summary>A condition on an attribute.</summary>
public sealed record RuleCondition
{
    /// <summary>Name of the attribute: request.headers[name], source.ip, ...</summary>
    [Must] public string Key { get; init; } = "";

    /// <summary>One of them.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>None of them.</summary>
    public IReadOnlyList<string> NotValues { get; init; } = [];
}
