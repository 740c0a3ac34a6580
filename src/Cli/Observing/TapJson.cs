using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Weft.Proxy.Config.Inspection;

namespace Weft.Cli.Observing;

/// <summary>What the commands print as JSON.</summary>
[JsonSerializable(typeof(ObservedRequest))]
[JsonSerializable(typeof(Explanation))]
[JsonSerializable(typeof(WhyAnswer))]
[JsonSerializable(typeof(TopRow[]))]
internal sealed partial class TapJson : JsonSerializerContext
{
    public static TapJson Readable { get; } = new(Written(false));

    public static TapJson Indented { get; } = new(Written(true));

    private static JsonSerializerOptions Written(bool indented) => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = indented,
    };
}
