using Weft.Cli.Clusters;
using Weft.Testing;

namespace Weft.Cli.Tests;

public sealed class DownCommandTests
{
    private static readonly NodeCleaner NothingToClean = (_, _, _) => Task.FromResult<IReadOnlyList<string>>([]);

    [Fact]
    public async Task Purge_does_not_touch_a_directory_that_is_no_clusters()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Skip("down needs root");
        using var directory = new TempDir();
        await File.WriteAllTextAsync(directory.File("precious"), "x");
        var errors = new StringWriter();

        var exit = await new DownCommand(NothingToClean, TimeProvider.System, TextWriter.Null, errors).RunAsync(ClusterPaths.For("purge-test", directory.Path), purge: true, CancellationToken.None);

        Assert.Equal(1, exit);
        Assert.Contains("holds no cluster", errors.ToString(), StringComparison.Ordinal);
        Assert.True(File.Exists(directory.File("precious")));
    }

    [Fact]
    public async Task Purge_takes_what_is_the_clusters_and_leaves_the_rest()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Skip("down needs root");
        using var directory = new TempDir();
        var paths = ClusterPaths.For("purge-test", directory.Path);
        new ClusterSettings(6443, "10.244.0.0/16", "10.96.0.0/16").Save(paths.Settings);
        Directory.CreateDirectory(paths.Pki);
        await File.WriteAllTextAsync(directory.File("precious"), "x");
        var output = new StringWriter();

        Assert.Equal(0, await new DownCommand(NothingToClean, TimeProvider.System, output, TextWriter.Null).RunAsync(paths, purge: true, CancellationToken.None));

        Assert.Equal([directory.File("precious")], Directory.EnumerateFileSystemEntries(directory.Path));
        Assert.Contains("precious", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_up_into_a_directory_with_other_things_is_refused()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Skip("up needs root");
        using var directory = new TempDir();
        await File.WriteAllTextAsync(directory.File("precious"), "x");
        var errors = new StringWriter();

        var exit = await new UpCommand(TimeProvider.System, TextWriter.Null, errors)
            .RunAsync(new(ClusterPaths.For("purge-test", directory.Path), 1, Foreground: false, "/bin/false"), CancellationToken.None);

        Assert.Equal(1, exit);
        Assert.Contains("holds no cluster", errors.ToString(), StringComparison.Ordinal);
    }
}
