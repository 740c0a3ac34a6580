using System.CommandLine;
using Weft.Cli.Clusters;
using Weft.Cli.Demo;
using Weft.Cli.Images;
using Weft.Cli.Objects;

namespace Weft.Cli;

/// <summary>What the executable gives the command line: the parts that are not the command line's own.</summary>
/// <param name="Executable">Path of this program.</param>
/// <param name="Content">Folder of what ships beside it: manifests and demo programs.</param>
public sealed record CommandHost(string Executable, string Content, NodeCleaner CleanNode, TimeProvider Time);

/// <summary>The commands of `weft`, in one visible list.</summary>
public static class WeftCommands
{
    private static readonly Option<string> Name = new("--name")
    {
        Description = "Name of the cluster; several live side by side on one machine",
        DefaultValueFactory = _ => ClusterPaths.DefaultName,
        Recursive = true,
    };

    private static readonly Option<string?> DataDir = new("--data-dir")
    {
        Description = "Where the cluster keeps its data (default /var/lib/weft, or /var/lib/weft-NAME)",
        Recursive = true,
    };

    public static RootCommand Build(CommandHost host)
    {
        var root = new RootCommand("Weft: a Kubernetes-compatible cluster in one program.\n\n"
            + "  sudo weft up          a cluster, ready in about a second\n"
            + "  kubectl get nodes     it is Kubernetes\n"
            + "  sudo weft demo        a small shop to play with\n"
            + "  sudo weft down        take it all away again")
        {
            Name, DataDir,
        };
        root.Subcommands.Add(Up(host));
        root.Subcommands.Add(Demo(host));
        root.Subcommands.Add(Down(host));
        root.Subcommands.Add(Status());
        root.Subcommands.Add(Kubeconfig());
        root.Subcommands.Add(ImageCommands.Build(host.Time));
        foreach (var command in ObjectCommands.Build(host.Time))
            root.Subcommands.Add(command);
        return root;
    }

    internal static ClusterPaths Paths(ParseResult parsed) => ClusterPaths.For(parsed.GetValue(Name)!, parsed.GetValue(DataDir));

    private static Command Up(CommandHost host)
    {
        var apiPort = new Option<int?>("--api-port") { Description = "Port of the API server (default 6443)" };
        var foreground = new Option<bool>("--foreground") { Description = "Stay in this terminal, with the log; Ctrl+C stops the cluster's processes" };
        var command = new Command("up", "Start a cluster on this machine; returns when its node is Ready. Does nothing when it is up already.") { apiPort, foreground };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("up", () => new UpCommand(host.Time, Console.Out, Console.Error)
            .RunAsync(new(Paths(parsed), parsed.GetValue(apiPort), parsed.GetValue(foreground), host.Executable), cancellationToken)));
        return command;
    }

    private static Command Demo(CommandHost host)
    {
        var apiPort = new Option<int?>("--api-port") { Description = "Port of the API server (default 6443)" };
        var command = new Command("demo", "Start a cluster with a small shop in it, and say what to try.") { apiPort };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("demo",
            () => new DemoCommand(host, Console.Out, Console.Error).RunAsync(Paths(parsed), parsed.GetValue(apiPort), cancellationToken)));
        return command;
    }

    private static Command Down(CommandHost host)
    {
        var purge = new Option<bool>("--purge") { Description = "Remove the data too" };
        var command = new Command("down", "Stop a cluster: no process, namespace, mount, table, route or changed setting of it stays.") { purge };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("down", () => new DownCommand(host.CleanNode, host.Time, Console.Out, Console.Error)
            .RunAsync(Paths(parsed), parsed.GetValue(purge), cancellationToken)));
        return command;
    }

    private static Command Status()
    {
        var command = new Command("status", "What runs, how big it is, where to reach it. Exit code 3 when the cluster is not up.");
        command.SetAction((parsed, _) => CommandGuard.RunAsync("status", () => Task.FromResult(new StatusCommand(Console.Out).Run(Paths(parsed)))));
        return command;
    }

    private static Command Kubeconfig()
    {
        var command = new Command("kubeconfig", "Print the cluster's kubeconfig: sudo weft kubeconfig > FILE");
        command.SetAction(parsed =>
        {
            var path = Paths(parsed).Kubeconfig;
            try
            {
                Console.Out.Write(File.ReadAllText(path));
                return 0;
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine(refused is UnauthorizedAccessException
                    ? $"weft kubeconfig: {path} is for root alone: run it with sudo"
                    : $"weft kubeconfig: there is no {path}: is the cluster up? (sudo weft up)");
                return 1;
            }
        });
        return command;
    }
}
