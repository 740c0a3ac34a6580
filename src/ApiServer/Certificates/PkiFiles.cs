using System.Text;

namespace Weft.ApiServer.Certificates;

/// <summary>
/// Files of keys: readable by their owner alone, replaced as a whole. A key and its certificate stand in one file, so that no crash can pair
/// the key of one life with the certificate of another.
/// </summary>
internal static class PkiFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    internal static void CreateDirectory(string path)
    {
        const UnixFileMode mode = OwnerOnly | UnixFileMode.UserExecute;
        Directory.CreateDirectory(path, mode);
        File.SetUnixFileMode(path, mode);
    }

    /// <summary>The file's text, or null when there is none.</summary>
    internal static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    internal static void Write(string path, string text)
    {
        // A fixed name: what a crash leaves behind is overwritten by the next attempt, and a data directory has one server.
        var temporary = path + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        };
        using (var stream = new FileStream(temporary, options))
        {
            stream.Write(Encoding.ASCII.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
