using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace Weft.Api.Schemas;

public enum SchemaType { Any, Object, Array, String, Integer, Number, Boolean }

/// <summary>How server-side apply merges a list (`x-kubernetes-list-type`). Atomic is Kubernetes' default.</summary>
public enum ListType { Atomic, Set, Map }

/// <summary>How server-side apply merges an object (`x-kubernetes-map-type`).</summary>
public enum MapType { Granular, Atomic }

/// <summary>How a strategic merge patch treats a list or object (`x-kubernetes-patch-strategy`); flags, as `merge,retainKeys` is.</summary>
[Flags]
public enum PatchStrategy { Replace = 0, Merge = 1, RetainKeys = 2 }

/// <summary>
/// The schema of one value. Built-in kinds get theirs from the C# type (SchemaReader), custom kinds from their CRD; prune, default,
/// validate, patch, apply, Table and OpenAPI know nothing else of a kind. Immutable once built; may refer to itself (JSONSchemaProps does).
/// </summary>
public sealed class Schema
{
    /// <summary>A value of which nothing is known: everything is kept.</summary>
    public static readonly Schema Anything = new() { Type = SchemaType.Any, PreserveUnknownFields = true };

    public SchemaType Type { get; init; }
    public string? Format { get; init; }

    // Read from the documentation file only when OpenAPI or explain asks.
    internal Func<string?>? DescriptionFactory { get; init; }
    private string? _description;
    public string? Description { get => _description ??= DescriptionFactory?.Invoke(); init => _description = value; }

    /// <summary>OpenAPI definition name when the value has a named type (io.k8s.api.core.v1.PodSpec), else null: written in line.</summary>
    public string? DefinitionName { get; init; }

    /// <summary>Of a member whose value has a named type: that type's own schema, with its own description. Null elsewhere.</summary>
    public Schema? Definition { get; init; }

    // Set once by the builder: a lazy value lets a schema contain itself.
    internal Func<FrozenDictionary<string, Schema>>? PropertiesFactory { get; init; }
    private FrozenDictionary<string, Schema>? _properties;
    public FrozenDictionary<string, Schema> Properties => _properties ??= PropertiesFactory?.Invoke() ?? FrozenDictionary<string, Schema>.Empty;

    /// <summary>Of an array.</summary>
    public Schema? Items { get; init; }

    /// <summary>Of a map with free keys.</summary>
    public Schema? AdditionalProperties { get; init; }

    public IReadOnlyList<string> Required { get; init; } = [];
    public JsonNode? Default { get; init; }
    public IReadOnlyList<JsonNode?> Enum { get; init; } = [];
    public bool Nullable { get; init; }

    /// <summary>`x-kubernetes-int-or-string`.</summary>
    public bool IntOrString { get; init; }

    /// <summary>`x-kubernetes-preserve-unknown-fields`.</summary>
    public bool PreserveUnknownFields { get; init; }

    /// <summary>`x-kubernetes-embedded-resource`.</summary>
    public bool EmbeddedResource { get; init; }

    public ListType ListType { get; init; }
    public IReadOnlyList<string> ListMapKeys { get; init; } = [];
    public MapType MapType { get; init; }
    public PatchStrategy PatchStrategy { get; init; }
    public string? PatchMergeKey { get; init; }

    /// <summary>The value may not change after creation.</summary>
    public bool Immutable { get; init; }

    /// <summary>`x-kubernetes-validations`.</summary>
    public IReadOnlyList<Cel.Rules.CelRule> Validations { get; init; } = [];

    // Made at first use, like patterns.
    private IReadOnlyList<Cel.Rules.CompiledRule>? _rules;
    public IReadOnlyList<Cel.Rules.CompiledRule> Rules => _rules ??= [.. Validations.Select(rule => Cel.Rules.CompiledRule.Of(rule, this))];

    // 0 until it is known: one word, so that no reader sees half of an answer.
    private int _hasRules;

    /// <summary>Whether this value or one inside it has rules. Not for schemas that contain themselves: those of types have no rules.</summary>
    public bool HasRules
    {
        get
        {
            if (_hasRules == 0)
                _hasRules = FindRules() ? 1 : -1;
            return _hasRules > 0;
        }
    }

    private bool FindRules() => Validations.Count > 0 || Items?.HasRules == true || AdditionalProperties?.HasRules == true
        // A member with a named type (metadata) is one of the program's own.
        || (DefinitionName is null || Kind is not null) && Properties.Values.Any(member => member.HasRules);

    public long? MinLength { get; init; }
    public long? MaxLength { get; init; }
    public string? Pattern { get; init; }

    // Made at first use: a schema lives long, and most patterns of a CRD are never asked.
    private Trees.PatternMatcher? _patternMatcher;
    internal Trees.PatternMatcher? PatternMatcher =>
        Pattern is null ? null : _patternMatcher ??= Patterns?.GetOrAdd(Pattern, static text => new Trees.PatternMatcher(text)) ?? new Trees.PatternMatcher(Pattern);

    /// <summary>Shared by the parts of one definition, which often repeats a pattern hundreds of times (that of quantities); each costs milliseconds and memory.</summary>
    internal System.Collections.Concurrent.ConcurrentDictionary<string, Trees.PatternMatcher>? Patterns { get; init; }

    public double? Minimum { get; init; }
    public double? Maximum { get; init; }
    public bool ExclusiveMinimum { get; init; }
    public bool ExclusiveMaximum { get; init; }
    public double? MultipleOf { get; init; }
    public long? MinItems { get; init; }
    public long? MaxItems { get; init; }
    public bool UniqueItems { get; init; }
    public long? MinProperties { get; init; }
    public long? MaxProperties { get; init; }

    /// <summary>Value validations only (structural schemas): they say nothing of types.</summary>
    public IReadOnlyList<Schema> AllOf { get; init; } = [];
    public IReadOnlyList<Schema> AnyOf { get; init; } = [];
    public IReadOnlyList<Schema> OneOf { get; init; } = [];
    public Schema? Not { get; init; }

    /// <summary>For OpenAPI of a root object: the kinds that the schema describes (`x-kubernetes-group-version-kind`).</summary>
    public GroupVersionKind? Kind { get; init; }

    /// <summary>The schema of a member of an object, or null when the object does not know it.</summary>
    public Schema? Member(string name) => Properties.TryGetValue(name, out var found) ? found : AdditionalProperties;
}
