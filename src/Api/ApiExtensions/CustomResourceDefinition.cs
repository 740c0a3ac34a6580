using Weft.Api.Schemas;

namespace Weft.Api.ApiExtensions;

/// <summary>A kind that users add.</summary>
[Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", ClusterScoped = true, ShortNames = ["crd", "crds"], Categories = ["api-extensions"], DefinitionPrefix = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1")]
public sealed record CustomResourceDefinition : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The kind.</summary>
    [Must] public CustomResourceDefinitionSpec Spec { get; init; } = new();

    /// <summary>Whether it is served.</summary>
    public CustomResourceDefinitionStatus Status { get; init; } = new();
}

/// <summary>A kind that users add.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec")]
public sealed record CustomResourceDefinitionSpec
{
    /// <summary>API group.</summary>
    [Must] public string Group { get; init; } = "";

    /// <summary>Names of the kind.</summary>
    [Must] public CustomResourceDefinitionNames Names { get; init; } = new();

    /// <summary>Namespaced or Cluster.</summary>
    [Must] public string Scope { get; init; } = "";

    /// <summary>Versions; one of them is stored.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<CustomResourceDefinitionVersion> Versions { get; init; } = [];

    /// <summary>How versions turn into each other.</summary>
    public CustomResourceConversion? Conversion { get; init; }

    /// <summary>Deprecated; must be false.</summary>
    public bool? PreserveUnknownFields { get; init; }
}

/// <summary>Names of a kind.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames")]
public sealed record CustomResourceDefinitionNames
{
    /// <summary>Name in paths.</summary>
    [Must] public string Plural { get; init; } = "";

    /// <summary>Name for people.</summary>
    public string? Singular { get; init; }

    /// <summary>Short names for commands.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> ShortNames { get; init; } = [];

    /// <summary>Kind.</summary>
    [Must] public string Kind { get; init; } = "";

    /// <summary>Kind of lists.</summary>
    public string? ListKind { get; init; }

    /// <summary>Groups of kinds, such as all.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Categories { get; init; } = [];
}

/// <summary>A version of a kind.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion")]
public sealed record CustomResourceDefinitionVersion
{
    /// <summary>Name of the version.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Whether it is served.</summary>
    [Must] public bool Served { get; init; }

    /// <summary>Whether objects are stored in it.</summary>
    [Must] public bool Storage { get; init; }

    /// <summary>Whether its use gives a warning.</summary>
    public bool? Deprecated { get; init; }

    /// <summary>The warning.</summary>
    public string? DeprecationWarning { get; init; }

    /// <summary>Its schema.</summary>
    public CustomResourceValidation? Schema { get; init; }

    /// <summary>Its subresources.</summary>
    public CustomResourceSubresources? Subresources { get; init; }

    /// <summary>Columns of tables.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<CustomResourceColumnDefinition> AdditionalPrinterColumns { get; init; } = [];

    /// <summary>Fields for field selectors.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<SelectableField> SelectableFields { get; init; } = [];
}

/// <summary>Schema of a version.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation")]
public sealed record CustomResourceValidation
{
    /// <summary>The schema.</summary>
    public JSONSchemaProps? OpenAPIV3Schema { get; init; }
}

/// <summary>Subresources of a version.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources")]
public sealed record CustomResourceSubresources
{
    /// <summary>The status subresource.</summary>
    public CustomResourceSubresourceStatus? Status { get; init; }

    /// <summary>The scale subresource.</summary>
    public CustomResourceSubresourceScale? Scale { get; init; }
}

/// <summary>Turns the status subresource on.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus")]
public sealed record CustomResourceSubresourceStatus
{
}

/// <summary>Where the scale subresource finds its numbers.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale")]
public sealed record CustomResourceSubresourceScale
{
    /// <summary>Path of the wanted number.</summary>
    [Must] public string SpecReplicasPath { get; init; } = "";

    /// <summary>Path of the observed number.</summary>
    [Must] public string StatusReplicasPath { get; init; } = "";

    /// <summary>Path of the selector.</summary>
    public string? LabelSelectorPath { get; init; }
}

/// <summary>A column of tables.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition")]
public sealed record CustomResourceColumnDefinition
{
    /// <summary>Heading.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Type of the values.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>Format of the values.</summary>
    public string? Format { get; init; }

    /// <summary>What it shows.</summary>
    public string? Description { get; init; }

    /// <summary>0 is always shown.</summary>
    public int? Priority { get; init; }

    /// <summary>Path of the value.</summary>
    [Must] public string JsonPath { get; init; } = "";
}

/// <summary>A field for field selectors.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField")]
public sealed record SelectableField
{
    /// <summary>Path of the field.</summary>
    [Must] public string JsonPath { get; init; } = "";
}

/// <summary>How versions turn into each other.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion")]
public sealed record CustomResourceConversion
{
    /// <summary>None or Webhook.</summary>
    [Must] public string Strategy { get; init; } = "";

    /// <summary>The webhook.</summary>
    public WebhookConversion? Webhook { get; init; }
}

/// <summary>A conversion webhook.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion")]
public sealed record WebhookConversion
{
    /// <summary>How to call it.</summary>
    public WebhookClientConfig? ClientConfig { get; init; }

    /// <summary>Versions of the call it knows.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<string> ConversionReviewVersions { get; init; } = [];
}

/// <summary>How to call a webhook.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig")]
public sealed record WebhookClientConfig
{
    /// <summary>Its address.</summary>
    public string? Url { get; init; }

    /// <summary>Or a service.</summary>
    public ServiceReference? Service { get; init; }

    /// <summary>Certificates to trust.</summary>
    public byte[]? CaBundle { get; init; }
}

/// <summary>A service.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference")]
public sealed record ServiceReference
{
    /// <summary>Its namespace.</summary>
    [Must] public string Namespace { get; init; } = "";

    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Path of the request.</summary>
    public string? Path { get; init; }

    /// <summary>Port of the service. 443 by default.</summary>
    public int? Port { get; init; }
}

/// <summary>Whether a kind is served.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus")]
public sealed record CustomResourceDefinitionStatus
{
    /// <summary>NamesAccepted, Established and others.</summary>
    [List(ListType.Map, "type")] public IReadOnlyList<CustomResourceDefinitionCondition> Conditions { get; init; } = [];

    /// <summary>Names in use.</summary>
    public CustomResourceDefinitionNames? AcceptedNames { get; init; }

    /// <summary>Versions in which objects may be stored.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> StoredVersions { get; init; } = [];
}

/// <summary>One observed condition of a custom kind.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition")]
public sealed record CustomResourceDefinitionCondition
{
    /// <summary>Name of the condition.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>True, False or Unknown.</summary>
    [Must] public string Status { get; init; } = "";

    /// <summary>When the status last changed.</summary>
    public DateTimeOffset? LastTransitionTime { get; init; }

    /// <summary>One word for the last change.</summary>
    public string? Reason { get; init; }

    /// <summary>For people: details of the last change.</summary>
    public string? Message { get; init; }
}
