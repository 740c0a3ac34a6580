using System.Globalization;
using System.Text.Json;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Http;

/// <summary>A JSON object as clients of Consul write it: names of fields in any case and with or without underscores, durations as Go's text or as nanoseconds.</summary>
internal sealed class BodyReader(JsonElement element, string path = "")
{
    public const int MaxDepth = 16;

    /// <exception cref="RegistryException">400, with the place.</exception>
    public static BodyReader Parse(ReadOnlyMemory<byte> body)
    {
        var root = Document(body.Length == 0 ? "{}"u8.ToArray() : body);
        return root.ValueKind == JsonValueKind.Object ? new(root) : throw new RegistryException(400, "Request decode failed: the body is no JSON object");
    }

    /// <summary>A body that is a list of objects.</summary>
    /// <exception cref="RegistryException">400, with the place.</exception>
    public static IReadOnlyList<BodyReader> ParseList(ReadOnlyMemory<byte> body)
    {
        var root = Document(body);
        return root.ValueKind == JsonValueKind.Array && root.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object)
            ? [.. root.EnumerateArray().Select((item, i) => new BodyReader(item, string.Create(CultureInfo.InvariantCulture, $"[{i}].")))]
            : throw new RegistryException(400, "Request decode failed: the body is no list of JSON objects");
    }

    private static JsonElement Document(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return document.RootElement.Clone();
        }
        catch (JsonException bad)
        {
            throw new RegistryException(400, $"Request decode failed: {bad.Message}");
        }
    }

    public string Text(params ReadOnlySpan<string> names) => Find(out var at, names) is not { } value ? "" : value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number => value.GetRawText(),
        _ => throw Bad(at, "is no string"),
    };

    public bool Flag(params ReadOnlySpan<string> names) => Find(out var at, names) is not { } value ? false : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String => value.GetString() is "true" or "1",
        _ => throw Bad(at, "is neither true nor false"),
    };

    public int Number(int least, int most, int otherwise, params ReadOnlySpan<string> names)
    {
        if (Find(out var at, names) is not { } value)
            return otherwise;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out var number))
            throw Bad(at, "is no whole number");
        return number >= least && number <= most ? number : throw Bad(at, $"is {number}; {least} to {most}");
    }

    public TimeSpan? Duration(params ReadOnlySpan<string> names)
    {
        if (Find(out var at, names) is not { } value || value is { ValueKind: JsonValueKind.String } && value.GetString() is "")
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var nanoseconds))
            return TimeSpan.FromTicks(nanoseconds / 100);
        return value.ValueKind == JsonValueKind.String && GoDuration.Parse(value.GetString()!) is { } duration ? duration : throw Bad(at, "is no duration such as 10s or 1m30s");
    }

    public IReadOnlyList<string> Texts(params ReadOnlySpan<string> names)
    {
        if (Find(out var at, names) is not { } value)
            return [];
        if (value.ValueKind != JsonValueKind.Array)
            throw Bad(at, "is no list");
        return [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Bad(at, "has an item that is no string"))];
    }

    public IReadOnlyDictionary<string, string> Map(params ReadOnlySpan<string> names)
    {
        var map = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in Fields(names))
            map[name] = value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad(name, "is no string");
        return map;
    }

    public IReadOnlyDictionary<string, IReadOnlyList<string>> Lists(params ReadOnlySpan<string> names)
    {
        var map = new SortedDictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var (name, value) in Fields(names))
            map[name] = value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) ? [.. value.EnumerateArray().Select(item => item.GetString()!)] : throw Bad(name, "is no list of strings");
        return map;
    }

    public IEnumerable<KeyValuePair<string, BodyReader>> Objects(params ReadOnlySpan<string> names)
    {
        var read = new List<KeyValuePair<string, BodyReader>>();
        foreach (var (name, value) in Fields(names))
            read.Add(new(name, value.ValueKind == JsonValueKind.Object ? new(value, $"{path}{name}.") : throw Bad(name, "is no object")));
        return read;
    }

    /// <summary>Null when it is not there.</summary>
    public BodyReader? Object(params ReadOnlySpan<string> names) => Find(out var at, names) is not { } value ? null
        : value.ValueKind == JsonValueKind.Object ? new BodyReader(value, at + ".") : throw Bad(at, "is no object");

    public IReadOnlyList<BodyReader> List(params ReadOnlySpan<string> names)
    {
        if (Find(out var at, names) is not { } value)
            return [];
        if (value.ValueKind != JsonValueKind.Array)
            throw Bad(at, "is no list");
        var prefix = path;
        return [.. value.EnumerateArray().Select((item, i) => item.ValueKind == JsonValueKind.Object ? new BodyReader(item, string.Create(CultureInfo.InvariantCulture, $"{prefix}{at}[{i}].")) : throw Bad(at, "has an item that is no object"))];
    }

    private IEnumerable<(string Name, JsonElement Value)> Fields(ReadOnlySpan<string> names)
    {
        if (Find(out var at, names) is not { } value)
            return [];
        return value.ValueKind == JsonValueKind.Object ? value.EnumerateObject().Select(field => (field.Name, field.Value)) : throw Bad(at, "is no object");
    }

    private JsonElement? Find(out string at, ReadOnlySpan<string> names)
    {
        at = names[0];
        foreach (var field in element.EnumerateObject())
        {
            foreach (var name in names)
            {
                if (field.Value.ValueKind == JsonValueKind.Null || !field.Name.Replace("_", "", StringComparison.Ordinal).Equals(name, StringComparison.OrdinalIgnoreCase))
                    continue;
                at = field.Name;
                return field.Value;
            }
        }

        return null;
    }

    private RegistryException Bad(string at, string why) => new(400, $"Request decode failed: {path}{at} {why}");
}

/// <summary>Durations as Go writes them: `1h30m`, `1.5s`, `100ms`.</summary>
internal static class GoDuration
{
    public static TimeSpan? Parse(string text)
    {
        var rest = text.AsSpan().Trim();
        if (rest is "0")
            return TimeSpan.Zero;
        var total = 0.0;
        if (rest.IsEmpty)
            return null;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return null;
            rest = rest[digits..];
            var letters = rest.IndexOfAny("0123456789.");
            var unit = letters < 0 ? rest : rest[..letters];
            double seconds = unit switch { "h" => 3600, "m" => 60, "s" => 1, "ms" => 1e-3, "us" or "µs" => 1e-6, "ns" => 1e-9, _ => 0 };
            if (seconds == 0)
                return null;
            total += number * seconds;
            rest = rest[unit.Length..];
        }

        // A century is longer than any of these is for, and still far from what overflows.
        return total <= 100.0 * 365 * 86400 ? TimeSpan.FromSeconds(total) : null;
    }

    public static string Format(TimeSpan value) => value == TimeSpan.Zero ? "0s"
        : value.Ticks % TimeSpan.TicksPerSecond == 0 ? string.Create(CultureInfo.InvariantCulture, $"{value.Ticks / TimeSpan.TicksPerSecond}s") : string.Create(CultureInfo.InvariantCulture, $"{value.TotalMilliseconds:0.###}ms");
}
