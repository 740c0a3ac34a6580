using Weft.Api.Schemas;

namespace Weft.Api.GatewayApi;

/// <summary>TLS between a Gateway and a backend.</summary>
[Kind(Names.Group, "v1", "BackendTLSPolicy", Plural = "backendtlspolicies", ShortNames = ["btlspolicy"], Categories = ["gateway-api"], OlderVersions = ["v1alpha3"], DefinitionPrefix = Names.Definitions)]
public sealed record BackendTLSPolicy : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>For which backends, and how.</summary>
    [Must] public BackendTLSPolicySpec Spec { get; init; } = new();

    /// <summary>What controllers say.</summary>
    public PolicyStatus Status { get; init; } = new();
}

/// <summary>For which backends, and how.</summary>
public sealed record BackendTLSPolicySpec
{
    /// <summary>The backends: Services of the policy's namespace, or single ports of them.</summary>
    [Must, Count(1, 16)]
    [Rule("self.all(t1, self.exists_one(t2, t1.group == t2.group && t1.kind == t2.kind && t1.name == t2.name && (has(t1.sectionName) ? t1.sectionName : '') == (has(t2.sectionName) ? t2.sectionName : '')))", "several targetRefs of one object need different sectionNames")]
    [Rule("self.all(t1, self.all(t2, t1.group != t2.group || t1.kind != t2.kind || t1.name != t2.name || has(t1.sectionName) == has(t2.sectionName)))", "of several targetRefs of one object all need a sectionName")]
    public IReadOnlyList<BackendTarget> TargetRefs { get; init; } = [];

    /// <summary>How the backend shows who it is.</summary>
    [Must] public BackendTLSValidation Validation { get; init; } = new();

    /// <summary>More settings in the controller's own form.</summary>
    [Count(0, 16), Length(0, 4096)] public IReadOnlyDictionary<string, string> Options { get; init; } = Empty.Strings;
}

/// <summary>A backend, or one port of it.</summary>
public sealed record BackendTarget
{
    /// <summary>Group of the object; empty for the core one.</summary>
    [Must, Length(0, 253), Pattern(Names.ApiGroup)] public string Group { get; init; } = "";

    /// <summary>Its kind.</summary>
    [Must, Length(1, 63), Pattern(Names.ApiKind)] public string Kind { get; init; } = "";

    /// <summary>Its name.</summary>
    [Must, Length(1, 253)] public string Name { get; init; } = "";

    /// <summary>One port of a Service, by its name.</summary>
    [Length(1, 253), Pattern(Names.Section)] public string? SectionName { get; init; }
}

/// <summary>How a backend shows who it is.</summary>
[Rule("(has(self.caCertificateRefs) && self.caCertificateRefs.size() > 0) != (has(self.wellKnownCACertificates) && self.wellKnownCACertificates != '')", "exactly one of caCertificateRefs and wellKnownCACertificates must be there")]
public sealed record BackendTLSValidation
{
    /// <summary>ConfigMaps with the roots, in ca.crt.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("caCertificateRefs"), Count(0, 8)] public IReadOnlyList<LocalObjectReference> CACertificateRefs { get; init; } = [];

    /// <summary>System: the machine's own roots.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("wellKnownCACertificates"), OneOf("System")] public string? WellKnownCACertificates { get; init; }

    /// <summary>What the backend is asked for, and what its certificate must be for.</summary>
    [Must, Length(1, 253), Pattern(Names.Host)] public string Hostname { get; init; } = "";

    /// <summary>In place of hostname: one of them must be in the certificate.</summary>
    [Count(0, 5)] public IReadOnlyList<SubjectAltName> SubjectAltNames { get; init; } = [];
}

/// <summary>A name in a certificate.</summary>
[Rule("(self.type == 'Hostname') == (has(self.hostname) && self.hostname != '')", "hostname is for the type Hostname, which needs it")]
[Rule("(self.type == 'URI') == (has(self.uri) && self.uri != '')", "uri is for the type URI, which needs it")]
public sealed record SubjectAltName
{
    /// <summary>Which of the members counts.</summary>
    [Must, OneOf("Hostname", "URI")] public string Type { get; init; } = "";

    /// <summary>A host.</summary>
    [Length(1, 253), Pattern(Names.Hosts)] public string? Hostname { get; init; }

    /// <summary>A URI, with its scheme: spiffe://cluster.local/ns/a/sa/b.</summary>
    [Length(1, 253), Pattern("^[a-zA-Z][a-zA-Z0-9+.-]*:.+$")] public string? Uri { get; init; }
}

/// <summary>What controllers say of a policy.</summary>
public sealed record PolicyStatus
{
    /// <summary>Of each Gateway that the policy counts for.</summary>
    [Must, Count(0, 16)] public IReadOnlyList<PolicyAncestorStatus> Ancestors { get; init; } = [];
}

/// <summary>What one controller says.</summary>
public sealed record PolicyAncestorStatus
{
    /// <summary>The Gateway.</summary>
    [Must] public ParentReference AncestorRef { get; init; } = new();

    /// <summary>The controller.</summary>
    [Must, Length(1, 253), Pattern(Names.Controller)] public string ControllerName { get; init; } = "";

    /// <summary>Accepted and others.</summary>
    [Must, List(ListType.Map, "type"), Count(1, 8)] public IReadOnlyList<Condition> Conditions { get; init; } = [];
}
