using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Weft.Proxy.Config.Inspection;

/// <summary>What is asked of a node's proxy: one line of JSON on a connection of its own, answered by lines of JSON until the connection ends.</summary>
/// <param name="Do">`tap`, `records`, `metrics`, `explain`.</param>
public sealed record InspectionOrder(string? Do)
{
    /// <summary>A question with many header fields is the longest.</summary>
    public const int LongestLine = 64 << 10;

    /// <summary>Of `tap` and `records`; null: all.</summary>
    public RequestFilter? Filter { get; init; }

    /// <summary>Of `records`: so many, the newest.</summary>
    public int Limit { get; init; } = 1000;

    /// <summary>Of `explain`.</summary>
    public ExplainQuestion? Question { get; init; }
}

/// <summary>One line of an answer: one of these.</summary>
public sealed record InspectionLine
{
    /// <summary>Whose line it is.</summary>
    public string Node { get; init; } = "";

    public ObservedRequest? Request { get; init; }

    /// <summary>Requests that are missing here: the reader, or the proxy's own log, was too slow for them.</summary>
    public long? Dropped { get; init; }

    /// <summary>Prometheus' text format 0.0.4.</summary>
    public string? Metrics { get; init; }

    public Explanation? Explanation { get; init; }

    /// <summary>Why there is no answer of this node, or no more.</summary>
    public string? Error { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(InspectionOrder))]
[JsonSerializable(typeof(InspectionLine))]
[JsonSerializable(typeof(ExplainQuestion))]
public sealed partial class InspectionJson : JsonSerializerContext
{
    /// <summary>For lines: what is printed for people is not HTML.</summary>
    public static InspectionJson Lines { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
