using System.Text.RegularExpressions;
using Weft.Api.Trees;

namespace Weft.Api.Cel.Library;

/// <summary>A named rule for texts.</summary>
/// <param name="Wrong">What is wrong with a text, or null.</param>
internal sealed record CelFormat(string Name, Func<string, string?> Wrong);

/// <summary>Kubernetes' format library: `!format.dns1123Label().validate(self).hasValue()`.</summary>
internal static partial class NamedFormats
{
    private static readonly CelFormat[] Known =
    [
        new("dns1123Label", text => Name(text, 63, Label())),
        new("dns1123Subdomain", text => Name(text, 253, Subdomain())),
        new("dns1035Label", text => Name(text, 63, Label1035())),
        new("dns1123LabelPrefix", text => Name(text.TrimEnd('-'), 63, Label())),
        new("dns1123SubdomainPrefix", text => Name(text.TrimEnd('-'), 253, Subdomain())),
        new("dns1035LabelPrefix", text => Name(text.TrimEnd('-'), 63, Label1035())),
        new("qualifiedName", Qualified),
        new("labelValue", text => text.Length == 0 ? null : Name(text, 63, Value())),
        new("uri", text => Checked("uri", text)),
        new("uuid", text => Checked("uuid", text)),
        new("byte", text => Checked("byte", text)),
        new("date", text => Checked("date", text)),
        new("datetime", text => Checked("datetime", text)),
    ];

    public static IEnumerable<Overload> All =>
    [
        .. Known.Select(format => Overload.Of($"@format.{format.Name}():format", (_, _) => format)),
        Overload.Of("@format.named(string):optional<format>", (_, a) => Array.Find(Known, format => format.Name == (string)a[0]!) is { } found ? CelOptional.Of(found) : CelOptional.None),
        Overload.Of("format.validate(string):optional<list<string>>", (run, a) =>
        {
            run.Charge(1);
            return ((CelFormat)a[0]!).Wrong((string)a[1]!) is { } wrong ? CelOptional.Of(CelList.Of([wrong])) : CelOptional.None;
        }),
    ];

    private static string? Name(string text, int longest, Regex rule) =>
        text.Length > longest ? $"must be no more than {longest} characters" : rule.IsMatch(text) ? null : $"must match {rule}";

    private static string? Qualified(string text)
    {
        var slash = text.LastIndexOf('/');
        if (slash == 0)
            return "prefix part must be non-empty";
        return (slash < 0 ? null : Name(text[..slash], 253, Subdomain())) ?? Name(text[(slash + 1)..], 63, Value());
    }

    private static string? Checked(string format, string text) => Formats.IsValid(format, text) ? null : $"invalid {format}";

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Label();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Subdomain();

    [GeneratedRegex(@"^[a-z]([-a-z0-9]*[a-z0-9])?\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Label1035();

    [GeneratedRegex(@"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Value();
}
