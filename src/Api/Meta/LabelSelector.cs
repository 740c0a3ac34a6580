using Weft.Api.Schemas;

namespace Weft.Api;

/// <summary>Objects by label; all requirements must hold. Empty matches all, absent none.</summary>
[Atomic]
[Definition("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector")]
public sealed record LabelSelector
{
    /// <summary>Labels that must be equal.</summary>
    public IReadOnlyDictionary<string, string> MatchLabels { get; init; } = Empty.Strings;

    /// <summary>Further requirements.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<LabelSelectorRequirement> MatchExpressions { get; init; } = [];
}

/// <summary>A requirement on one label.</summary>
[Definition("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement")]
public sealed record LabelSelectorRequirement
{
    /// <summary>The label.</summary>
    [Must] public string Key { get; init; } = "";

    /// <summary>In, NotIn, Exists or DoesNotExist.</summary>
    [Must] public string Operator { get; init; } = "";

    /// <summary>Values to compare with.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Values { get; init; } = [];
}
