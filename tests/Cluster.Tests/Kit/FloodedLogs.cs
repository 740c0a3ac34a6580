namespace Weft.Cluster.Tests.Kit;

/// <summary>The log files of a pod's container `main` on disk, looked at while it writes.</summary>
internal sealed class FloodedLogs(string dataDir, string podUid)
{
    internal const long FileBytes = 10 * 1024 * 1024;

    /// <summary>
    /// Five files of 10 MiB (docs/guide/container-pods.md), and what a flood writes before it is noticed: a file is looked at ten times a second, on a machine
    /// that has no time for it less often. Six times the bound; without an end a flood writes this much in seconds.
    /// </summary>
    internal const long Bound = 6 * 5 * FileBytes;

    private readonly HashSet<DateTime> _rotations = [];
    private string? _directory;

    internal long Most { get; private set; }

    /// <returns>How many rotations have been seen.</returns>
    internal int Look()
    {
        _directory ??= Directory.EnumerateDirectories(dataDir, podUid, new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 6 }).Select(pod => Path.Combine(pod, "containers", "main")).First(Directory.Exists);
        var files = new DirectoryInfo(_directory).GetFiles("*.log*");
        Most = Math.Max(Most, files.Sum(Length));
        if (files.FirstOrDefault(file => file.Name == "0.log.1") is { Exists: true } last)
            _rotations.Add(last.LastWriteTimeUtc);
        return _rotations.Count;
    }

    private static long Length(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0; // moved on meanwhile
        }
    }
}
