using System.Text.Json;
using System.Text.Json.Serialization;

namespace Weft.Cli.Clusters;

/// <summary>What was decided when the cluster was made, and holds for its life. Stored beside its data.</summary>
/// <param name="PodCidr">Addresses of the pods of this machine.</param>
public sealed record ClusterSettings(int ApiPort, string PodCidr, string ServiceCidr)
{
    /// <summary>Loopback port of the image registry. 0: not chosen yet, the server does at its start.</summary>
    public int RegistryPort { get; init; }

    /// <summary>Of the file: a newer one is refused instead of misread.</summary>
    public int Format { get; init; } = 1;

    public static ClusterSettings? Load(string path)
    {
        if (!File.Exists(path))
            return null;
        var settings = JsonSerializer.Deserialize(File.ReadAllBytes(path), ClusterJson.Default.ClusterSettings)
            ?? throw new InvalidDataException($"{path} is empty; remove it, or restore it from a backup");
        return settings.Format <= 1
            ? settings
            : throw new InvalidDataException($"{path} has format {settings.Format}, made by a newer weft; this one reads format 1");
    }

    public void Save(string path) => AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, ClusterJson.Default.ClusterSettings), StateFile.Mode);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ClusterSettings))]
[JsonSerializable(typeof(ServerState))]
[JsonSerializable(typeof(Processes.ProcessIdentity))]
[JsonSerializable(typeof(Supervision.ChildState[]))]
internal sealed partial class ClusterJson : JsonSerializerContext;
