namespace Weft.Cli.Supervision;

/// <summary>
/// Keeps the cluster's log bounded: when it is large, its content becomes `weft.log.1` and it starts anew. The server and the supervisor hold the
/// file open for appending, so it is copied and emptied, not renamed.
/// </summary>
public static class LogRotation
{
    /// <summary>Two such files at most, about a week of an ordinary cluster.</summary>
    public const long MaxBytes = 16 * 1024 * 1024;

    /// <summary>True when the log was rotated.</summary>
    public static bool RotateIfLarge(string log, long maxBytes = MaxBytes)
    {
        try
        {
            if (!File.Exists(log) || new FileInfo(log).Length <= maxBytes)
                return false;
            File.Copy(log, log + ".1", overwrite: true);
            using var file = new FileStream(log, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            file.SetLength(0); // a line written in between is lost: the price of a log that nobody has to reopen
            return true;
        }
        catch (IOException)
        {
            // A full disk: what cannot be copied now is tried again a minute later.
            return false;
        }
    }
}
