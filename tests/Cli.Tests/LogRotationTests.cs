using Weft.Cli.Supervision;
using Weft.Testing;

namespace Weft.Cli.Tests;

public sealed class LogRotationTests
{
    [Fact]
    public void A_large_log_starts_anew_and_a_writer_goes_on_at_its_beginning()
    {
        using var directory = new TempDir();
        var log = Path.Combine(directory.Path, "weft.log");
        using var writer = new StreamWriter(new FileStream(log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        writer.Write("first");
        Assert.True(LogRotation.RotateIfLarge(log, maxBytes: 4));
        Assert.Equal("first", File.ReadAllText(log + ".1"));
        Assert.Equal(0, new FileInfo(log).Length);
    }

    [Fact]
    public void A_small_or_absent_log_is_left_alone()
    {
        using var directory = new TempDir();
        var log = Path.Combine(directory.Path, "weft.log");
        Assert.False(LogRotation.RotateIfLarge(log));
        File.WriteAllText(log, "x");
        Assert.False(LogRotation.RotateIfLarge(log));
        Assert.Equal("x", File.ReadAllText(log));
    }
}
