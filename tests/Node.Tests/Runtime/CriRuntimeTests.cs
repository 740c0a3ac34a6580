using System.Security.Cryptography;
using System.Text;
using Weft.Api.Streams;
using Weft.Node.Interop;
using Weft.Node.Runtime;
using Weft.Node.Runtime.Cri;
using Weft.Testing;

namespace Weft.Node.Tests.Runtime;

[Collection("machine")]   // one at a time: sysctls are the machine's
public sealed class CriRuntimeTests
{
    private static string Text(MemoryStream stream) => Encoding.UTF8.GetString(stream.ToArray());

    [Fact]
    public async Task A_container_of_an_image_runs_with_the_pods_hostname_and_leaves_its_log_and_exit_code()
    {
        await using var machine = new CriFixture(1);
        var runtime = await machine.StartWithImagesAsync();
        var sandbox = await runtime.CreateSandboxAsync(machine.Pod("web"), default);
        Assert.StartsWith("10.214.1.", Assert.Single(sandbox.Ips));
        var spec = await machine.ContainerAsync("main", "sh", "-c", "id -u; hostname; echo $FROM_IMAGE; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; ls /; exit 3") with { DefaultSeccomp = true, NoNewPrivileges = true };
        var container = await machine.RunAsync(sandbox.Id, spec);
        Assert.Equal("uid-web", container.PodUid);

        var ended = await machine.EndedAsync(container.Id);

        Assert.Equal((3, "Error"), (ended.ExitCode, ended.Reason));
        Assert.True(ended.FinishedAt >= ended.StartedAt);
        Assert.Equal("0\nweb\nyes\nCapEff:\t0000000000000421\nNoNewPrivs:\t1\nSeccomp:\t2\nbin\ndev\netc\nproc\nroot\nsys\ntmp", await machine.OutputAsync(spec));
        Assert.Equal("uid-web", await runtime.Events.ReadAsync());

        await runtime.RemoveContainerAsync(container.Id, default);
        Assert.True(File.Exists(spec.LogPath));
        await runtime.RemoveSandboxAsync(sandbox.Id, default);
        var after = await runtime.ListAsync(default);
        Assert.Empty(after.Sandboxes);
        Assert.Empty(after.Containers);
        Assert.False(Directory.Exists($"/sys/fs/cgroup/memory{machine.Paths.CgroupParent}/poduid-web"));
    }
}
