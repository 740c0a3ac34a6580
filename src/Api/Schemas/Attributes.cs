using System.Diagnostics.CodeAnalysis;

namespace Weft.Api.Schemas;

/// <summary>Makes a type a kind of the API. The one declaration from which discovery, OpenAPI and storage paths come.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class KindAttribute(string group, string version, string kind) : Attribute
{
    /// <summary>Empty for the core group.</summary>
    public string Group => group;
    public string Version => version;
    public string Kind => kind;

    /// <summary>Lower-case plural of the path; the default adds an 's'.</summary>
    public string? Plural { get; init; }
    public bool ClusterScoped { get; init; }
    public string[] ShortNames { get; init; } = [];
    public string[] Categories { get; init; } = [];

    /// <summary>Further versions that the kind is served in, with the same schema.</summary>
    public string[] OlderVersions { get; init; } = [];

    /// <summary>OpenAPI definition prefix, e.g. io.k8s.api.apps.v1.</summary>
    public string? DefinitionPrefix { get; init; }
}

/// <summary>Names the OpenAPI definition of a nested type (io.k8s.api.core.v1.PodSpec); without it: the prefix of the kind it stands beside.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property)]
public sealed class DefinitionAttribute(string name) : Attribute
{
    public string Name => name;
}

/// <summary>Merge rules of a list: `x-kubernetes-list-type` and its keys.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ListAttribute(ListType type, params string[] keys) : Attribute
{
    public ListType Type => type;
    public string[] Keys => keys;
}

/// <summary>The object is replaced as a whole by server-side apply.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
public sealed class AtomicAttribute : Attribute;

/// <summary>How a strategic merge patch merges the list or object.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PatchAttribute(PatchStrategy strategy, string? mergeKey = null) : Attribute
{
    public PatchStrategy Strategy => strategy;
    public string? MergeKey => mergeKey;
}

/// <summary>A fixed default, as JSON text: `"\"TCP\""`, `"1"`.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DefaultAttribute([StringSyntax(StringSyntaxAttribute.Json)] string json) : Attribute
{
    public string Json => json;
}

/// <summary>The allowed values of a string.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OneOfAttribute(params string[] values) : Attribute
{
    public string[] Values => values;
}

/// <summary>The field must be present. Absent, it is an error `Required value` at its path.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class MustAttribute : Attribute;

[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeOfAttribute(double minimum, double maximum) : Attribute
{
    public double Minimum => minimum;
    public double Maximum => maximum;
}

/// <summary>The value may not change after creation.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ImmutableAttribute : Attribute;

/// <summary>OpenAPI format: int32, int64, date-time, byte, ...; where the C# type does not say it.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FormatAttribute(string format) : Attribute
{
    public string Format => format;
}

/// <summary>How long a text is; in a list of texts, each of them.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LengthAttribute(int minimum, int maximum) : Attribute
{
    public int Minimum => minimum;
    public int Maximum => maximum;
}

/// <summary>What a text must match; in a list of texts, each of them.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PatternAttribute([StringSyntax(StringSyntaxAttribute.Regex)] string pattern) : Attribute
{
    public string Pattern => pattern;
}

/// <summary>How many items a list has, or members a map.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class CountAttribute(int minimum, int maximum) : Attribute
{
    public int Minimum => minimum;
    public int Maximum => maximum;
}

/// <summary>A rule in CEL that holds for the value (`x-kubernetes-validations`), and what is said when it does not. Only definitions of custom kinds carry them.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class, AllowMultiple = true)]
public sealed class RuleAttribute(string rule, string message) : Attribute
{
    public string Rule => rule;
    public string Message => message;
}
