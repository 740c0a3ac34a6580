using System.Text;
using Weft.Api.Core;
using Weft.Node.Interop;
using Weft.Node.Pods;
using Weft.Node.Tests.Pods;
using Weft.Node.Volumes;
using Weft.Testing;

namespace Weft.Node.Tests.Volumes;

public sealed class VolumeTests
{
    private static VolumeFile File(string path, string content, int mode = 0b110_100_100) => new(path, Encoding.UTF8.GetBytes(content), mode);

    [Fact]
    public void Files_are_swapped_all_at_once_through_a_link()
    {
        using var dir = new TempDir();
        var volume = dir.File("v");

        Assert.True(AtomicWriter.Write(volume, [File("a", "1"), File("sub/b", "2", 0b100_000_000)], null, "t1"));
        Assert.Equal("..t1", new FileInfo(Path.Combine(volume, "..data")).LinkTarget);
        Assert.Equal("..data/a", new FileInfo(Path.Combine(volume, "a")).LinkTarget);
        Assert.Equal("2", System.IO.File.ReadAllText(Path.Combine(volume, "sub/b")));
        Assert.Equal(UnixFileMode.UserRead, System.IO.File.GetUnixFileMode(Path.Combine(volume, "..t1/sub/b")));

        Assert.False(AtomicWriter.Write(volume, [File("a", "1"), File("sub/b", "2")], null, "t2"));
        Assert.True(AtomicWriter.Write(volume, [File("a", "3"), File("c", "4")], null, "t3"));

        Assert.Equal("3", System.IO.File.ReadAllText(Path.Combine(volume, "a")));
        Assert.Equal(["..data", "..t3", "a", "c"], Directory.EnumerateFileSystemEntries(volume).Select(e => Path.GetFileName(e)!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_run_that_was_killed_before_it_made_the_links_is_completed_by_the_next()
    {
        using var dir = new TempDir();
        var volume = dir.File("v");
        AtomicWriter.Write(volume, [File("a", "1"), File("b", "2")], null, "t1");
        System.IO.File.Delete(Path.Combine(volume, "a"));   // as if killed right after the rename of ..data
        Directory.CreateDirectory(Path.Combine(volume, "..t0"));
        System.IO.File.CreateSymbolicLink(Path.Combine(volume, "old"), "..data/old");

        AtomicWriter.Write(volume, [File("a", "1"), File("b", "2")], null, "t2");

        Assert.Equal("1", System.IO.File.ReadAllText(Path.Combine(volume, "a")));
        Assert.Equal(["..data", "..t1", "a", "b"], Directory.EnumerateFileSystemEntries(volume).Select(e => Path.GetFileName(e)!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_link_in_place_of_the_volume_is_refused()
    {
        using var dir = new TempDir();
        Directory.CreateDirectory(dir.File("elsewhere"));
        System.IO.File.CreateSymbolicLink(dir.File("v"), dir.File("elsewhere"));

        Assert.Throws<VolumeException>(() => AtomicWriter.Write(dir.File("v"), [File("a", "1")], null, "t1"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(dir.File("elsewhere")));
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("/x")]
    [InlineData("a/../../x")]
    [InlineData("..data")]
    [InlineData("")]
    public void A_path_that_leaves_the_volume_is_refused(string path) => Assert.Throws<VolumeException>(() => VolumePaths.Check(path));

    [Fact]
    public void Keys_are_chosen_renamed_and_optional()
    {
        var objects = new ReferencedObjects(
            new Dictionary<string, ConfigMap?> { ["m"] = new() { Data = new Dictionary<string, string> { ["k"] = "v", ["other"] = "o" } } }, new Dictionary<string, Secret?>());
        var pod = World.Pod("""
            {"volumes":[{"name":"all","configMap":{"name":"m"}},{"name":"some","configMap":{"name":"m","items":[{"key":"k","path":"dir/file","mode":256}]}},
             {"name":"none","configMap":{"name":"gone","optional":true}},{"name":"missing","secret":{"secretName":"gone"}},{"name":"key","configMap":{"name":"m","items":[{"key":"x","path":"x"}]}}]}
            """);

        Assert.Equal(["k", "other"], Files("all").Select(f => f.Path));
        var some = Assert.Single(Files("some"));
        Assert.Equal(("dir/file", 256), (some.Path, some.Mode));
        Assert.Empty(Files("none"));
        Assert.Equal("secret \"gone\" not found", Assert.Throws<VolumeException>(() => Files("missing")).Message);
        Assert.Contains("has no key 'x'", Assert.Throws<VolumeException>(() => Files("key")).Message);

        IReadOnlyList<VolumeFile> Files(string name) => VolumePayload.Build(pod, pod.Spec.Volumes.Single(v => v.Name == name), objects, [], World.Node, []);
    }

    [Theory]
    [InlineData("Directory", "file", "is not a directory")]
    [InlineData("File", "dir", "is not a file")]
    [InlineData("Socket", "file", "is not a socket")]
    [InlineData("", "absent", "does not exist")]
    public void A_host_path_of_another_type_is_refused(string type, string name, string expected)
    {
        using var dir = new TempDir();
        Directory.CreateDirectory(dir.File("dir"));
        System.IO.File.WriteAllText(dir.File("file"), "");

        Assert.Contains(expected, Assert.Throws<VolumeException>(() => HostPaths.Resolve(new() { Path = dir.File(name), Type = type })).Message);
    }

    [Fact]
    public void A_host_path_may_be_made()
    {
        using var dir = new TempDir();

        Assert.True(Directory.Exists(HostPaths.Resolve(new() { Path = dir.File("a/b"), Type = "DirectoryOrCreate" })));
        Assert.True(System.IO.File.Exists(HostPaths.Resolve(new() { Path = dir.File("a/f"), Type = "FileOrCreate" })));
        Assert.Throws<VolumeException>(() => HostPaths.Resolve(new() { Path = dir.Path + "/../x", Type = "DirectoryOrCreate" }));
    }

    [Fact]
    public void A_sub_path_is_made_and_pinned_but_never_outside_the_volume()
    {
        using var dir = new TempDir();
        var volume = dir.File("v");
        Directory.CreateDirectory(volume);
        Directory.CreateDirectory(dir.File("secret"));
        System.IO.File.CreateSymbolicLink(Path.Combine(volume, "out"), "../secret");
        System.IO.File.CreateSymbolicLink(Path.Combine(volume, "abs"), dir.File("secret"));
        System.IO.File.WriteAllText(Path.Combine(volume, "file"), "x");
        var pin = dir.File("pins/p");
        try
        {
            Assert.True(Directory.Exists(SubPaths.Pin(volume, "a/b", pin)));
            System.IO.File.WriteAllText(Path.Combine(pin, "f"), "");
            Assert.True(System.IO.File.Exists(Path.Combine(volume, "a/b/f")));
            Assert.Equal("x", System.IO.File.ReadAllText(SubPaths.Pin(volume, "file", dir.File("pins/q"))));
            foreach (var bad in new[] { "out", "abs", "out/x", "../secret" })
                Assert.Throws<VolumeException>(() => SubPaths.Pin(volume, bad, dir.File("pins/bad")));
        }
        finally
        {
            Mounts.Unmount(pin);
            Mounts.Unmount(dir.File("pins/q"));
        }
    }

    [Fact]
    public void A_removal_detaches_what_is_mounted_below_and_leaves_its_content()
    {
        using var dir = new TempDir();
        Directory.CreateDirectory(dir.File("disk/sub"));
        System.IO.File.WriteAllText(dir.File("disk/precious"), "kept");
        var inner = dir.File("pod/volumes/e/mnt with space");
        Directory.CreateDirectory(inner);
        Directory.CreateSymbolicLink(dir.File("link"), dir.File("pod"));   // the data directory may be reached through a link
        Mounts.Bind(dir.File("disk"), inner);
        Mounts.Tmpfs(Path.Combine(inner, "sub"), "mode=755");
        try
        {
            DirectoryRemoval.Delete(dir.File("link/volumes"), dir.File("absent"));

            Assert.False(Directory.Exists(dir.File("pod/volumes")));
            Assert.Equal("kept", System.IO.File.ReadAllText(dir.File("disk/precious")));
        }
        finally
        {
            Mounts.Unmount(Path.Combine(inner, "sub"));
            Mounts.Unmount(inner);
        }
    }
}
