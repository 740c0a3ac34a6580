using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.Api.Apply;

public enum PathElementKind { Field, Key, Value, Index }

/// <summary>
/// One step of a field path: a member (`f:spec`), a list item by its keys (`k:{"name":"web"}`), a set item by its value (`v:"a"`) or an item by position (`i:0`).
/// Ordered as Kubernetes orders them: members, keys, values, positions.
/// </summary>
public sealed class PathElement : IEquatable<PathElement>, IComparable<PathElement>
{
    private readonly string _text;
    private readonly IReadOnlyList<(string Name, ScalarKey Value)> _values;
    private readonly int _index;

    private PathElement(PathElementKind kind, string text, IReadOnlyList<(string, ScalarKey)> values, int index)
    {
        Kind = kind;
        _text = text;
        _values = values;
        _index = index;
    }

    public PathElementKind Kind { get; }

    /// <summary>The member's name, when it is one.</summary>
    public string? FieldName => Kind == PathElementKind.Field ? _text : null;

    public static PathElement Field(string name) => new(PathElementKind.Field, name, [], 0);

    public static PathElement Index(int index) => new(PathElementKind.Index, "", [], index);

    public static PathElement Value(JsonNode? value)
    {
        var key = ScalarKey.Of(value);
        return new(PathElementKind.Value, key.Json, [("", key)], 0);
    }

    /// <param name="keys">Key fields of the item, in any order.</param>
    public static PathElement Key(IEnumerable<KeyValuePair<string, JsonNode?>> keys)
    {
        (string Name, ScalarKey Value)[] sorted = [.. keys.Select(k => (k.Key, ScalarKey.Of(k.Value)))];
        if (sorted.Length > 1)
            Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        var text = "{";
        foreach (var (name, value) in sorted)
            text = $"{text}{(text.Length > 1 ? "," : "")}{ScalarKey.Of(name).Json}:{value.Json}";
        return new(PathElementKind.Key, text + "}", sorted, 0);
    }

    /// <summary>The key of FieldsV1: `f:spec`, `k:{"name":"web"}`.</summary>
    public string Serialize() => Kind switch
    {
        PathElementKind.Field => "f:" + _text,
        PathElementKind.Key => "k:" + _text,
        PathElementKind.Value => "v:" + _text,
        _ => "i:" + _index,
    };

    /// <summary>Null for a kind of step that is not known: Kubernetes leaves those out, too.</summary>
    /// <exception cref="FieldsException">A known kind in a wrong form.</exception>
    public static PathElement? Parse(string text)
    {
        if (text.Length < 2 || text[1] != ':')
            throw new FieldsException($"\"{text}\" is no field path element");
        var rest = text[2..];
        try
        {
            switch (text[0])
            {
                case 'f':
                    return Field(rest);
                case 'k':
                    return Key(JsonNode.Parse(rest) as JsonObject ?? throw new FieldsException($"\"{text}\" must hold a JSON object"));
                case 'v':
                    return Value(JsonNode.Parse(rest));
                case 'i':
                    return Index(int.Parse(rest, System.Globalization.CultureInfo.InvariantCulture));
                default:
                    return null;
            }
        }
        catch (Exception e) when (e is JsonException or FormatException or OverflowException or ArgumentException)
        {
            throw new FieldsException($"\"{text}\" is no field path element: {e.Message}");
        }
    }

    /// <summary>As conflicts print it: `.spec`, `[name="web"]`, `[="a"]`, `[0]`.</summary>
    public override string ToString() => Kind switch
    {
        PathElementKind.Field => "." + _text,
        PathElementKind.Key => "[" + string.Join(',', _values.Select(v => $"{v.Name}={v.Value.Json}")) + "]",
        PathElementKind.Value => $"[={_text}]",
        _ => $"[{_index}]",
    };

    public bool Equals(PathElement? other) => other is not null && Kind == other.Kind && _index == other._index && _text == other._text;

    public override bool Equals(object? obj) => Equals(obj as PathElement);

    public override int GetHashCode() => HashCode.Combine(Kind, _text, _index);

    public int CompareTo(PathElement? other)
    {
        if (other is null)
            return 1;
        if (Kind != other.Kind)
            return Kind < other.Kind ? -1 : 1;
        switch (Kind)
        {
            case PathElementKind.Field:
                return string.CompareOrdinal(_text, other._text);
            case PathElementKind.Index:
                return _index.CompareTo(other._index);
        }
        for (var i = 0; i < _values.Count && i < other._values.Count; i++)
        {
            var name = string.CompareOrdinal(_values[i].Name, other._values[i].Name);
            if (name != 0)
                return name;
            var value = _values[i].Value.CompareTo(other._values[i].Value);
            if (value != 0)
                return value;
        }
        return _values.Count.CompareTo(other._values.Count);
    }

    /// <summary>A scalar that compares as Kubernetes compares: numbers by size, before texts, before booleans, before the rest.</summary>
    private readonly record struct ScalarKey(int Rank, double Number, string Json) : IComparable<ScalarKey>
    {
        private static readonly SearchValues<char> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/:");

        public static ScalarKey Of(JsonNode? node)
        {
            if (node.AsInteger() is { } whole)
                return new(0, whole, whole.ToString(System.Globalization.CultureInfo.InvariantCulture));
            // Names and label-like values need no escaping, and are nearly all there is.
            if (node.AsText() is { } text && text.AsSpan().IndexOfAnyExcept(Plain) < 0)
                return new(1, 0, $"\"{text}\"");
            var json = Encoding.UTF8.GetString(JsonTree.WriteUtf8(node));
            return node?.GetValueKind() switch
            {
                JsonValueKind.Number => new(0, node.AsNumber() ?? 0, json),
                JsonValueKind.String => new(1, 0, json),
                JsonValueKind.True or JsonValueKind.False => new(2, 0, json),
                _ => new(3, 0, json),
            };
        }

        public int CompareTo(ScalarKey other)
        {
            var rank = Rank.CompareTo(other.Rank);
            if (rank != 0)
                return rank;
            var number = Number.CompareTo(other.Number);
            return number != 0 ? number : string.CompareOrdinal(Json, other.Json);
        }
    }
}
