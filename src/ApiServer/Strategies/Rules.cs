using System.Net;
using Weft.Api;

namespace Weft.ApiServer.Strategies;

/// <summary>Checks that several kinds share, each on one field; nothing to say about an absent one.</summary>
internal static class Rules
{
    public const string PortRange = "must be between 1 and 65535, inclusive";
    public const string NotNegative = "must be greater than or equal to 0";

    /// <summary>A text that has to be there and to follow a rule. (Quite absent, the schema has reported it.)</summary>
    public static IEnumerable<FieldError> Named(Field field, Func<string, string?> rule)
    {
        if (field.IsBlank)
            yield return field.Required();
        else if (field.Text is { } text && rule(text) is { } wrong)
            yield return field.Invalid(wrong);
    }

    /// <summary>A text that may be absent or empty.</summary>
    public static IEnumerable<FieldError> Optional(Field field, Func<string, string?> rule)
    {
        if (field.Text is { Length: > 0 } text && rule(text) is { } wrong)
            yield return field.Invalid(wrong);
    }

    public static IEnumerable<FieldError> Filled(Field field, string detail = "")
    {
        if (field.IsBlank)
            yield return field.Required(detail);
    }

    public static IEnumerable<FieldError> AtLeastZero(Field field)
    {
        if (field.Number < 0)
            yield return field.Invalid(NotNegative);
    }

    public static IEnumerable<FieldError> Between(Field field, long least, long most)
    {
        if (field.Number is { } number && (number < least || number > most))
            yield return field.Invalid($"must be between {least} and {most}, inclusive");
    }

    public static IEnumerable<FieldError> Port(Field field)
    {
        if (field.Number is < 1 or > 65535)
            yield return field.Invalid(PortRange);
    }

    public static IEnumerable<FieldError> PortNumberOrName(Field field)
    {
        if (field.Text is not { } text)
            return Port(field);
        return NameRules.PortName(text) is { } wrong ? [field.Invalid(wrong)] : [];
    }

    public static IEnumerable<FieldError> Address(Field field)
    {
        if (field.Text is { } text && !IsAddress(text))
            yield return field.Invalid("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    }

    // .NET also reads "1" and "0x7f.1" as addresses; Kubernetes wants four parts without leading zeros.
    public static bool IsAddress(string text) =>
        IPAddress.TryParse(text, out var address)
        && (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? !text.Contains('%') && !text.Contains('[') : address.ToString() == text);

    public static IEnumerable<FieldError> Each(this Field list, Func<Field, IEnumerable<FieldError>> rule) => list.Items.SelectMany(rule);

    /// <summary>Equal keys in a list: the second and later ones are duplicates.</summary>
    public static IEnumerable<FieldError> Unique(Field list, string key)
    {
        var seen = new HashSet<string>();
        foreach (var item in list.Items)
        {
            if (item[key].Text is { Length: > 0 } text && !seen.Add(text))
                yield return item[key].Duplicate();
        }
    }

    /// <summary>A relative path that stays inside.</summary>
    public static IEnumerable<FieldError> InnerPath(Field field)
    {
        if (field.Text is not { } path)
            yield break;
        if (path.StartsWith('/'))
            yield return field.Invalid("must be a relative path");
        if (path.Split('/').Contains(".."))
            yield return field.Invalid("must not contain '..'");
    }

    public static IEnumerable<FieldError> FileMode(Field field)
    {
        if (field.Number is < 0 or > 511)
            yield return field.Invalid("must be a number between 0 and 0777 (octal), both inclusive");
    }

    public static IEnumerable<FieldError> Quantity(Field field)
    {
        if (field.Scalar is not { } text)
            yield break;
        if (!Weft.Api.Quantity.TryParse(text, out var amount))
            yield return field.Invalid("must be a quantity: a number with an optional suffix such as m, k, Mi or e3");
        else if (amount.Sign < 0)
            yield return field.Invalid(NotNegative);
    }

    /// <summary>Exactly one of the members that choose a variant.</summary>
    public static IEnumerable<FieldError> OneVariant(Field field, IReadOnlyCollection<string> variants, string what)
    {
        var chosen = variants.Where(variant => field[variant].Exists).ToList();
        if (chosen.Count == 0)
            yield return field.Required($"must specify a {what}");
        foreach (var more in chosen.Skip(1))
            yield return field[more].Forbidden($"may not specify more than 1 {what}");
    }
}
