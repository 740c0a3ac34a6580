using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Api.Trees;

internal static class YamlWriter
{
    public static void Write(JsonNode? tree, StringBuilder text)
    {
        switch (tree)
        {
            case JsonObject { Count: > 0 } members: Members(members, 0, text, false); break;
            case JsonArray { Count: > 0 } list: Items(list, 0, text, false); break;
            default: text.Append(Inline(tree, 0)).Append('\n'); break;
        }
    }

    private static void Members(JsonObject members, int indent, StringBuilder text, bool firstIsPlaced)
    {
        foreach (var (name, value) in members)
        {
            if (!firstIsPlaced)
                text.Append(' ', indent);
            firstIsPlaced = false;
            text.Append(Text(name, -1)).Append(':');
            switch (value)
            {
                case JsonObject { Count: > 0 } inner:
                    text.Append('\n');
                    Members(inner, indent + 2, text, false);
                    break;
                case JsonArray { Count: > 0 } list:
                    text.Append('\n');
                    Items(list, indent, text, false);
                    break;
                default:
                    text.Append(' ').Append(Inline(value, indent)).Append('\n');
                    break;
            }
        }
    }

    private static void Items(JsonArray list, int indent, StringBuilder text, bool firstIsPlaced)
    {
        foreach (var item in list)
        {
            if (!firstIsPlaced)
                text.Append(' ', indent);
            firstIsPlaced = false;
            text.Append("- ");
            switch (item)
            {
                case JsonObject { Count: > 0 } inner: Members(inner, indent + 2, text, true); break;
                case JsonArray { Count: > 0 } nested: Items(nested, indent + 2, text, true); break;
                default: text.Append(Inline(item, indent)).Append('\n'); break;
            }
        }
    }

    private static string Inline(JsonNode? value, int indent) => value switch
    {
        null => "null",
        JsonObject => "{}",
        JsonArray => "[]",
        _ when value.GetValueKind() == JsonValueKind.String => Text(value.GetValue<string>(), indent),
        _ => value.ToJsonString(),
    };

    private static string Text(string value, int indent)
    {
        if (indent >= 0 && value.Contains('\n') && CanBeBlock(value))
            return Block(value, indent);
        // Double quotes for what would be read as another type, single ones for what would be read as syntax: kubectl's habit.
        if (YamlScalars.MeansSomethingElse(value) || NeedsDoubleQuotes(value))
            return DoubleQuoted(value);
        return IsPlain(value) ? value : "'" + value.Replace("'", "''", StringComparison.Ordinal) + "'";
    }

    private static bool IsPlain(string value)
    {
        if (value.Length == 0 || char.IsWhiteSpace(value[0]) || char.IsWhiteSpace(value[^1]))
            return false;
        // These start a list item or a key only when a blank follows.
        var mayLead = value[0] is ('-' or '?' or ':') && value.Length > 1 && value[1] != ' ';
        if (!mayLead && ",[]{}#&*!|>'\"%@`-?:".Contains(value[0]))
            return false;
        if (value.StartsWith("---", StringComparison.Ordinal) || value.StartsWith("...", StringComparison.Ordinal))
            return false;
        return !value.Contains(": ", StringComparison.Ordinal) && !value.Contains(" #", StringComparison.Ordinal) && value[^1] != ':';
    }

    private static bool NeedsDoubleQuotes(string value)
    {
        foreach (var c in value)
            if (c < ' ' || c is >= '\u007f' and <= '\u00a0' or '\u2028' or '\u2029' or '\ufeff' or >= '\ud800' and <= '\udfff' or >= '\ufffe')
                return true;
        return false;
    }

    // A block keeps its text as it is; what it cannot hold (leading blanks that would be read as indent, control characters) goes into quotes.
    private static bool CanBeBlock(string value)
    {
        if (value[0] is ' ' or '\n' or '\t')
            return false;
        foreach (var line in value.Split('\n'))
            if (NeedsDoubleQuotes(line.Replace('\t', ' ')) || line.Length > 0 && string.IsNullOrWhiteSpace(line))
                return false;
        return true;
    }

    private static string Block(string value, int indent)
    {
        var chomp = !value.EndsWith('\n') ? "-" : value.EndsWith("\n\n", StringComparison.Ordinal) ? "+" : "";
        var body = new StringBuilder("|").Append(chomp);
        var lines = (value.EndsWith('\n') ? value[..^1] : value).Split('\n');
        foreach (var line in lines)
        {
            body.Append('\n');
            if (line.Length > 0)
                body.Append(' ', indent + 2).Append(line);
        }
        return body.ToString();
    }

    private static string DoubleQuoted(string value)
    {
        var text = new StringBuilder("\"");
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\t' => text.Append("\\t"),
                '\r' => text.Append("\\r"),
                < ' ' or (>= '\u007f' and <= '\u00a0') or '\u2028' or '\u2029' or '\ufeff' or >= '\ufffe' =>
                    text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)),
                _ => text.Append(c),
            };
        }
        return text.Append('"').ToString();
    }
}
