using Weft.Registry.Names;
using Weft.Registry.Pause;
using Weft.Registry.Tests.Kit;
using Weft.Testing;

namespace Weft.Registry.Tests.Clients;

/// <summary>Between Weft's registry and Debian's, so that neither is only understood by itself.</summary>
public sealed class DockerRegistryTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("somebody:secret")]
    public async Task An_image_goes_from_here_to_Debians_registry_and_back(string? credentials)
    {
        await using var weft = await RunningRegistry.StartAsync();
        await PauseImage.InstallAsync(weft.Registry, CancellationToken.None);
        await using var debian = await DockerRegistry.StartAsync(credentials);

        var archive = weft.File("pause.tar");
        await Tool.RunAsync("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", $"docker://127.0.0.1:{weft.Port}/weft.dev/pause:1", "oci-archive:" + archive);
        var name = await debian.PushAsync(archive, "team/pause:2", credentials);

        string[] source = credentials is null ? [] : ["--src-creds", credentials];
        await Tool.RunAsync("skopeo", ["--insecure-policy", "copy", "--src-tls-verify=false", .. source, "--dest-tls-verify=false", "--dest-creds", "weft:" + weft.Password,
            "docker://" + name, $"docker://127.0.0.1:{weft.Port}/quay.io/team/pause:2"]);
        Assert.NotNull(weft.Registry.Repositories.Find(RepositoryName.TryParse("quay.io/team/pause")!, "2"));
    }
}
