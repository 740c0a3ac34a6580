using System.Globalization;

namespace Weft.Api.Selectors;

public enum LabelOperator { In, NotIn, Equals, NotEquals, Exists, DoesNotExist, GreaterThan, LessThan }

/// <summary>One condition of a label selector. <paramref name="Values"/> is sorted, without repetition.</summary>
public sealed record LabelRequirement(string Key, LabelOperator Operator, IReadOnlyList<string> Values)
{
    /// <param name="value">Of the label, or null when the object does not carry it.</param>
    public bool Matches(string? value) => Operator switch
    {
        LabelOperator.Exists => value is not null,
        LabelOperator.DoesNotExist => value is null,
        LabelOperator.In or LabelOperator.Equals => value is not null && Values.Contains(value),
        // An object without the label is not in the set, too.
        LabelOperator.NotIn or LabelOperator.NotEquals => value is null || !Values.Contains(value),
        LabelOperator.GreaterThan => Compare(value) is > 0,
        LabelOperator.LessThan => Compare(value) is < 0,
        _ => false,
    };

    private int? Compare(string? value) =>
        long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var have)
            ? have.CompareTo(long.Parse(Values[0], CultureInfo.InvariantCulture))
            : null;

    public override string ToString() => Operator switch
    {
        LabelOperator.Exists => Key,
        LabelOperator.DoesNotExist => "!" + Key,
        LabelOperator.Equals => $"{Key}={Values[0]}",
        LabelOperator.NotEquals => $"{Key}!={Values[0]}",
        LabelOperator.In => $"{Key} in ({string.Join(',', Values)})",
        LabelOperator.NotIn => $"{Key} notin ({string.Join(',', Values)})",
        LabelOperator.GreaterThan => $"{Key}>{Values[0]}",
        _ => $"{Key}<{Values[0]}",
    };
}
