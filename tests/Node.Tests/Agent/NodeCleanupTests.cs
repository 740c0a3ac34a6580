using Weft.Node.Agent;
using Weft.Node.Interop;
using Weft.Node.Runtime.Process;
using Weft.Node.Tests.Runtime;

namespace Weft.Node.Tests.Agent;

[Collection("machine")]   // one at a time: sysctls are the machine's
public sealed class NodeCleanupTests
{
    [Fact]
    public async Task A_machine_that_was_never_a_node_has_nothing_to_clean()
    {
        var before = MachineState.Take();
        var options = Options();

        Assert.Empty(await NodeCleanup.RunAsync(options, TimeProvider.System));
        Assert.Empty(await NodeCleanup.RunAsync(options, TimeProvider.System));

        await before.AssertUnchangedAsync(options.ClusterName);
    }

    [Fact]
    public async Task What_half_a_start_left_is_taken_away()
    {
        var before = MachineState.Take();
        var options = Options();
        var root = Path.GetDirectoryName(options.DataDir)!;
        var paths = new ProcessPaths(NodeAgent.RuntimeOptions(options));
        ProcessMachine.Prepare(paths);
        // A sandbox whose agent was killed after the namespaces and before the address, and one of which only a directory is there.
        var half = paths.Sandbox("half");
        Directory.CreateDirectory(half);
        await NamespaceThread.CreateAsync(half, "half", network: true, ipc: true);
        Directory.CreateDirectory(paths.Sandbox("empty"));
        Directory.CreateDirectory(paths.Container("torn"));
        await File.WriteAllTextAsync(Path.Combine(paths.Container("torn"), "container.json"), "{");

        Assert.Empty(await NodeCleanup.RunAsync(options, TimeProvider.System));

        Assert.False(Directory.Exists(options.RunDir));
        Directory.Delete(root, recursive: true);
        await before.AssertUnchangedAsync(options.ClusterName);
    }

    private static NodeAgentOptions Options()
    {
        var root = Path.Combine(Path.GetTempPath(), "weft-n" + Chance.Next());
        return new() { NodeName = "n1", ClusterName = Path.GetFileName(root), DataDir = Path.Combine(root, "d"), RunDir = Path.Combine(root, "r"), PodCidr = "10.213.120.0/24" };
    }
}
