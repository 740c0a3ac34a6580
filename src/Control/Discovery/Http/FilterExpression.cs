using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Http;

/// <summary>
/// Consul's `?filter=`: `Service.Tags contains "v1" and not (Service.Meta.zone == a)`. Comparisons ==, !=, in, not in, contains, not contains, is empty,
/// is not empty, matches, not matches; and, or, not, parentheses. It looks at the answer's own fields.
/// </summary>
internal sealed class FilterExpression
{
    private const int MaxLength = 2048, MaxDepth = 32;

    private readonly Func<JsonNode, bool> _test;

    private FilterExpression(Func<JsonNode, bool> test) => _test = test;

    /// <exception cref="RegistryException">400, with what was expected.</exception>
    public static FilterExpression Parse(string text)
    {
        if (text.Length > MaxLength)
            throw Bad($"has more than {MaxLength} characters");
        var reader = new Reader(Split(text));
        var test = reader.Or(0);
        return reader.AtEnd ? new(test) : throw Bad($"expects and, or or its end at '{reader.Next}'");
    }

    public bool IsTrue(JsonNode item) => _test(item);

    private static RegistryException Bad(string why) => new(400, $"Failed to create boolean expression evaluator: the filter {why}");

    private static List<string> Split(string text)
    {
        var tokens = new List<string>();
        for (var at = 0; at < text.Length;)
        {
            var c = text[at];
            if (char.IsWhiteSpace(c))
            {
                at++;
            }
            else if (c is '"' or '`')
            {
                var end = at + 1;
                while (end < text.Length && text[end] != c)
                    end += c == '"' && text[end] == '\\' ? 2 : 1;
                if (end >= text.Length)
                    throw Bad("has a text without its end");
                tokens.Add('"' + Regex.Replace(text[(at + 1)..end], c == '"' ? @"\\(.)" : "$^", "$1", RegexOptions.None, TimeSpan.FromMilliseconds(100)));
                at = end + 1;
            }
            else if (c is '(' or ')')
            {
                tokens.Add(c.ToString());
                at++;
            }
            else if (at + 1 < text.Length && text.AsSpan(at, 2) is "==" or "!=")
            {
                tokens.Add(text.Substring(at, 2));
                at += 2;
            }
            else
            {
                var start = at;
                while (at < text.Length && !char.IsWhiteSpace(text[at]) && text[at] is not ('(' or ')' or '"' or '`' or '=' or '!'))
                    at++;
                if (at == start)
                    throw Bad($"cannot be read at '{text[at]}'");
                var word = text[start..at];
                // Service.Meta["a.b"]: the quoted part is one step.
                if (word.EndsWith('[') && at < text.Length && text[at] == '"')
                {
                    var end = text.IndexOf('"', at + 1);
                    if (end < 0 || end + 1 >= text.Length || text[end + 1] != ']')
                        throw Bad("has a '[' without its ']'");
                    word = word[..^1] + ".\0" + text[(at + 1)..end];
                    at = end + 2;
                }

                tokens.Add(word);
            }
        }

        return tokens;
    }

    private sealed class Reader(List<string> tokens)
    {
        private int _at;

        public bool AtEnd => _at >= tokens.Count;

        public string Next => AtEnd ? "" : tokens[_at];

        public Func<JsonNode, bool> Or(int depth)
        {
            if (depth > MaxDepth)
                throw Bad($"is nested deeper than {MaxDepth} levels");
            var left = And(depth);
            while (Take("or"))
            {
                var (a, b) = (left, And(depth));
                left = item => a(item) || b(item);
            }

            return left;
        }

        private Func<JsonNode, bool> And(int depth)
        {
            var left = Not(depth);
            while (Take("and"))
            {
                var (a, b) = (left, Not(depth));
                left = item => a(item) && b(item);
            }

            return left;
        }

        private Func<JsonNode, bool> Not(int depth)
        {
            if (depth > MaxDepth)
                throw Bad($"is nested deeper than {MaxDepth} levels");
            if (Take("not"))
            {
                var inner = Not(depth + 1);
                return item => !inner(item);
            }

            if (!Take("("))
                return Comparison();
            var within = Or(depth + 1);
            return Take(")") ? within : throw Bad("lacks a ')'");
        }

        private Func<JsonNode, bool> Comparison()
        {
            var first = Word("a field or a value");
            if (Take("is"))
            {
                var isNot = Take("not");
                if (!Take("empty"))
                    throw Bad("expects 'empty' after 'is'");
                var field = Selector(first);
                return item => IsEmpty(Find(item, field)) != isNot;
            }

            var negated = Take("not");
            switch (Word("a comparison"))
            {
                case "==" when !negated:
                    return Equal(Selector(first), Value());
                case "!=" when !negated:
                    var differs = Equal(Selector(first), Value());
                    return item => !differs(item);
                case "contains":
                    return Contains(Selector(first), Value(), negated);
                case "in":
                    return Contains(Selector(Word("a field")), first.TrimStart('"'), negated);
                case "matches":
                    return Matches(Selector(first), Value(), negated);
                case var other:
                    throw Bad($"does not know the comparison '{other}'");
            }
        }

        private static Func<JsonNode, bool> Equal(string[] field, string value) => item => Scalar(Find(item, field)) == value;

        private static Func<JsonNode, bool> Contains(string[] field, string value, bool negated) => item => negated != Find(item, field) switch
        {
            JsonArray list => list.Any(element => Scalar(element) == value),
            JsonObject map => map.ContainsKey(value),
            JsonValue text => Scalar(text)?.Contains(value, StringComparison.Ordinal) == true,
            _ => false,
        };

        private static Func<JsonNode, bool> Matches(string[] field, string pattern, bool negated)
        {
            try
            {
                // Without backtracking: the pattern comes from anybody.
                var regex = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(100));
                return item => negated != (Scalar(Find(item, field)) is { } text && regex.IsMatch(text));
            }
            catch (Exception bad) when (bad is ArgumentException or NotSupportedException)
            {
                throw Bad($"has a pattern that is none: {bad.Message}");
            }
        }

        private string Value() => Word("a value").TrimStart('"');

        private string Word(string what) => AtEnd ? throw Bad($"ends where {what} should be") : tokens[_at++];

        private bool Take(string word)
        {
            if (AtEnd || tokens[_at] != word)
                return false;
            _at++;
            return true;
        }

        private static string[] Selector(string text) => text.StartsWith('"') ? throw Bad($"expects a field in place of {text}\"")
            : text.Split(".\0") is [var path, var key] ? [.. path.Split('.'), key] : text.Split('.');

        private static JsonNode? Find(JsonNode item, string[] field)
        {
            JsonNode? node = item;
            foreach (var name in field)
                node = node is JsonObject map ? map[name] : null;
            return node;
        }

        private static bool IsEmpty(JsonNode? node) => node switch { null => true, JsonArray list => list.Count == 0, JsonObject map => map.Count == 0, _ => Scalar(node) is "" };

        private static string? Scalar(JsonNode? node) => node is JsonValue value ? value.TryGetValue<string>(out var text) ? text : value.ToJsonString() : null;
    }
}
