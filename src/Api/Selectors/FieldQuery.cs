using System.Text;

namespace Weft.Api.Selectors;

/// <summary>One term of a field selector: `metadata.name=web`, `status.phase!=Running`.</summary>
public sealed record FieldRequirement(string Field, string Value, bool Negated)
{
    public override string ToString() => $"{Field}{(Negated ? "!=" : "=")}{FieldQuery.Escape(Value)}";
}

/// <summary>The text of `fieldSelector=`, ready to match. Which fields a kind offers is the kind's affair: <see cref="Matches"/> asks for their values.</summary>
public sealed class FieldQuery
{
    public static readonly FieldQuery Everything = new([]);

    private FieldQuery(IReadOnlyList<FieldRequirement> requirements) => Requirements = requirements;

    public IReadOnlyList<FieldRequirement> Requirements { get; }

    public bool IsEverything => Requirements.Count == 0;

    /// <summary>The value that the selector demands of a field (`metadata.name`), or null: lets a list become a get.</summary>
    public string? RequiredValue(string field) => Requirements.FirstOrDefault(r => r.Field == field && !r.Negated)?.Value;

    /// <exception cref="SelectorException">With Kubernetes' message.</exception>
    public static FieldQuery Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return Everything;

        var requirements = new List<FieldRequirement>();
        foreach (var term in Terms(text))
        {
            if (term.Length == 0)
                continue;
            var at = term.IndexOfAny(['=', '!']);
            if (at < 0 || term[at] == '!' && (at + 1 == term.Length || term[at + 1] != '='))
                throw new SelectorException($"invalid selector: '{text}'; can't understand '{term}'");
            var negated = term[at] == '!';
            var length = negated || at + 1 < term.Length && term[at + 1] == '=' ? 2 : 1;
            requirements.Add(new(term[..at], Unescape(term[(at + length)..], text), negated));
        }
        return requirements.Count == 0 ? Everything : new(requirements);
    }

    public static FieldQuery FromRequirements(IEnumerable<FieldRequirement> requirements) => new([.. requirements]);

    /// <param name="value">Reads a field of the object; an object that lacks it has the empty value.</param>
    public bool Matches(Func<string, string> value)
    {
        foreach (var requirement in Requirements)
            if (value(requirement.Field) == requirement.Value == requirement.Negated)
                return false;
        return true;
    }

    public override string ToString() => string.Join(',', Requirements);

    internal static string Escape(string value) =>
        value.Replace(@"\", @"\\", StringComparison.Ordinal).Replace(",", @"\,", StringComparison.Ordinal).Replace("=", @"\=", StringComparison.Ordinal);

    // A comma after a backslash belongs to the value.
    private static IEnumerable<string> Terms(string text)
    {
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
                i++;
            else if (text[i] == ',')
            {
                yield return text[start..i];
                start = i + 1;
            }
        }
        yield return text[start..];
    }

    private static string Unescape(string value, string selector)
    {
        if (value.AsSpan().IndexOfAny("\\,=") < 0)
            return value;

        var plain = new StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (c == '\\')
            {
                if (++i == value.Length || value[i] is not ('\\' or ',' or '='))
                    throw new SelectorException($"invalid selector: '{selector}'; can't understand '{value}': invalid escape sequence");
                c = value[i];
            }
            else if (c is ',' or '=')
                throw new SelectorException($"invalid selector: '{selector}'; can't understand '{value}': unescaped character in value: {c}");
            plain.Append(c);
        }
        return plain.ToString();
    }
}
