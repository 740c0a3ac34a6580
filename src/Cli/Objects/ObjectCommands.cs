using System.CommandLine;
using Weft.Cli.Processes;

namespace Weft.Cli.Objects;

/// <summary>apply, get, logs and exec: enough to work on a machine without kubectl.</summary>
internal static class ObjectCommands
{
    private static readonly Option<string?> Namespace = new("--namespace", "-n") { Description = "Namespace (default: that of the kubeconfig)" };

    internal static IEnumerable<Command> Build(TimeProvider time) => [Apply(time), Get(time), Logs(time), Exec()];

    private static Command Apply(TimeProvider time)
    {
        var files = new Option<string[]>("--filename", "-f") { Description = "File, folder, or - for standard input", Required = true, AllowMultipleArgumentsPerToken = true };
        var force = new Option<bool>("--force-conflicts") { Description = "Take fields over from other managers" };
        var command = new Command("apply", "Apply manifests (server-side): weft apply -f shop.yaml") { files, force, Namespace };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("apply", async () =>
        {
            var access = ClusterConnection.Find(WeftCommands.Paths(parsed));
            using var client = access.Connect(time);
            return await new ApplyCommand(client, parsed.GetValue(Namespace) ?? access.Namespace, Console.Out, Console.Error)
                .RunAsync(parsed.GetValue(files)!, parsed.GetValue(force), cancellationToken);
        }));
        return command;
    }

    private static Command Get(TimeProvider time)
    {
        var type = new Argument<string>("type") { Description = "pods, deploy, svc, ... or pod/NAME" };
        var name = new Argument<string?>("name") { Arity = ArgumentArity.ZeroOrOne, Description = "One object" };
        var all = new Option<bool>("--all-namespaces", "-A") { Description = "Objects of every namespace" };
        var selector = new Option<string?>("--selector", "-l") { Description = "Labels: app=web,tier!=test" };
        var format = new Option<string>("--output", "-o") { Description = "wide, yaml, json or name", DefaultValueFactory = _ => "" };
        var command = new Command("get", "Show objects: weft get pods -A") { type, name, Namespace, all, selector, format };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("get", () =>
            new GetCommand(ClusterConnection.Find(WeftCommands.Paths(parsed)), time, Console.Out).RunAsync(
                new(parsed.GetValue(type)!, parsed.GetValue(name), parsed.GetValue(Namespace), parsed.GetValue(all), parsed.GetValue(selector), parsed.GetValue(format)!),
                cancellationToken)));
        return command;
    }

    private static Command Logs(TimeProvider time)
    {
        var pod = new Argument<string>("pod");
        var container = new Option<string?>("--container", "-c");
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with what is written from now" };
        var previous = new Option<bool>("--previous", "-p") { Description = "The container's run before this one" };
        var tail = new Option<long?>("--tail") { Description = "Last lines only" };
        var timestamps = new Option<bool>("--timestamps");
        var command = new Command("logs", "Print the log of a container: weft logs POD -f") { pod, container, follow, previous, tail, timestamps, Namespace };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("logs", async () =>
        {
            var access = ClusterConnection.Find(WeftCommands.Paths(parsed));
            using var client = access.Connect(time);
            await using var output = Console.OpenStandardOutput();
            var options = new LogsOptions(parsed.GetValue(pod)!, parsed.GetValue(Namespace) ?? access.Namespace, parsed.GetValue(container), parsed.GetValue(follow),
                parsed.GetValue(previous), parsed.GetValue(tail), parsed.GetValue(timestamps));
            return await OutputReader.WhileReadAsync(token => new LogsCommand(client, output).RunAsync(options, token), cancellationToken);
        }));
        return command;
    }

    private static Command Exec()
    {
        var pod = new Argument<string>("pod");
        var words = new Argument<string[]>("command") { Arity = ArgumentArity.OneOrMore, Description = "The command, after --" };
        var container = new Option<string?>("--container", "-c");
        var input = new Option<bool>("--stdin", "-i") { Description = "Pass standard input" };
        var command = new Command("exec", "Run a command in a container: weft exec POD -- ls /") { pod, words, container, input, Namespace };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("exec", async () =>
        {
            var access = ClusterConnection.Find(WeftCommands.Paths(parsed));
            await using var stdin = Console.OpenStandardInput();
            await using var stdout = Console.OpenStandardOutput();
            await using var stderr = Console.OpenStandardError();
            var options = new ExecOptions(parsed.GetValue(pod)!, parsed.GetValue(Namespace) ?? access.Namespace, parsed.GetValue(container), parsed.GetValue(input), parsed.GetValue(words)!);
            return await OutputReader.WhileReadAsync(token => new ExecCommand(access, stdin, stdout, stderr).RunAsync(options, token), cancellationToken, OutputReader.BrokenPipe);
        }));
        return command;
    }
}
