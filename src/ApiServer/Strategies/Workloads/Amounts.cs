using System.Globalization;
using Weft.Api;

namespace Weft.ApiServer.Strategies.Workloads;

/// <summary>Numbers of pods that may be written as percentages.</summary>
internal static class Amounts
{
    public static IEnumerable<FieldError> Validate(Field field)
    {
        if (field.Text is { } text && Percent(text) is null)
            yield return field.Invalid("a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%' or '93%')");
        else if (Of(field) < 0)
            yield return field.Invalid(Rules.NotNegative);
        else if (field.Text is not null && Of(field) > 100)
            yield return field.Invalid("must not be greater than 100%");
    }

    public static long? Of(Field field) => field.Text is { } text ? Percent(text) : field.Number;

    private static long? Percent(string text) =>
        text.EndsWith('%') && long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var percent) ? percent : null;
}
