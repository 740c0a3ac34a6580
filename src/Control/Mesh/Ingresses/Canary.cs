using System.Text.RegularExpressions;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>Which requests of another Ingress' paths go to this one's services: by field, then by cookie, then by chance.</summary>
/// <param name="Always">One of these matches sends a request here.</param>
/// <param name="Never">One of these keeps it there.</param>
/// <param name="Weight">Of <paramref name="Total"/>.</param>
internal sealed record Canary(ValueList<NamedMatch> Always, ValueList<NamedMatch> Never, int Weight, int Total)
{
    /// <summary>Null: it is none.</summary>
    public static Canary? Read(IngressAnnotations annotations)
    {
        var isCanary = annotations.Flag("canary");
        var header = annotations.Text("canary-by-header");
        var value = annotations.Text("canary-by-header-value");
        var pattern = annotations.Text("canary-by-header-pattern");
        var cookie = annotations.Text("canary-by-cookie");
        var total = annotations.Number("canary-weight-total", 1, 1_000_000) ?? 100;
        var weight = annotations.Number("canary-weight", 0, total) ?? 0;
        if (!isCanary)
            return null;
        var (always, never) = (new List<NamedMatch>(), new List<NamedMatch>());
        if (header is not null && HeaderTexts.IsFieldName(header, annotations.Field("canary-by-header"), annotations.Problems))
        {
            var name = header.ToLowerInvariant();
            if (value is not null)
                always.Add(new(name, StringMatch.Exact(value)));
            else if (pattern is not null && Patterns.IsLinear(pattern, annotations.Field("canary-by-header-pattern"), annotations.Problems))
                always.Add(new(name, StringMatch.Regex($".*(?:{pattern}).*")));
            else if (pattern is null)
            {
                always.Add(new(name, StringMatch.Exact("always")));
                never.Add(new(name, StringMatch.Exact("never")));
            }
        }

        if (cookie is not null && HeaderTexts.IsToken(cookie))
        {
            always.Add(Cookie(cookie, "always"));
            never.Add(Cookie(cookie, "never"));
        }

        return new(always.ToValueList(), never.ToValueList(), weight, total);
    }

    // A cookie is no condition of its own: it is looked for in the field (RFC 6265 section 4.2.1).
    private static NamedMatch Cookie(string name, string value) => new("cookie", StringMatch.Regex($"(.*; ?)?{Regex.Escape(name)}={value}(;.*)?"));
}
