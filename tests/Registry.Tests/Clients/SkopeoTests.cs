using Weft.Registry.Pause;
using Weft.Registry.Tests.Kit;

namespace Weft.Registry.Tests.Clients;

/// <summary>With the real skopeo, as users have it.</summary>
public sealed class SkopeoTests
{
    [Fact]
    public async Task Pulls_the_pause_image_and_pushes_it_under_another_name()
    {
        await using var registry = await RunningRegistry.StartAsync();
        await PauseImage.InstallAsync(registry.Registry, CancellationToken.None);
        var there = $"docker://127.0.0.1:{registry.Port}/";
        var archive = registry.File("pause.tar");

        await SkopeoAsync("copy", "--all", "--src-tls-verify=false", there + "weft.dev/pause:1", "oci-archive:" + archive);
        await SkopeoAsync("copy", "--all", "--dest-tls-verify=false", "--dest-creds", "weft:" + registry.Password, "oci-archive:" + archive, there + "quay.io/team/app:v2");
        Assert.Contains("\"v2\"", await SkopeoAsync("list-tags", "--tls-verify=false", there + "quay.io/team/app"), StringComparison.Ordinal);
        await SkopeoAsync("copy", "--src-tls-verify=false", there + "quay.io/team/app:v2", "dir:" + registry.File("back"));

        var (code, said) = await Tool.TryRunAsync("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "oci-archive:" + archive, there + "mine:1");
        Assert.NotEqual(0, code);
        Assert.Contains("unauthorized", said, StringComparison.OrdinalIgnoreCase);
        (code, _) = await Tool.TryRunAsync("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "--dest-creds", "weft:wrong", "oci-archive:" + archive, there + "mine:1");
        Assert.NotEqual(0, code);

        await SkopeoAsync("delete", "--tls-verify=false", "--creds", "weft:" + registry.Password, there + "quay.io/team/app:v2");
        Assert.NotEqual(0, (await Tool.TryRunAsync("skopeo", "--insecure-policy", "inspect", "--tls-verify=false", there + "quay.io/team/app:v2")).ExitCode);
    }

    private static Task<string> SkopeoAsync(params string[] arguments) => Tool.RunAsync("skopeo", ["--insecure-policy", .. arguments]);
}
