using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.ApiServer.Tables;

/// <summary>
/// The JSON paths of printer columns: `.spec.replicas`, `.metadata.annotations['a/b']` or `.a\.b`, `[0]`, `[*]`, and the one filter in use,
/// `[?(@.type=="Ready")]`. Anything else finds nothing.
/// </summary>
internal sealed class SimplePath
{
    private readonly List<Func<JsonNode, IEnumerable<JsonNode?>>> _steps = [];

    internal static SimplePath? Parse(string text)
    {
        var path = new SimplePath();
        var at = text.StartsWith('$') ? 1 : 0;
        while (at < text.Length)
        {
            var read = text[at] switch
            {
                '.' => path.Member(text, at + 1),
                '[' => path.Bracket(text, at + 1),
                _ => -1,
            };
            if (read < 0)
                return null;
            at = read;
        }

        return path;
    }

    internal IEnumerable<JsonNode> Find(JsonNode root)
    {
        IEnumerable<JsonNode> found = [root];
        foreach (var step in _steps)
            found = found.SelectMany(step).OfType<JsonNode>();
        return found;
    }

    private int Member(string text, int at)
    {
        var name = new System.Text.StringBuilder();
        for (; at < text.Length && text[at] is not ('.' or '['); at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length)
                at++;
            name.Append(text[at]);
        }

        if (name.Length > 0)
            AddMember(name.ToString());
        return at;
    }

    private int Bracket(string text, int at)
    {
        var quote = at < text.Length ? text[at] : ' ';
        if (quote is '\'' or '"')
        {
            var close = text.IndexOf(quote, at + 1);
            if (close < 0 || close + 1 >= text.Length || text[close + 1] != ']')
                return -1;
            AddMember(text[(at + 1)..close]);
            return close + 2;
        }

        var end = text.IndexOf(']', at);
        if (end < 0)
            return -1;
        var inner = text[at..end];
        if (inner == "*")
            _steps.Add(n => n is JsonArray all ? all : n is JsonObject members ? members.Select(m => m.Value) : []);
        else if (int.TryParse(inner, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
            _steps.Add(n => n is JsonArray all && (index < 0 ? all.Count + index : index) is var i && i >= 0 && i < all.Count ? [all[i]] : []);
        else if (!AddFilter(inner))
            return -1;
        return end + 1;
    }

    private bool AddFilter(string inner)
    {
        if (!inner.StartsWith("?(@.", StringComparison.Ordinal) || !inner.EndsWith(')'))
            return false;
        var parts = inner[4..^1].Split("==", 2, StringSplitOptions.TrimEntries);
        if (parts.Length != 2 || parts[1].Length < 2 || parts[1][0] is not ('"' or '\'') || parts[1][^1] != parts[1][0])
            return false;
        var (name, wanted) = (parts[0], parts[1][1..^1]);
        _steps.Add(n => n is JsonArray all ? all.Where(e => e is JsonObject o && o[name] is JsonValue v && v.ToString() == wanted) : []);
        return true;
    }

    private void AddMember(string name) => _steps.Add(n => n is JsonObject members && members.TryGetPropertyValue(name, out var value) ? [value] : []);
}
