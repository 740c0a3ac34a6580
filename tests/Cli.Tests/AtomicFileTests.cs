using Weft.Cli.Clusters;
using Weft.Testing;

namespace Weft.Cli.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TempDir _dir = new();

    [Fact]
    public void A_file_is_written_when_its_content_is_another()
    {
        var path = _dir.File("f");
        AtomicFile.Update(path, "a"u8, Mode);
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);

        AtomicFile.Update(path, "a"u8, Mode);
        Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(path));
        AtomicFile.Update(path, "b"u8, Mode);
        Assert.Equal("b", File.ReadAllText(path));
        Assert.Equal(Mode, File.GetUnixFileMode(path));
    }

    [Fact]
    public void A_write_that_fails_leaves_nothing_behind()
    {
        var path = _dir.File("d");
        Directory.CreateDirectory(path);
        Assert.ThrowsAny<Exception>(() => AtomicFile.Write(path, "a"u8, Mode));
        Assert.Equal([path], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(path)!));
    }

    public void Dispose() => _dir.Dispose();
}
