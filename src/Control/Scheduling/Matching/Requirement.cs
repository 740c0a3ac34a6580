using System.Globalization;
using Weft.Api;
using Weft.Api.Core;

namespace Weft.Control.Scheduling.Matching;

/// <summary>One requirement on a label or field. An operator that does not exist, or Gt and Lt without a whole number, match nothing.</summary>
internal sealed class Requirement(string key, string @operator, IReadOnlyList<string> values)
{
    private readonly long? _number = values.Count == 1 && long.TryParse(values[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    public string Key => key;
    public string Operator => @operator;
    public IReadOnlyList<string> Values => values;

    public bool Matches(IReadOnlyDictionary<string, string> labels) => Matches(labels.TryGetValue(key, out var value) ? value : null);

    /// <param name="value">Null when the label is absent.</param>
    public bool Matches(string? value) => @operator switch
    {
        "In" => value is not null && Contains(value),
        "NotIn" => value is null || !Contains(value),
        "Exists" => value is not null,
        "DoesNotExist" => value is null,
        "Gt" => Number(value) > _number,
        "Lt" => Number(value) < _number,
        _ => false,
    };

    private bool Contains(string value)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i] == value)
                return true;
        }

        return false;
    }

    private static long? Number(string? value) =>
        long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
}

/// <summary>A label selector, read once. Absent matches nothing, empty everything.</summary>
internal sealed class LabelMatcher
{
    private static readonly LabelMatcher Nothing = new([], nothing: true);

    private readonly Requirement[] _all;
    private readonly bool _nothing;

    private LabelMatcher(Requirement[] all, bool nothing) => (_all, _nothing) = (all, nothing);

    public static LabelMatcher Of(LabelSelector? selector, IEnumerable<Requirement>? further = null)
    {
        if (selector is null)
            return Nothing;
        var all = selector.MatchLabels.Select(label => new Requirement(label.Key, "In", [label.Value]))
            .Concat(selector.MatchExpressions.Select(one => new Requirement(one.Key, one.Operator, one.Values)));
        return new([.. all, .. further ?? []], nothing: false);
    }

    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        if (_nothing)
            return false;
        foreach (var one in _all)
        {
            if (!one.Matches(labels))
                return false;
        }

        return true;
    }
}
