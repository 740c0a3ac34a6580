using System.Globalization;

namespace Weft.Cli.Processes;

/// <summary>Finds which process listens on a TCP port, to say it instead of "address in use".</summary>
public static class PortHolder
{
    /// <summary>`nginx (pid 812)`, or null when nobody listens there. A holder that may not be seen is `another process`.</summary>
    public static string? Find(int port)
    {
        var inodes = ListeningInodes("/proc/net/tcp", port).Concat(ListeningInodes("/proc/net/tcp6", port)).ToHashSet();
        if (inodes.Count == 0)
            return null;

        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out var pid) && Holds(directory, inodes))
                return $"{CommandOf(directory)} (pid {pid})";
        }

        return "another process";
    }

    // Columns of /proc/net/tcp (proc(5)): sl, local address as HEX:PORT, remote, state (0A = LISTEN), ..., inode as the tenth.
    private static IEnumerable<string> ListeningInodes(string table, int port)
    {
        if (!File.Exists(table))
            yield break;
        foreach (var line in File.ReadLines(table).Skip(1))
        {
            var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns[3] == "0A" && int.Parse(columns[1].AsSpan(columns[1].IndexOf(':') + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture) == port)
                yield return $"socket:[{columns[9]}]";
        }
    }

    private static bool Holds(string process, HashSet<string> inodes)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd")).Any(fd => Target(fd) is { } target && inodes.Contains(target));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false; // it ended while we looked, or is not ours to see
        }
    }

    private static string CommandOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "comm")).Trim();
        }
        catch (IOException)
        {
            return "a process that has just ended";
        }
    }

    // One descriptor that closes meanwhile says nothing of the others.
    private static string? Target(string descriptor)
    {
        try
        {
            return File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.Name;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
