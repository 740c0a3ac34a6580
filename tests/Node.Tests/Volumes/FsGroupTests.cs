using Weft.Node.Interop;
using Weft.Node.Volumes;
using Weft.Testing;

namespace Weft.Node.Tests.Volumes;

public sealed class FsGroupTests
{
    private const uint Gid = 4711;

    [Fact]
    public void Files_and_directories_get_the_group_and_its_rights()
    {
        using var dir = new TempDir();
        Directory.CreateDirectory(dir.File("v/a/b"));
        File.WriteAllText(dir.File("v/a/b/f"), "");
        File.SetUnixFileMode(dir.File("v/a/b/f"), UnixFileMode.UserRead);

        FsGroup.Apply(dir.File("v"), Gid, onlyOnMismatch: false);

        foreach (var path in new[] { "v", "v/a", "v/a/b", "v/a/b/f" })
            Assert.Equal(Gid, Describe(dir.File(path)).Gid);
        Assert.Equal(0b110_110_000u, Describe(dir.File("v/a/b/f")).Mode & 0b111_111_000);
        Assert.Equal(0b010_110_111_000u, Describe(dir.File("v/a/b")).Mode & 0b010_110_111_000);
    }

    [Fact]
    public void Links_are_changed_themselves_and_never_followed()
    {
        using var dir = new TempDir();
        Directory.CreateDirectory(dir.File("v"));
        Directory.CreateDirectory(dir.File("outside"));
        File.WriteAllText(dir.File("outside/secret"), "");
        File.CreateSymbolicLink(dir.File("v/dir"), dir.File("outside"));
        File.CreateSymbolicLink(dir.File("v/file"), dir.File("outside/secret"));
        var before = (Describe(dir.File("outside")), Describe(dir.File("outside/secret")));

        FsGroup.Apply(dir.File("v"), Gid, onlyOnMismatch: false);

        Assert.Equal(before, (Describe(dir.File("outside")), Describe(dir.File("outside/secret"))));
    }

    [Fact]
    public void Another_file_system_below_is_left_alone()
    {
        using var dir = new TempDir();
        Directory.CreateDirectory(dir.File("v/mnt"));
        Mounts.Tmpfs(dir.File("v/mnt"), "mode=755");
        try
        {
            File.WriteAllText(dir.File("v/mnt/f"), "");

            FsGroup.Apply(dir.File("v"), Gid, onlyOnMismatch: false);

            Assert.Equal((0u, 0u), (Describe(dir.File("v/mnt")).Gid, Describe(dir.File("v/mnt/f")).Gid));
        }
        finally
        {
            Mounts.Unmount(dir.File("v/mnt"));
        }
    }

    [Fact]
    public void A_root_that_is_right_is_taken_for_the_whole_where_the_pod_says_so()
    {
        using var dir = new TempDir();
        Directory.CreateDirectory(dir.File("v"));
        FsGroup.Apply(dir.File("v"), Gid, onlyOnMismatch: true);
        File.WriteAllText(dir.File("v/f"), "");
        Assert.Equal(0, Libc.lchown(dir.File("v/f"), 0, 0));

        FsGroup.Apply(dir.File("v"), Gid, onlyOnMismatch: true);
        Assert.Equal(0u, Describe(dir.File("v/f")).Gid);

        FsGroup.Apply(dir.File("v"), Gid, onlyOnMismatch: false);
        Assert.Equal(Gid, Describe(dir.File("v/f")).Gid);
    }

    [Theory]
    [InlineData("dev")]
    [InlineData("dir/dev")]
    public void A_device_in_a_volume_is_no_sub_path(string sub)
    {
        using var dir = new TempDir();
        Directory.CreateDirectory(dir.File("v/dir"));
        File.CreateSymbolicLink(dir.File("v/dir/dev"), "../dev");
        // The kernel's null device: enough to be refused, and harmless if it were not.
        System.Diagnostics.Process.Start("mknod", [dir.File("v/dev"), "c", "1", "3"]).WaitForExit();

        Assert.Contains("is a device", Assert.Throws<VolumeException>(() => SubPaths.Pin(dir.File("v"), sub, dir.File("pins/p"))).Message);
    }

    [Fact]
    public async Task A_sub_path_that_is_swapped_for_a_link_all_the_while_never_leads_out()
    {
        using var dir = new TempDir();
        Directory.CreateDirectory(dir.File("v"));
        Directory.CreateDirectory(dir.File("outside"));
        File.WriteAllText(dir.File("outside/mark"), "");
        var stop = false;
        var swapping = Task.Run(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                try
                {
                    Directory.CreateDirectory(dir.File("v/s"));
                    Directory.Delete(dir.File("v/s"));
                    File.CreateSymbolicLink(dir.File("v/s"), dir.File("outside"));
                    File.Delete(dir.File("v/s"));
                }
                catch (Exception met) when (met is IOException or UnauthorizedAccessException)
                {
                    // The agent made the directory in between.
                    if (Directory.Exists(dir.File("v/s")))
                        Directory.Delete(dir.File("v/s"));
                }
            }
        });
        var pin = dir.File("pins/p");
        try
        {
            for (var i = 0; i < 300; i++)
            {
                try
                {
                    SubPaths.Pin(dir.File("v"), "s", pin);
                    Assert.False(File.Exists(Path.Combine(pin, "mark")));
                }
                catch (Exception refused) when (refused is VolumeException or IOException)
                {
                    // A link just now, or gone between the two steps.
                }
            }
        }
        finally
        {
            Volatile.Write(ref stop, true);
            await swapping;
            Mounts.Unmount(pin);
        }
    }

    private static (uint Mode, uint Gid) Describe(string path)
    {
        var fd = Libc.Check(Libc.open(path, Libc.OPath | Libc.OCloexec, 0), "open");
        try
        {
            return Libc.Describe(fd);
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }
}
