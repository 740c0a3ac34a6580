using Weft.Cli;
using Weft.Cli.Clusters;
using Weft.Cli.Supervision;
using Weft.Host.Agent;
using Weft.Host.Proxy;
using Weft.Host.Server;

namespace Weft.Host;

/// <summary>The roles of the one executable. The daemons are told apart first: they start in milliseconds, without the command line's parser.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        var executable = Environment.ProcessPath ?? throw new InvalidOperationException("this process has no path");
        switch (args)
        {
            case ["supervise", "--name", var name, "--data-dir", var dataDir]:
                var paths = ClusterPaths.For(name, dataDir);
                return await new Supervisor(paths, ClusterChildren.Of(paths, executable), TimeProvider.System).RunAsync();
            case ["server", "--name", var name, "--data-dir", var dataDir]:
                return await ServerRole.RunAsync(ClusterPaths.For(name, dataDir), TimeProvider.System);
            case ["run-agent", "--name", var name, "--data-dir", var dataDir]:
                return await AgentRole.RunAsync(ClusterPaths.For(name, dataDir), TimeProvider.System);
            case ["proxy", "--directory", var directory, .. var sockets]:
                return await ProxyRole.RunAsync(directory, sockets, TimeProvider.System);
            case ["proxy", "--config", var file]:
                // A daemon like the others: it ends in its own time after SIGTERM, of which the command line would give it two seconds.
                return await ProxyFileRole.RunAsync(file, executable, TimeProvider.System);
            case ["proxy", "--worker" or "--standby", var workerFile, .. var link]:
                return await ProxyWorkerRole.RunAsync(workerFile, rehearse: args[1] == "--standby", link, TimeProvider.System);
            default:
                var host = new CommandHost(executable, AppContext.BaseDirectory, NodeParts.CleanAsync, TimeProvider.System)
                {
                    RunProxy = (file, checkOnly) => checkOnly ? Task.FromResult(ProxyFileRole.Check(file)) : ProxyFileRole.RunAsync(file, executable, TimeProvider.System),
                };
                return await WeftCommands.Build(host).Parse(args).InvokeAsync();
        }
    }
}
