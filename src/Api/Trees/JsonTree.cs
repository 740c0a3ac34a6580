using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Weft.Api.Trees;

/// <summary>JSON text to a tree and back. Absent, null and empty stay different; numbers keep their text.</summary>
public static class JsonTree
{
    /// <exception cref="TreeException">Not JSON, or beyond <paramref name="limits"/>.</exception>
    public static ParsedTree Parse(ReadOnlySpan<byte> utf8, TreeLimits? limits = null)
    {
        try
        {
            var numbers = Check(utf8, limits ?? TreeLimits.Default);
            return Build(utf8, numbers);
        }
        catch (JsonException e)
        {
            // The message ends in a place of its own, counted from 0.
            var problem = e.Message;
            var place = problem.IndexOf(" LineNumber:", StringComparison.Ordinal);
            throw new TreeException("invalid JSON: " + (place < 0 ? problem : problem[..place]).TrimEnd('.'),
                (e.LineNumber ?? 0) + 1, (e.BytePositionInLine ?? 0) + 1, e);
        }
    }

    public static byte[] WriteUtf8(JsonNode? tree)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        WriteUtf8(tree, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    public static void WriteUtf8(JsonNode? tree, IBufferWriter<byte> output)
    {
        // Relaxed escaping: the output is never put into HTML, and `<` stays readable in the store.
        using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
        if (tree is null)
            writer.WriteNullValue();
        else
            tree.WriteTo(writer);
        writer.Flush();
    }

    // The first pass applies the limits and collects the numbers. They are then parsed as one document, because a JsonElement keeps the text of a number and
    // converts to any numeric type, but one document for each would cost 200 bytes a number.
    private static JsonElement Check(ReadOnlySpan<byte> utf8, TreeLimits limits)
    {
        if (!Utf8.IsValid(utf8))
            throw new TreeException("the text is not valid UTF-8", 1, 1);

        // One more than the limit: it is this method, not the reader, that reports it.
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = limits.MaxDepth + 1 });
        ArrayBufferWriter<byte>? numbers = null;
        var nodes = 0;
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray when reader.CurrentDepth >= limits.MaxDepth:
                    throw At($"nested deeper than {limits.MaxDepth} levels", utf8, reader.TokenStartIndex);
                case JsonTokenType.Number:
                    numbers ??= new ArrayBufferWriter<byte>();
                    numbers.Write(numbers.WrittenCount == 0 ? "["u8 : ","u8);
                    numbers.Write(reader.ValueSpan);
                    break;
                case JsonTokenType.PropertyName or JsonTokenType.EndObject or JsonTokenType.EndArray:
                    continue;
            }
            if (++nodes > limits.MaxNodes)
                throw At($"more than {limits.MaxNodes} values in one document", utf8, reader.TokenStartIndex);
        }
        if (numbers is null)
            return default;

        numbers.Write("]"u8);
        var all = new Utf8JsonReader(numbers.WrittenSpan);
        return JsonElement.ParseValue(ref all);
    }

    private static ParsedTree Build(ReadOnlySpan<byte> utf8, JsonElement numbers)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = int.MaxValue });
        var open = new Stack<(JsonNode Container, string? Name)>();
        List<string>? duplicates = null;
        JsonNode? root = null;
        JsonNode? current = null;
        string? name = null;
        var nextNumber = 0;
        while (reader.Read())
        {
            JsonNode? value;
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    name = Text(ref reader, utf8);
                    continue;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    (current, name) = Close(open);
                    continue;
                case JsonTokenType.StartObject: value = new JsonObject(); break;
                case JsonTokenType.StartArray: value = new JsonArray(); break;
                case JsonTokenType.String: value = JsonValue.Create(Text(ref reader, utf8)); break;
                case JsonTokenType.Number: value = JsonValue.Create(numbers[nextNumber++]); break;
                case JsonTokenType.True: value = JsonValue.Create(true); break;
                case JsonTokenType.False: value = JsonValue.Create(false); break;
                default: value = null; break;
            }

            if (current is JsonArray array)
                array.Add(value);
            else if (current is JsonObject members)
            {
                if (members.ContainsKey(name!) && (duplicates?.Count ?? 0) < ParsedTree.MaxDuplicates)
                    (duplicates ??= []).Add(PathOf(open, name!));
                members[name!] = value;
            }
            else
                root = value;

            if (value is JsonObject or JsonArray)
            {
                open.Push((current!, name));
                (current, name) = (value, null);
            }
        }
        return new ParsedTree(root, duplicates?.Distinct().ToList() ?? []);
    }

    private static (JsonNode? Container, string? Name) Close(Stack<(JsonNode Container, string? Name)> open)
    {
        var (container, _) = open.Pop();
        return (container, null);
    }

    private static string Text(ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw At("the string has half of a surrogate pair", utf8, reader.TokenStartIndex);
        }
    }

    private static string PathOf(Stack<(JsonNode Container, string? Name)> open, string name)
    {
        var path = new FieldPath();
        foreach (var (container, member) in open.Reverse())
        {
            if (container is JsonArray list)
                path.Push(list.Count - 1);
            else if (container is JsonObject)
                path.Push(member!);
        }
        return path.Child(name);
    }

    private static TreeException At(string problem, ReadOnlySpan<byte> utf8, long offset)
    {
        var before = utf8[..(int)offset];
        var line = before.Count((byte)'\n') + 1;
        return new TreeException(problem, line, before.Length - before.LastIndexOf((byte)'\n'));
    }
}
