using System.Diagnostics;
using System.Text.RegularExpressions;
using Weft.Api.Core;
using Weft.Node.Agent;
using Weft.Node.Runtime;
using Weft.Node.Runtime.Cri;
using Weft.Node.Tests.Runtime;
using Weft.Testing;

namespace Weft.Node.Tests.Agent;

/// <summary>Pods whose images come from Debian's docker-registry on the loopback, over http and with a password: agent, containerd and registry are the real ones.</summary>
[Collection("machine")]
public sealed partial class DockerRegistryPodTests
{
    private const string Account = "puller:secret";

    [Fact]
    public async Task A_pod_pulls_with_its_secret_by_tag_and_by_digest_and_not_without()
    {
        using var directory = new TempDir();
        await using var registry = await DockerRegistry.StartAsync(Account);
        var app = await PushAsync(directory, registry, new TestImage("app") { Command = ["sh", "-c", "echo from the registry; exec sleep 1000"] }, "team/app:1");
        var digest = await DigestAsync(app);
        await using var node = await StartAsync(directory, 157);
        await node.CreateAsync("""
            {"apiVersion":"v1","kind":"Secret","metadata":{"name":"pull","namespace":"default"},"type":"kubernetes.io/dockerconfigjson",
             "stringData":{".dockerconfigjson":"{\"auths\":{\"HOST\":{\"username\":\"puller\",\"password\":\"secret\"}}}"}}
            """.Replace("HOST", registry.Host, StringComparison.Ordinal));

        await PodAsync(node, "denied", app, secret: null);
        await node.UntilAsync("denied", p => p.Status.ContainerStatuses is [{ State.Waiting.Reason: "ImagePullBackOff" or "ErrImagePull" }], "refused without the secret");
        await PodAsync(node, "tag", app, "pull");
        await PodAsync(node, "digest", $"{registry.Host}/team/app@{digest}", "pull");

        foreach (var name in new[] { "tag", "digest" })
        {
            var pod = await node.ReadyAsync(name);
            Assert.EndsWith("@" + digest, Assert.Single(pod.Status.ContainerStatuses).ImageID, StringComparison.Ordinal);
            // Ready is that the container runs; its first line comes when it has been scheduled.
            await Eventually.TrueAsync(async () => await node.LogAsync(name) == "from the registry\n");
        }
        Assert.NotEqual("Running", (await node.FindAsync("denied"))!.Status.Phase);
        foreach (var name in new[] { "denied", "tag", "digest" })
            await node.DeleteAsync(name, grace: 0);
    }

    private static Task<Pod> PodAsync(NodeFixture node, string name, string image, string? secret) => node.PodAsync(name, $$"""
        {"runtimeClassName":null,"terminationGracePeriodSeconds":0,"imagePullSecrets":[{{(secret is null ? "" : $"{{\"name\":\"{secret}\"}}")}}],
         "containers":[{"name":"main","image":"{{image}}","imagePullPolicy":"Always"}]}
        """);

    // The sandbox's image has to be there too: busybox asleep does for it.
    private static async Task<NodeFixture> StartAsync(TempDir directory, int subnet)
    {
        return await NodeFixture.StartAsync(subnet, options => async token =>
        {
            var settings = NodeAgent.ContainerOptions(options);
            var images = await CriRuntime.StartImagesAsync(settings, TimeProvider.System, Chance.Source, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance, token);
            var archive = directory.File("pause.tar");
            new TestImage(settings.SandboxImage) { Entrypoint = ["/bin/sleep", "2147483647"] }.Write(archive);
            await RunAsync("ctr", "-a", new CriPaths(settings).Socket, "-n", "k8s.io", "images", "import", archive);
            await Eventually.TrueAsync(async () => await images.Images.FindAsync(settings.SandboxImage, token) is not null, "containerd has the sandbox's image");
            return images;
        });
    }

    private static async Task<string> PushAsync(TempDir directory, DockerRegistry registry, TestImage image, string name)
    {
        image.Write(directory.File("image.tar"));
        return await registry.PushAsync(directory.File("image.tar"), name, Account);
    }

    private static async Task<string> DigestAsync(string image) =>
        Digest().Match(await RunAsync("skopeo", "--insecure-policy", "inspect", "--tls-verify=false", "--creds", Account, "docker://" + image)).Groups["digest"].Value;

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await Eventually.EndsAsync(process.WaitForExitAsync());
        Assert.True(process.ExitCode == 0, await error + await output);
        return await output;
    }

    [GeneratedRegex("\"Digest\": \"(?<digest>sha256:[0-9a-f]{64})\"", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Digest();
}
