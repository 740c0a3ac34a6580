using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api;

namespace Weft.ApiServer.Strategies;

/// <summary>
/// A value in a tree together with its path, for validation. A wrong type reads as absent: the schema's validation, which runs before, has reported it.
/// The path is put together only when an error asks for it.
/// </summary>
internal sealed class Field
{
    private enum Step { Start, Member, Key, Index }

    private readonly Field? _parent;
    private readonly string _name;
    private readonly int _index;
    private readonly Step _step;

    public Field(JsonNode? value, string path) => (Value, _name, _step) = (value, path, Step.Start);

    private Field(JsonNode? value, Field parent, Step step, string name, int index) => (Value, _parent, _step, _name, _index) = (value, parent, step, name, index);

    public static Field Root(JsonObject tree) => new(tree, "");

    public JsonNode? Value { get; }

    public string Path => _step switch
    {
        Step.Member => _parent!.Path is { Length: > 0 } above ? $"{above}.{_name}" : _name,
        Step.Key => $"{_parent!.Path}[{_name}]",
        Step.Index => $"{_parent!.Path}[{_index}]",
        _ => _name,
    };

    public Field this[string name] => new((Value as JsonObject)?[name], this, Step.Member, name, 0);

    /// <summary>A member of a map with free keys: its path is `labels[app]`.</summary>
    public Field At(string key) => new((Value as JsonObject)?[key], this, Step.Key, key, 0);

    public bool Exists => Value is not null;
    public string? Text => Value is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>The text, or "" when absent.</summary>
    public string TextOrEmpty => Text ?? "";

    /// <summary>There, but empty: what Kubernetes calls a missing value. (Quite absent, the schema has reported it.)</summary>
    public bool IsBlank => Value switch { JsonArray list => list.Count == 0, JsonObject map => map.Count == 0, _ => Text is { Length: 0 } };

    public long? Number => Value switch
    {
        JsonValue value when value.TryGetValue<long>(out var number) => number,
        JsonValue value when value.TryGetValue<int>(out var number) => number,
        JsonValue value when value.TryGetValue<double>(out var number) && Math.Abs(number) < 9e15 && Math.Floor(number) == number => (long)number,
        _ => null,
    };

    public bool? Flag => Value is JsonValue value && value.TryGetValue<bool>(out var flag) ? flag : null;
    public bool IsTrue => Flag == true;

    /// <summary>Quantities may be written as numbers.</summary>
    public string? Scalar => Text ?? (Value is JsonValue value && value.GetValueKind() == JsonValueKind.Number ? value.ToJsonString() : null);

    public int Count => Value switch { JsonArray list => list.Count, JsonObject map => map.Count, _ => 0 };

    public IEnumerable<Field> Items
    {
        get
        {
            if (Value is not JsonArray list)
                yield break;
            for (var i = 0; i < list.Count; i++)
                yield return new(list[i], this, Step.Index, "", i);
        }
    }

    /// <summary>Members of a map with free keys: `limits[cpu]`.</summary>
    public IEnumerable<(string Key, Field Field)> Entries
    {
        get
        {
            if (Value is not JsonObject map)
                yield break;
            foreach (var (key, value) in map)
                yield return (key, new(value, this, Step.Key, key, 0));
        }
    }

    /// <summary>The refused value as messages show it.</summary>
    public string Shown => Show(Value);

    public FieldError Required(string detail = "") => FieldError.Required(Path, detail);
    public FieldError Invalid(string detail) => FieldError.Invalid(Path, Shown, detail);
    public FieldError Forbidden(string detail) => FieldError.Forbidden(Path, detail);
    public FieldError Duplicate() => FieldError.Duplicate(Path, Shown);
    public FieldError NotFound() => new(FieldErrorKind.NotFound, Path, Shown, "");
    public FieldError TooLong(string detail) => new(FieldErrorKind.TooLong, Path, null, detail);
    public FieldError Unsupported(IEnumerable<string> supported) => FieldError.NotSupported(Path, Shown, supported);

    // A spec is not repeated whole in a message.
    private const int MaxShown = 1000;

    public static string Show(JsonNode? value)
    {
        var text = value?.ToJsonString(Relaxed) ?? "null";
        return text.Length <= MaxShown ? text : text[..MaxShown] + "...";
    }

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
