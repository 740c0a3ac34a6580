using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Node.Runtime;
using Weft.Node.Runtime.Process;

namespace Weft.Node.Tests.Runtime;

/// <summary>A process runtime with directories, cgroup and address range of its own. Checks at the end that nothing is left on the machine.</summary>
public sealed class ProcessRuntimeFixture : IAsyncDisposable
{
    private readonly MachineState _before = MachineState.Take();
    private readonly string _root = Path.Combine(Path.GetTempPath(), "weft-n" + Chance.Next());

    internal ProcessRuntimeOptions Options { get; }
    internal ProcessRuntime Runtime { get; private set; } = null!;
    internal ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;

    internal ProcessRuntimeFixture(int subnet)
    {
        Weft.Node.Network.Sysctls.EnableForwarding();   // the CNI plugin turns it on without writing down what was
        Options = new ProcessRuntimeOptions
        {
            ClusterName = Path.GetFileName(_root),
            DataDir = Path.Combine(_root, "d"),
            RunDir = Path.Combine(_root, "r"),
            PodCidr = $"10.213.{subnet}.0/24",
            ClusterCidr = "10.213.0.0/16",
        };
    }

    internal string Logs => Path.Combine(Options.DataDir, "logs");

    /// <summary>Again after a disposal: a new agent, to which the containers are strangers.</summary>
    internal async Task<ProcessRuntime> StartAsync() => Runtime = await ProcessRuntime.StartAsync(Options, TimeProvider.System, Chance.Source, Loggers);

    internal static SandboxSpec Pod(string name) => new() { PodUid = "uid-" + name, Namespace = "default", Name = name, Hostname = name };

    internal ContainerSpec Container(string name, params string[] command) => new()
    {
        Name = name,
        Attempt = 0,
        SpecHash = "h",
        Command = command,
        LogPath = Path.Combine(Logs, name + Chance.Next() + ".log"),
        Environment = [new("PATH", "/usr/local/bin:/usr/bin:/bin")],
    };

    internal async Task<ContainerInfo> RunAsync(string sandbox, ContainerSpec spec)
    {
        var created = await Runtime.CreateContainerAsync(sandbox, spec, default);
        return await Runtime.StartContainerAsync(created.Id, default);
    }

    internal async Task<ContainerInfo> EndedAsync(string id)
    {
        var deadline = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var container = (await Runtime.ListAsync(default)).Containers.Single(c => c.Id == id);
            if (container.State == RunState.Exited)
                return container;
            if (TimeProvider.System.GetElapsedTime(deadline) > TimeSpan.FromSeconds(60))
                throw new TimeoutException($"container {container.Name} did not end");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var sandbox in (await Runtime.ListAsync(default)).Sandboxes)
            await Runtime.RemoveSandboxAsync(sandbox.Id, default);
        await Runtime.DisposeAsync();
        ProcessMachine.Clean(new ProcessPaths(Options));
        Directory.Delete(_root, recursive: true);
        if (!await Weft.Node.Network.NodeFirewall.HasOtherNodesAsync(Options.ClusterName))
            Weft.Node.Network.Sysctls.Restore();
        await _before.AssertUnchangedAsync(Options.ClusterName);
    }
}
