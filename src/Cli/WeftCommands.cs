using System.CommandLine;
using Weft.Cli.Checks;
using Weft.Cli.Clusters;
using Weft.Cli.Debugging;
using Weft.Cli.Demo;
using Weft.Cli.Nodes;
using Weft.Cli.Images;
using Weft.Cli.Mesh;
using Weft.Cli.Objects;
using Weft.Cli.Observing;
using Weft.Cli.Proxies;

namespace Weft.Cli;

/// <summary>What the executable gives the command line: the parts that are not the command line's own.</summary>
/// <param name="Executable">Path of this program.</param>
/// <param name="Content">Folder of what ships beside it: manifests and demo programs.</param>
public sealed record CommandHost(string Executable, string Content, NodeCleaner CleanNode, TimeProvider Time)
{
    /// <summary>Runs the proxy by a configuration file, or only checks the file; gives the exit code.</summary>
    public Func<string, bool, Task<int>> RunProxy { get; init; } = (_, _) => throw new InvalidOperationException("this host has no proxy");
}

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
        root.Subcommands.Add(Check(host));
        root.Subcommands.Add(Debug(host));
        root.Subcommands.Add(NodeCommands.Agent(host));
        root.Subcommands.Add(NodeCommands.Token(host));
        root.Subcommands.Add(ImageCommands.Build(host.Time));
        root.Subcommands.Add(ProxyCommand.Build(host));
        root.Subcommands.Add(AnalyzeCommand.Build(host.Time));
        root.Subcommands.Add(WhyOptions.Build(host.Time));
        root.Subcommands.Add(TapCommand.Build());
        root.Subcommands.Add(TopCommand.Build(host.Time));
        foreach (var command in ObjectCommands.Build(host.Time))
            root.Subcommands.Add(command);
        return root;
    }

    internal static ClusterPaths Paths(ParseResult parsed) => ClusterPaths.For(parsed.GetValue(Name)!, parsed.GetValue(DataDir));

    private static Command Up(CommandHost host)
    {
        var apiPort = new Option<int?>("--api-port") { Description = "Port of the API server (default 6443)" };
        var foreground = new Option<bool>("--foreground") { Description = "Stay in this terminal, with the log; Ctrl+C stops the cluster's processes" };
        var nodes = new Option<int?>("--nodes") { Description = "Nodes on this machine, each in a network namespace of its own; more than before adds nodes to a cluster that is up" };
        var simulate = new Option<int?>("--simulate") { Description = "Further nodes that are only played: their pods run nothing. For tests of scale" };
        var grace = new Option<int?>("--node-grace") { Description = "Seconds of silence after which a node counts as lost (default 40)" };
        var evict = new Option<int?>("--evict-after") { Description = "Seconds that pods stay on a lost node, unless they say otherwise (default 300)" };
        var mesh = new Option<string?>("--mesh") { Description = "Whether pods are in the mesh unless their labels say otherwise: on or off; of a cluster that is down (default: on in a new cluster, else as it was)" };
        mesh.AcceptOnlyFromAmong("on", "off");
        var certificates = new Option<int?>("--mesh-certificate-life") { Description = "Seconds that workloads' certificates hold, of a new cluster (default 86400)" };
        var services = new Option<string?>("--services") { Description = "YAML file with services that are written by hand, followed as it changes; '' for none any more" };
        var command = new Command("up", "Start a cluster on this machine; returns when its nodes are Ready. Does nothing when it is up already.") { apiPort, foreground, nodes, simulate, grace, evict, mesh, certificates, services };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("up", () => new UpCommand(host.Time, Console.Out, Console.Error)
            .RunAsync(new(Paths(parsed), parsed.GetValue(apiPort), parsed.GetValue(foreground), host.Executable)
            {
                Nodes = parsed.GetValue(nodes), Simulate = parsed.GetValue(simulate), NodeGraceSeconds = parsed.GetValue(grace), EvictionSeconds = parsed.GetValue(evict),
                ServicesFile = parsed.GetValue(services), Mesh = parsed.GetValue(mesh) is { } word ? word == "on" : null, CertificateSeconds = parsed.GetValue(certificates),
            }, cancellationToken)));
        return command;
    }

    private static Command Demo(CommandHost host)
    {
        var apiPort = new Option<int?>("--api-port") { Description = "Port of the API server (default 6443)" };
        var noTour = new Option<bool>("--no-tour") { Description = "The shop alone, without rules of the mesh" };
        var command = new Command("demo", "Start a cluster of two nodes with a small shop in it, and show by real requests what the mesh does for it: canary, retries, mutual TLS, policy, login, failover.") { apiPort, noTour };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("demo",
            () => new DemoCommand(host, Console.Out, Console.Error).RunAsync(new(Paths(parsed), parsed.GetValue(apiPort), !parsed.GetValue(noTour)), cancellationToken)));
        return command;
    }

    private static Command Down(CommandHost host)
    {
        var purge = new Option<bool>("--purge") { Description = "Remove the data too" };
        var command = new Command("down", "Stop a cluster: no process, namespace, mount, table, route or changed setting of it stays.") { purge };
        var graceful = new GracefulOptions();
        foreach (var option in graceful.All)
            command.Options.Add(option);
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("down", () => new DownCommand(host.CleanNode, host.Time, Console.Out, Console.Error) { Graceful = graceful.Read(parsed) }
            .RunAsync(Paths(parsed), parsed.GetValue(purge), cancellationToken)));
        return command;
    }

    private static Command Check(CommandHost host)
    {
        var apiPort = new Option<int?>("--api-port") { Description = "Port of the API server (default: the cluster's, or 6443)" };
        var format = new Option<string>("--output", "-o") { Description = "text or json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command("check", "Whether this machine can run a cluster, and what to do where it cannot. Changes nothing. Exit code 1 when something fails.") { apiPort, format };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("check", () => new CheckCommand(host.Time, Console.Out)
            .RunAsync(Paths(parsed), parsed.GetValue(apiPort), parsed.GetValue(format) == "json", cancellationToken)));
        return command;
    }

    private static Command Debug(CommandHost host)
    {
        var file = new Option<string?>("--output", "-o") { Description = "The file to write (default: weft-NAME-TIME.tar.gz here)" };
        var bundle = new Command("bundle", "Collect what a report of a fault needs in one tar.gz: versions, settings, logs, objects, network, processes. Secrets are left out.") { file };
        bundle.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("debug bundle", () => new BundleCommand(host.Time, Console.Out).RunAsync(Paths(parsed), parsed.GetValue(file), cancellationToken)));
        return new Command("debug", "For finding faults.") { bundle };
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
