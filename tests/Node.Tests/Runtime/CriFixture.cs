using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Node.Network;
using Weft.Node.Runtime;
using Weft.Node.Runtime.Cri;

namespace Weft.Node.Tests.Runtime;

/// <summary>A real containerd with directories, cgroup and address range of its own. Checks at the end that nothing is left on the machine.</summary>
public sealed class CriFixture : IAsyncDisposable
{
    internal const string Busybox = "docker.io/library/busybox:1";

    private readonly MachineState _before = MachineState.Take();
    private readonly string _root = Path.Combine(Path.GetTempPath(), "weft-c" + Chance.Next());

    internal CriRuntimeOptions Options { get; init; }
    internal CriRuntime Runtime { get; private set; } = null!;
    internal ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;

    internal CriFixture(int subnet)
    {
        Sysctls.EnableForwarding();   // the CNI plugin turns it on without writing down what was
        var data = Path.Combine(_root, "d");
        Options = new CriRuntimeOptions
        {
            ClusterName = Path.GetFileName(_root),
            DataDir = data,
            RunDir = Path.Combine(_root, "r"),
            Network = new CniOptions("weft-" + Path.GetFileName(_root), $"10.214.{subnet}.0/24", Path.Combine(data, "cni"), "", ["/opt/cni/bin", "/usr/lib/cni"], 1500),
        };
    }

    internal CriPaths Paths => new(Options);
    internal string Logs => Path.Combine(Options.DataDir, "logs");

    /// <summary>Again after a disposal: a new agent, to which the containers are strangers.</summary>
    internal async Task<CriRuntime> StartAsync()
    {
        Runtime = await CriRuntime.StartAsync(Options, TimeProvider.System, Chance.Source, Loggers, default);
        return Runtime;
    }

    /// <summary>The first start: with the pause image (busybox asleep does) and busybox.</summary>
    internal async Task<CriRuntime> StartWithImagesAsync(params TestImage[] more)
    {
        await StartAsync();
        await ImportAsync(new TestImage(Options.SandboxImage) { Entrypoint = ["/bin/sleep", "2147483647"] });
        await ImportAsync(new TestImage(Busybox) { Command = ["sh"] });
        foreach (var image in more)
            await ImportAsync(image);
        return Runtime;
    }

    internal async Task ImportAsync(TestImage image)
    {
        await Runtime.Images.ListAsync(default);   // waits until containerd answers
        var tar = Path.Combine(_root, "image.tar");
        image.Write(tar);
        using var ctr = Process.Start(new ProcessStartInfo("ctr", ["-a", Paths.Socket, "-n", "k8s.io", "images", "import", tar]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var output = ctr.StandardOutput.ReadToEndAsync();
        var error = await ctr.StandardError.ReadToEndAsync();
        await ctr.WaitForExitAsync();
        Assert.True(ctr.ExitCode == 0, error + await output);
        File.Delete(tar);
        // CRI hears of it by an event.
        await Weft.Testing.Eventually.TrueAsync(async () => await Runtime.Images.FindAsync(image.Name, default) is not null);
    }

    internal SandboxSpec Pod(string name) => new() { PodUid = "uid-" + name, Namespace = "default", Name = name, Hostname = name, LogDirectory = Logs };

    internal async Task<ContainerSpec> ContainerAsync(string name, params string[] command) => new()
    {
        Name = name,
        Attempt = 0,
        SpecHash = "h",
        Command = command,
        ImageId = (await Runtime.Images.FindAsync(Busybox, default))!.Id,
        LogPath = Path.Combine(Logs, name + Chance.Next() + ".log"),
        User = new ProcessIdentity(null, null, []),
        Capabilities = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
        NoNewPrivileges = false,
    };

    internal async Task<ContainerInfo> RunAsync(string sandbox, ContainerSpec spec)
    {
        var created = await Runtime.CreateContainerAsync(sandbox, spec, default);
        return await Runtime.StartContainerAsync(created.Id, default);
    }

    internal async Task<ContainerInfo> FindAsync(string id) => (await Runtime.ListAsync(default)).Containers.Single(c => c.Id == id);

    internal async Task<ContainerInfo> EndedAsync(string id)
    {
        await Weft.Testing.Eventually.TrueAsync(async () => (await FindAsync(id)).State == RunState.Exited, "container ended");
        return await FindAsync(id);
    }

    internal async Task<string> OutputAsync(ContainerSpec spec)
    {
        var lines = await File.ReadAllLinesAsync(spec.LogPath);
        return string.Join('\n', lines.Select(l => l.Split(' ', 4)[3]));
    }

    internal int Containerd => ContainerdProcess.Find(Paths.Config) ?? throw new InvalidOperationException("containerd does not run");

    public async ValueTask DisposeAsync()
    {
        await Runtime.DisposeAsync();
        var problems = await CriCleanup.RunAsync(Options, TimeProvider.System, default);
        Weft.Node.Interop.DirectoryRemoval.Delete(_root);
        if (!await NodeFirewall.HasOtherNodesAsync(Options.ClusterName))
            Sysctls.Restore();
        Assert.Empty(problems);
        await _before.AssertUnchangedAsync(Options.ClusterName);
    }
}
