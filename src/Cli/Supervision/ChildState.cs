using System.Text.Json;
using Weft.Cli.Clusters;
using Weft.Cli.Processes;

namespace Weft.Cli.Supervision;

/// <summary>What the supervisor knows of one child; `weft status` shows it.</summary>
/// <param name="Process">Null while it does not run.</param>
/// <param name="Restarts">How often it was started after the first time.</param>
/// <param name="LastEnd">Why it ended last, or cannot be started; null when neither ever happened.</param>
public sealed record ChildState(string Name, ProcessIdentity? Process, int Restarts, string? LastEnd)
{
    public static IReadOnlyList<ChildState> Load(ClusterPaths paths) => StateFile.Load(paths.ChildrenFile, ClusterJson.Default.ChildStateArray) ?? [];

    internal static void Save(string path, IEnumerable<ChildState> states) =>
        AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(states.ToArray(), ClusterJson.Default.ChildStateArray), StateFile.Mode);
}
