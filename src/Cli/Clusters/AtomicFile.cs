namespace Weft.Cli.Clusters;

/// <summary>Replaces a file so that a reader, or a crash, sees the old or the new content and never a part.</summary>
public static class AtomicFile
{
    public static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        File.Delete(temporary); // of a process that died; CreateNew then follows no link that waits under the name
        try
        {
            using (var file = new FileStream(temporary, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = mode,
            }))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>The same, without a write where the file has this content already: a start on a disk that is full needs no room for it.</summary>
    public static void Update(string path, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        if (!File.Exists(path) || !content.SequenceEqual(File.ReadAllBytes(path)))
            Write(path, content, mode);
        else
            File.SetUnixFileMode(path, mode);
    }
}
