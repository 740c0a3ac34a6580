using Weft.Api.Schemas;

namespace Weft.Api.GatewayApi;

/// <summary>What a route is attached to.</summary>
public sealed record ParentReference
{
    /// <summary>Group of the parent.</summary>
    [Length(0, 253), Pattern(Names.ApiGroup), Default("\"gateway.networking.k8s.io\"")] public string? Group { get; init; }

    /// <summary>Gateway, or Service for routes inside a mesh.</summary>
    [Length(1, 63), Pattern(Names.ApiKind), Default("\"Gateway\"")] public string? Kind { get; init; }

    /// <summary>The route's own when absent.</summary>
    [Length(1, 63), Pattern(Names.Namespace)] public string? Namespace { get; init; }

    /// <summary>Its name.</summary>
    [Must, Length(1, 253)] public string Name { get; init; } = "";

    /// <summary>One listener of the Gateway, or port of the Service.</summary>
    [Length(1, 253), Pattern(Names.Section)] public string? SectionName { get; init; }

    /// <summary>Listeners of this port only.</summary>
    [RangeOf(1, 65535)] public int? Port { get; init; }
}

/// <summary>An object of the same namespace.</summary>
public sealed record LocalObjectReference
{
    /// <summary>Group of the object; empty for the core one.</summary>
    [Must, Length(0, 253), Pattern(Names.ApiGroup)] public string Group { get; init; } = "";

    /// <summary>Its kind.</summary>
    [Must, Length(1, 63), Pattern(Names.ApiKind)] public string Kind { get; init; } = "";

    /// <summary>Its name.</summary>
    [Must, Length(1, 253)] public string Name { get; init; } = "";
}

/// <summary>An object, maybe of another namespace: a ReferenceGrant there must allow it.</summary>
public sealed record ObjectReference
{
    /// <summary>Group of the object; empty for the core one.</summary>
    [Must, Length(0, 253), Pattern(Names.ApiGroup)] public string Group { get; init; } = "";

    /// <summary>Its kind.</summary>
    [Must, Length(1, 63), Pattern(Names.ApiKind)] public string Kind { get; init; } = "";

    /// <summary>Its name.</summary>
    [Must, Length(1, 253)] public string Name { get; init; } = "";

    /// <summary>The referrer's own when absent.</summary>
    [Length(1, 63), Pattern(Names.Namespace)] public string? Namespace { get; init; }
}

/// <summary>A Secret, maybe of another namespace: a ReferenceGrant there must allow it.</summary>
public sealed record SecretReference
{
    /// <summary>Group of the object; empty for the core one.</summary>
    [Length(0, 253), Pattern(Names.ApiGroup), Default("\"\"")] public string? Group { get; init; }

    /// <summary>Its kind.</summary>
    [Length(1, 63), Pattern(Names.ApiKind), Default("\"Secret\"")] public string? Kind { get; init; }

    /// <summary>Its name.</summary>
    [Must, Length(1, 253)] public string Name { get; init; } = "";

    /// <summary>The referrer's own when absent.</summary>
    [Length(1, 63), Pattern(Names.Namespace)] public string? Namespace { get; init; }
}

/// <summary>Where requests go.</summary>
[Rule(BackendRules.Port, BackendRules.PortMessage)]
public sealed record BackendReference
{
    /// <summary>Group of the backend; empty for the core one.</summary>
    [Length(0, 253), Pattern(Names.ApiGroup), Default("\"\"")] public string? Group { get; init; }

    /// <summary>Its kind.</summary>
    [Length(1, 63), Pattern(Names.ApiKind), Default("\"Service\"")] public string? Kind { get; init; }

    /// <summary>Its name.</summary>
    [Must, Length(1, 253)] public string Name { get; init; } = "";

    /// <summary>The route's own when absent; for another one a ReferenceGrant there must allow it.</summary>
    [Length(1, 63), Pattern(Names.Namespace)] public string? Namespace { get; init; }

    /// <summary>Port of the Service.</summary>
    [RangeOf(1, 65535)] public int? Port { get; init; }

    /// <summary>Its share, against the sum of all.</summary>
    [RangeOf(0, 1_000_000), Default("1")] public int? Weight { get; init; }
}

/// <summary>Where copies of requests go.</summary>
[Rule(BackendRules.Port, BackendRules.PortMessage)]
public sealed record MirrorReference
{
    /// <summary>Group of the backend; empty for the core one.</summary>
    [Length(0, 253), Pattern(Names.ApiGroup), Default("\"\"")] public string? Group { get; init; }

    /// <summary>Its kind.</summary>
    [Length(1, 63), Pattern(Names.ApiKind), Default("\"Service\"")] public string? Kind { get; init; }

    /// <summary>Its name.</summary>
    [Must, Length(1, 253)] public string Name { get; init; } = "";

    /// <summary>The route's own when absent.</summary>
    [Length(1, 63), Pattern(Names.Namespace)] public string? Namespace { get; init; }

    /// <summary>Port of the Service.</summary>
    [RangeOf(1, 65535)] public int? Port { get; init; }
}

/// <summary>What holds of every backend.</summary>
internal static class BackendRules
{
    public const string Port = "self.group != '' || self.kind != 'Service' || has(self.port)";
    public const string PortMessage = "a Service needs a port";
}

/// <summary>What holds of every list of parents.</summary>
internal static class ParentRules
{
    private const string Same =
        "p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (has(p1.__namespace__) ? p1.__namespace__ : '') == (has(p2.__namespace__) ? p2.__namespace__ : '')";

    private const string One = "(has(p1.sectionName) ? p1.sectionName : '') == (has(p2.sectionName) ? p2.sectionName : '') && (has(p1.port) ? p1.port : 0) == (has(p2.port) ? p2.port : 0)";

    public const string Unique = $"self.all(p1, self.exists_one(p2, {Same} && {One}))";
    public const string UniqueMessage = "several references to one parent need different sectionNames or ports";
}
