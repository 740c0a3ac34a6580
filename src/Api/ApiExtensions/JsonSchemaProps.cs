using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Weft.Api.Schemas;

namespace Weft.Api.ApiExtensions;

/// <summary>A JSON schema, as custom kinds write it.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps")]
public sealed record JSONSchemaProps
{
    /// <summary>Identifier.</summary>
    public string? Id { get; init; }

    /// <summary>Dialect.</summary>
    [JsonPropertyName("$schema")] public string? SchemaUri { get; init; }

    /// <summary>Not allowed in custom kinds.</summary>
    [JsonPropertyName("$ref")] public string? Ref { get; init; }

    /// <summary>What the value means.</summary>
    public string? Description { get; init; }

    /// <summary>JSON type.</summary>
    public string? Type { get; init; }

    /// <summary>Format of the value.</summary>
    public string? Format { get; init; }

    /// <summary>Short name.</summary>
    public string? Title { get; init; }

    /// <summary>Value when absent.</summary>
    [Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON")] public JsonNode? Default { get; init; }

    /// <summary>Greatest number.</summary>
    public double? Maximum { get; init; }

    /// <summary>Whether maximum itself is refused.</summary>
    public bool? ExclusiveMaximum { get; init; }

    /// <summary>Least number.</summary>
    public double? Minimum { get; init; }

    /// <summary>Whether minimum itself is refused.</summary>
    public bool? ExclusiveMinimum { get; init; }

    /// <summary>Longest text.</summary>
    public long? MaxLength { get; init; }

    /// <summary>Shortest text.</summary>
    public long? MinLength { get; init; }

    /// <summary>Regular expression.</summary>
    public string? Pattern { get; init; }

    /// <summary>Most items.</summary>
    public long? MaxItems { get; init; }

    /// <summary>Fewest items.</summary>
    public long? MinItems { get; init; }

    /// <summary>Not allowed in custom kinds.</summary>
    public bool? UniqueItems { get; init; }

    /// <summary>Divisor.</summary>
    public double? MultipleOf { get; init; }

    /// <summary>Allowed values.</summary>
    [List(ListType.Atomic), Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON")]
    public IReadOnlyList<JsonNode?> Enum { get; init; } = [];

    /// <summary>Most members.</summary>
    public long? MaxProperties { get; init; }

    /// <summary>Fewest members.</summary>
    public long? MinProperties { get; init; }

    /// <summary>Members that must be present.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>Schema of the items.</summary>
    [Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray")] public JsonNode? Items { get; init; }

    /// <summary>All must hold.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<JSONSchemaProps> AllOf { get; init; } = [];

    /// <summary>Exactly one must hold.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<JSONSchemaProps> OneOf { get; init; } = [];

    /// <summary>At least one must hold.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<JSONSchemaProps> AnyOf { get; init; } = [];

    /// <summary>Must not hold.</summary>
    public JSONSchemaProps? Not { get; init; }

    /// <summary>Schemas of the members.</summary>
    public IReadOnlyDictionary<string, JSONSchemaProps> Properties { get; init; } = Empty.Map<JSONSchemaProps>();

    /// <summary>Schema of other members, or whether there may be any.</summary>
    [Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool")]
    public JsonNode? AdditionalProperties { get; init; }

    /// <summary>Not allowed in custom kinds.</summary>
    public IReadOnlyDictionary<string, JSONSchemaProps> PatternProperties { get; init; } = Empty.Map<JSONSchemaProps>();

    /// <summary>Not allowed in custom kinds.</summary>
    public JsonObject? Dependencies { get; init; }

    /// <summary>Not allowed in custom kinds.</summary>
    [Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool")] public JsonNode? AdditionalItems { get; init; }

    /// <summary>Not allowed in custom kinds.</summary>
    public IReadOnlyDictionary<string, JSONSchemaProps> Definitions { get; init; } = Empty.Map<JSONSchemaProps>();

    /// <summary>Further reading.</summary>
    public ExternalDocumentation? ExternalDocs { get; init; }

    /// <summary>An example.</summary>
    [Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON")] public JsonNode? Example { get; init; }

    /// <summary>Whether null is allowed.</summary>
    public bool? Nullable { get; init; }

    /// <summary>Keep members that the schema does not name.</summary>
    [JsonPropertyName("x-kubernetes-preserve-unknown-fields")] public bool? XPreserveUnknownFields { get; init; }

    /// <summary>The value is an object with kind and metadata.</summary>
    [JsonPropertyName("x-kubernetes-embedded-resource")] public bool? XEmbeddedResource { get; init; }

    /// <summary>Number or text.</summary>
    [JsonPropertyName("x-kubernetes-int-or-string")] public bool? XIntOrString { get; init; }

    /// <summary>Keys of a list of type map.</summary>
    [List(ListType.Atomic), JsonPropertyName("x-kubernetes-list-map-keys")] public IReadOnlyList<string> XListMapKeys { get; init; } = [];

    /// <summary>atomic, set or map.</summary>
    [JsonPropertyName("x-kubernetes-list-type")] public string? XListType { get; init; }

    /// <summary>granular or atomic.</summary>
    [JsonPropertyName("x-kubernetes-map-type")] public string? XMapType { get; init; }

    /// <summary>Rules as CEL expressions.</summary>
    [List(ListType.Map, "rule"), Patch(PatchStrategy.Merge, "rule"), JsonPropertyName("x-kubernetes-validations")]
    public IReadOnlyList<ValidationRule> XValidations { get; init; } = [];
}

/// <summary>Further reading.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ExternalDocumentation")]
public sealed record ExternalDocumentation
{
    /// <summary>What it is.</summary>
    public string? Description { get; init; }

    /// <summary>Address.</summary>
    public string? Url { get; init; }
}

/// <summary>A rule as a CEL expression.</summary>
[Definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule")]
public sealed record ValidationRule
{
    /// <summary>The expression.</summary>
    [Must] public string Rule { get; init; } = "";

    /// <summary>Said when it fails.</summary>
    public string? Message { get; init; }

    /// <summary>Expression that gives the message.</summary>
    public string? MessageExpression { get; init; }

    /// <summary>Reason of the error.</summary>
    public string? Reason { get; init; }

    /// <summary>Field that the error names.</summary>
    public string? FieldPath { get; init; }

    /// <summary>Whether the rule also runs without an old value.</summary>
    public bool? OptionalOldSelf { get; init; }
}
