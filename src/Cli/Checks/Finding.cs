using System.Text.Json.Serialization;

namespace Weft.Cli.Checks;

public enum Verdict { Ok, Warn, Fail }

/// <summary>One thing that was looked at on the machine.</summary>
/// <param name="Area">What it belongs to: kernel, packages, network, ...</param>
/// <param name="Message">What was found.</param>
/// <param name="Advice">What to do; null when nothing is to be done.</param>
public sealed record Finding(string Area, Verdict Verdict, string Message, string? Advice = null)
{
    public static Finding Ok(string area, string message) => new(area, Verdict.Ok, message);
    public static Finding Warn(string area, string message, string advice) => new(area, Verdict.Warn, message, advice);
    public static Finding Fail(string area, string message, string advice) => new(area, Verdict.Fail, message, advice);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<Finding>))]
internal sealed partial class FindingJson : JsonSerializerContext;
