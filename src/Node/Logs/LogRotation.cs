namespace Weft.Node.Logs;

/// <summary>
/// Keeps a container's log within 5 files of 10 MiB (the kubelet's figures): `0.log` is being written, `0.log.1` was before it, `0.log.4` is the oldest. A flood writes
/// more into a file before it is noticed; then fewer files are kept, so that it stays with the bytes.
/// </summary>
internal static class LogRotation
{
    public const long MaxBytes = 10 * 1024 * 1024;
    private const int MaxFiles = 5;

    public static bool IsDue(string path)
    {
        var file = new FileInfo(path);
        return file.Exists && file.Length >= MaxBytes;
    }

    /// <summary>Moves the files up by one; the runtime must be told to reopen after it.</summary>
    public static void Shift(string path)
    {
        File.Delete($"{path}.{MaxFiles - 1}");
        for (var i = MaxFiles - 2; i >= 1; i--)
        {
            if (File.Exists($"{path}.{i}"))
                File.Move($"{path}.{i}", $"{path}.{i + 1}", overwrite: true);
        }
        File.Move(path, $"{path}.1", overwrite: true);
        DropBeyond(path);
    }

    // The last one stays however large it is: it has what led to now.
    private static void DropBeyond(string path)
    {
        var left = (MaxFiles - 1) * MaxBytes;
        for (var i = 1; i < MaxFiles; i++)
        {
            var file = new FileInfo($"{path}.{i}");
            if (!file.Exists)
                continue;
            left -= file.Length;
            if (i > 1 && left < 0)
                file.Delete();
        }
    }
}
