using Weft.Api;

namespace Weft.ApiServer.Strategies;

/// <summary>Label selectors in objects: their form, and whether they match given labels.</summary>
internal static class SelectorRules
{
    private static readonly string[] Operators = ["DoesNotExist", "Exists", "In", "NotIn"];

    public static IEnumerable<FieldError> Validate(Field selector)
    {
        foreach (var error in ObjectMetaValidation.Labels(selector["matchLabels"]))
            yield return error;
        foreach (var requirement in selector["matchExpressions"].Items)
        {
            foreach (var error in Requirement(requirement))
                yield return error;
        }
    }

    public static bool IsEmpty(Field selector) => selector["matchLabels"].Count == 0 && selector["matchExpressions"].Count == 0;

    public static bool Matches(Field selector, Field labels)
    {
        foreach (var (key, value) in selector["matchLabels"].Entries)
        {
            if (labels[key].Text is not { } actual || actual != value.Text)
                return false;
        }
        return selector["matchExpressions"].Items.All(requirement => Holds(requirement, labels[requirement["key"].TextOrEmpty].Text));
    }

    private static bool Holds(Field requirement, string? actual)
    {
        var listed = actual is not null && requirement["values"].Items.Any(value => value.Text == actual);
        return requirement["operator"].Text switch
        {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => actual is not null,
            "DoesNotExist" => actual is null,
            _ => false,
        };
    }

    private static IEnumerable<FieldError> Requirement(Field requirement)
    {
        var (key, op, values) = (requirement["key"], requirement["operator"], requirement["values"]);
        if (key.Text is { } name && NameRules.QualifiedName(name) is { } wrong)
            yield return key.Invalid(wrong);
        switch (op.Text)
        {
            case "In" or "NotIn" when values.Count == 0:
                yield return values.Required("must be specified when `operator` is 'In' or 'NotIn'");
                break;
            case "Exists" or "DoesNotExist" when values.Count > 0:
                yield return values.Forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
                break;
            case { } other when !Operators.Contains(other):
                yield return op.Invalid("not a valid selector operator");
                break;
        }
        foreach (var value in values.Items)
        {
            if (NameRules.LabelValue(value.TextOrEmpty) is { } bad)
                yield return value.Invalid(bad);
        }
    }
}
