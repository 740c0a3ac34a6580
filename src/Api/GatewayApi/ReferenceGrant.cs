using Weft.Api.Schemas;

namespace Weft.Api.GatewayApi;

/// <summary>Lets objects of other namespaces name objects of this one.</summary>
[Kind(Names.Group, "v1beta1", "ReferenceGrant", ShortNames = ["refgrant"], Categories = ["gateway-api"], OlderVersions = ["v1"], DefinitionPrefix = Names.Definitions)]
public sealed record ReferenceGrant : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Who may name what.</summary>
    public ReferenceGrantSpec? Spec { get; init; }
}

/// <summary>Who may name what.</summary>
public sealed record ReferenceGrantSpec
{
    /// <summary>Who: each of them.</summary>
    [Must, Count(1, 16)] public IReadOnlyList<ReferenceGrantFrom> From { get; init; } = [];

    /// <summary>What: each of them.</summary>
    [Must, Count(1, 16)] public IReadOnlyList<ReferenceGrantTo> To { get; init; } = [];
}

/// <summary>Objects of a kind in a namespace.</summary>
public sealed record ReferenceGrantFrom
{
    /// <summary>Their group; empty for the core one.</summary>
    [Must, Length(0, 253), Pattern(Names.ApiGroup)] public string Group { get; init; } = "";

    /// <summary>Their kind.</summary>
    [Must, Length(1, 63), Pattern(Names.ApiKind)] public string Kind { get; init; } = "";

    /// <summary>Their namespace.</summary>
    [Must, Length(1, 63), Pattern(Names.Namespace)] public string Namespace { get; init; } = "";
}

/// <summary>Objects of a kind in the grant's namespace.</summary>
public sealed record ReferenceGrantTo
{
    /// <summary>Their group; empty for the core one.</summary>
    [Must, Length(0, 253), Pattern(Names.ApiGroup)] public string Group { get; init; } = "";

    /// <summary>Their kind.</summary>
    [Must, Length(1, 63), Pattern(Names.ApiKind)] public string Kind { get; init; } = "";

    /// <summary>Only the one of this name.</summary>
    [Length(1, 253)] public string? Name { get; init; }
}
