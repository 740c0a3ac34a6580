namespace Weft.Node.Runtime.Process;

internal static class PathRules
{
    /// <summary>True for the directory itself and everything below it. Both absolute.</summary>
    public static bool IsWithin(string path, string directory)
    {
        var parent = directory.TrimEnd('/');
        return path.StartsWith(parent, StringComparison.Ordinal) && (path.Length == parent.Length || path[parent.Length] == '/');
    }

    /// <summary>
    /// Each pod has a /tmp of its own, but a command may itself live in the machine's /tmp (a build, a checkout). The directories of existing
    /// files under /tmp that the command line or the working directory names stay visible, read only.
    /// </summary>
    public static IReadOnlyList<string> VisibleTemporary(IEnumerable<string> commandLine, string? workingDirectory, Func<string, bool> fileExists, Func<string, bool> directoryExists)
    {
        var visible = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var argument in commandLine.Append(workingDirectory ?? ""))
        {
            if (!argument.StartsWith("/tmp/", StringComparison.Ordinal) || argument.Contains('\0', StringComparison.Ordinal))
                continue;
            var path = Path.GetFullPath(argument);
            if (!IsWithin(path, "/tmp") || path == "/tmp")
                continue;
            if (directoryExists(path))
                visible.Add(path);
            else if (fileExists(path))
                visible.Add(Path.GetDirectoryName(path) is { } parent && parent != "/tmp" ? parent : path);
        }

        // A path below another visible one needs no mount of its own.
        return [.. visible.Where(path => !visible.Any(other => other != path && IsWithin(path, other)))];
    }
}
