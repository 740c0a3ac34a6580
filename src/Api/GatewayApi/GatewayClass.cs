using Weft.Api.Schemas;

namespace Weft.Api.GatewayApi;

/// <summary>Gateways that one controller serves.</summary>
[Kind(Names.Group, "v1", "GatewayClass", Plural = "gatewayclasses", ClusterScoped = true, ShortNames = ["gc"], Categories = ["gateway-api"], OlderVersions = ["v1beta1"], DefinitionPrefix = Names.Definitions)]
public sealed record GatewayClass : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Whose class it is.</summary>
    [Must] public GatewayClassSpec Spec { get; init; } = new();

    /// <summary>What the controller says.</summary>
    [Default($$"""{"conditions":[{{Names.Accepted}}]}""")] public GatewayClassStatus Status { get; init; } = new();
}

/// <summary>Whose class it is.</summary>
public sealed record GatewayClassSpec
{
    /// <summary>The controller, as it calls itself: a domain and a path.</summary>
    [Must, Immutable, Length(1, 253), Pattern(Names.Controller)] public string ControllerName { get; init; } = "";

    /// <summary>Settings in the controller's own form.</summary>
    public ParametersReference? ParametersRef { get; init; }

    /// <summary>For people.</summary>
    [Length(0, 64)] public string? Description { get; init; }
}

/// <summary>An object with settings.</summary>
public sealed record ParametersReference
{
    /// <summary>Group of the object; empty for the core one.</summary>
    [Must, Length(0, 253), Pattern(Names.ApiGroup)] public string Group { get; init; } = "";

    /// <summary>Its kind.</summary>
    [Must, Length(1, 63), Pattern(Names.ApiKind)] public string Kind { get; init; } = "";

    /// <summary>Its name.</summary>
    [Must, Length(1, 253)] public string Name { get; init; } = "";

    /// <summary>Its namespace, if it is in one.</summary>
    [Length(1, 63), Pattern(Names.Namespace)] public string? Namespace { get; init; }
}

/// <summary>What the controller of a class says.</summary>
public sealed record GatewayClassStatus
{
    /// <summary>Accepted: whether the controller has taken the class.</summary>
    [List(ListType.Map, "type"), Count(0, 8), Default($"[{Names.Accepted}]")] public IReadOnlyList<Condition> Conditions { get; init; } = [];

    /// <summary>What the controller can do.</summary>
    [List(ListType.Map, "name"), Count(0, 64)] public IReadOnlyList<SupportedFeature> SupportedFeatures { get; init; } = [];
}

/// <summary>Something that a controller can do.</summary>
public sealed record SupportedFeature
{
    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";
}
