using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.Api.Selectors;

/// <summary>
/// A label selector, ready to match: from the text of `labelSelector=`, from a LabelSelector object (`matchLabels`, `matchExpressions`) or from a plain map
/// (a Service's selector). All requirements must hold.
/// </summary>
public sealed class LabelQuery
{
    public static readonly LabelQuery Everything = new([], false);
    public static readonly LabelQuery Nothing = new([], true);

    private readonly bool _nothing;

    private LabelQuery(IEnumerable<LabelRequirement> requirements, bool nothing)
    {
        Requirements = [.. requirements.OrderBy(r => r.Key, StringComparer.Ordinal)];
        _nothing = nothing;
    }

    /// <summary>Sorted by key.</summary>
    public IReadOnlyList<LabelRequirement> Requirements { get; }

    public bool IsEverything => !_nothing && Requirements.Count == 0;
    public bool IsNothing => _nothing;

    /// <exception cref="SelectorException">With Kubernetes' message.</exception>
    public static LabelQuery Parse(string? text) =>
        string.IsNullOrWhiteSpace(text) ? Everything : new(new LabelQueryParser(text).Parse(), false);

    /// <summary>All labels equal. An empty map matches everything.</summary>
    public static LabelQuery FromLabels(IEnumerable<KeyValuePair<string, string>> labels) =>
        new(labels.Select(l => new LabelRequirement(l.Key, LabelOperator.Equals, [l.Value])), false);

    /// <summary>A LabelSelector object: absent matches nothing, empty matches everything.</summary>
    /// <exception cref="SelectorException">An unknown operator, or values where there may be none.</exception>
    public static LabelQuery FromSelector(JsonNode? selector)
    {
        if (selector is not JsonObject tree)
            return Nothing;

        var requirements = new List<LabelRequirement>();
        if (tree["matchLabels"] is JsonObject labels)
            requirements.AddRange(labels.Select(l => new LabelRequirement(l.Key, LabelOperator.Equals, [l.Value.AsText() ?? ""])));
        if (tree["matchExpressions"] is JsonArray expressions)
            requirements.AddRange(expressions.Select(e => Expression(e.At("key").AsText() ?? "", e.At("operator").AsText() ?? "",
                (e.At("values") as JsonArray ?? []).Select(v => v.AsText() ?? ""))));
        return new(requirements, false);
    }

    /// <summary>One `matchExpressions` item (also of node affinity, with Gt and Lt).</summary>
    /// <exception cref="SelectorException">An unknown operator, or values that do not fit it.</exception>
    public static LabelRequirement Expression(string key, string op, IEnumerable<string> values)
    {
        string[] sorted = [.. values.Distinct().Order(StringComparer.Ordinal)];
        var known = op switch
        {
            "In" => LabelOperator.In,
            "NotIn" => LabelOperator.NotIn,
            "Exists" => LabelOperator.Exists,
            "DoesNotExist" => LabelOperator.DoesNotExist,
            "Gt" => LabelOperator.GreaterThan,
            "Lt" => LabelOperator.LessThan,
            _ => throw new SelectorException($"\"{op}\" is not a valid label selector operator"),
        };
        switch (known)
        {
            case LabelOperator.In or LabelOperator.NotIn when sorted.Length == 0:
                throw new SelectorException($"{key}: values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
            case LabelOperator.Exists or LabelOperator.DoesNotExist when sorted.Length > 0:
                throw new SelectorException($"{key}: values: Invalid value: values set must be empty for exists and does not exist");
            case LabelOperator.GreaterThan or LabelOperator.LessThan when sorted.Length != 1 || !long.TryParse(sorted[0], out _):
                throw new SelectorException($"{key}: values: for 'Gt', 'Lt' operators, the value must be one integer");
        }
        return new(key, known, sorted);
    }

    public static LabelQuery FromRequirements(IEnumerable<LabelRequirement> requirements) => new(requirements, false);

    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        foreach (var requirement in Requirements)
            if (!requirement.Matches(labels.GetValueOrDefault(requirement.Key)))
                return false;
        return !_nothing;
    }

    /// <param name="labels">`metadata.labels` of a tree; null when the object has none.</param>
    public bool Matches(JsonObject? labels)
    {
        foreach (var requirement in Requirements)
            if (!requirement.Matches(labels?[requirement.Key].AsText()))
                return false;
        return !_nothing;
    }

    public override string ToString() => _nothing ? "" : string.Join(',', Requirements);
}
