using Weft.Control.Mesh.Telemetries;

namespace Weft.Control.Mesh.Inputs;

/// <summary>What the ConfigMap of the mesh says.</summary>
/// <param name="Settings">Null: it is not taken; with those of telemetry where they can be read.</param>
/// <param name="KeepsTelemetry">What it says of telemetry is not taken.</param>
/// <param name="Problems">What is not taken or has no effect, with its place below the entry.</param>
internal sealed record MeshConfigMap(MeshSettings? Settings, bool KeepsTelemetry, IReadOnlyList<string> Problems)
{
    public const string Name = TelemetryConfigReader.ConfigMap, Key = TelemetryConfigReader.Key;

    /// <param name="usual">Where nothing is said.</param>
    public static MeshConfigMap Read(MeshSettings usual, string text)
    {
        var problems = new List<string>();
        var settings = MeshConfigReader.Read(usual, text, problems);
        var (telemetry, more) = TelemetryConfigReader.Read(text);
        return new MeshConfigMap(settings is not null && telemetry is not null ? settings with { Telemetry = telemetry } : settings, telemetry is null, [.. problems.Concat(more).Distinct()]);
    }
}
