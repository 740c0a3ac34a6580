using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Images;

/// <summary>The cluster's registry as its users have it: `weft image`, skopeo, and what the API server shows of it.</summary>
[Collection(ClusterCollection.Name)]
public sealed partial class ImageTests(WeftCluster cluster)
{
    [Fact]
    public async Task Images_are_loaded_listed_pulled_by_others_and_removed()
    {
        var archives = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(WeftCluster.Program)!, "..", "..", "images", "out"));
        Assert.True(File.Exists(Path.Combine(archives, "busybox.tar")), $"{archives} has no images: run images/build once, or ./test");
        var loaded = (await cluster.WeftAsync("image", "load", Path.Combine(archives, "busybox.tar"), Path.Combine(archives, "my-app.tar"))).Succeeded();
        Assert.Contains("loaded busybox:latest", loaded, StringComparison.Ordinal);
        Assert.Contains("loaded my-app:1.0", loaded, StringComparison.Ordinal);

        var list = (await cluster.WeftAsync("image", "list")).Succeeded();
        Assert.Matches(@"(?m)^my-app +1\.0 +[0-9a-f]{12} +[0-9.]+ MiB$", list);
        Assert.Contains("weft.dev/pause", list, StringComparison.Ordinal);

        var host = Host().Match((await cluster.WeftAsync("image", "login")).Succeeded()).Value;
        Assert.Contains(host, (await cluster.WeftAsync("status")).Output, StringComparison.Ordinal);
        using var directory = new TempDir();
        (await Shell.RunAsync("skopeo", ["--insecure-policy", "copy", "--src-tls-verify=false", $"docker://{host}/library/busybox", "dir:" + directory.File("b")])).Succeeded();
        var refused = await Shell.RunAsync("skopeo", ["--insecure-policy", "copy", "--dest-tls-verify=false", "dir:" + directory.File("b"), $"docker://{host}/other:1"]);
        Assert.NotEqual(0, refused.ExitCode);
        var password = (await File.ReadAllTextAsync(Path.Combine(cluster.DataDir, "registry-password"))).Trim();
        (await Shell.RunAsync("skopeo",
            ["--insecure-policy", "copy", "--dest-tls-verify=false", "--dest-creds", "weft:" + password, "dir:" + directory.File("b"), $"docker://{host}/quay.io/team/other:1"])).Succeeded();

        // The way of other nodes.
        var manifest = JsonNode.Parse((await cluster.KubectlAsync("get", "--raw", "/v2/team/other/manifests/1?ns=quay.io")).Succeeded())!;
        Assert.Equal(2, (int)manifest["schemaVersion"]!);

        (await cluster.WeftAsync("image", "remove", "my-app:1.0", "quay.io/team/other:1", "busybox")).Succeeded();
        var again = await cluster.WeftAsync("image", "remove", "my-app:1.0");
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("there is no image docker.io/library/my-app:1.0", again.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("my-app", (await cluster.WeftAsync("image", "list")).Succeeded(), StringComparison.Ordinal);
    }

    [GeneratedRegex("127\\.0\\.0\\.1:[0-9]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Host();
}
