using System.Text.Json;
using Weft.Cli.Processes;

namespace Weft.Cli.Clusters;

public enum ServerPhase { Starting, Api, Ready, Failed }

/// <summary>How far the server of a cluster has come; `weft up` shows it, `weft status` reads it. Rewritten by the server at each step.</summary>
/// <param name="Message">With <see cref="ServerPhase.Failed"/>: the sentence for the user.</param>
public sealed record ServerState(ProcessIdentity Process, ServerPhase Phase, string Message)
{
    public static ServerState? Load(string path) => StateFile.Load(path, ClusterJson.Default.ServerState);

    public void Save(string path) =>
        AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, ClusterJson.Default.ServerState), StateFile.Mode);
}

internal static class StateFile
{
    /// <summary>Anyone may see that a cluster runs; nothing secret is in there.</summary>
    internal const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    internal static T? Load<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null; // a state file only speeds things up: without it the process table is asked
        }
    }
}
