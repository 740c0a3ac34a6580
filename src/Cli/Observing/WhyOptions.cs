using System.CommandLine;
using Weft.Cli.Objects;

namespace Weft.Cli.Observing;

/// <summary>The command line of `weft why`.</summary>
internal static class WhyOptions
{
    internal static Command Build(TimeProvider time)
    {
        var words = new Argument<string[]>("request") { Arity = new ArgumentArity(0, 2), Description = "[METHOD] URL: http://orders.shop/api, tcp://db:5432; with --last what it went to: svc/NAME" };
        var from = new Option<string?>("--from") { Description = "Who sends it: deploy/NAME, pod/NAME, outside (through the front door), host (a process of a node)" };
        var headers = new Option<string[]>("--header", "-H") { Description = "'name: value', any number", DefaultValueFactory = _ => [] };
        var files = new Option<string[]>("--filename", "-f") { Description = "By these manifests in place of a cluster: files or folders", AllowMultipleArgumentsPerToken = true };
        var id = new Option<string?>("--id") { Description = "A request that was sent: its x-request-id, or trace id" };
        var last = new Option<bool>("--last") { Description = "The last request that was sent" };
        var failed = new Option<bool>("--failed") { Description = "With --last: that was refused or went wrong" };
        var @namespace = new Option<string?>("--namespace", "-n") { Description = "Namespace of the source (default: that of the kubeconfig)" };
        var everywhere = new Option<bool>("--all-namespaces", "-A") { Description = "With --id and --last: requests of every namespace" };
        var format = new Option<string>("--output", "-o") { Description = "text or json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command("why", """
            Why a request goes where it goes, or is refused: one that is imagined, asked of the proxy that would send it, or one that was sent, by what the proxies on its way remember. Changes and sends nothing.
              weft why --from deploy/front -n shop http://orders/api/x -H 'x-user: a'
              weft why --from outside POST http://shop.example/checkout
              weft why --id 7f0c1d2e-...                      a request that was sent
              weft why --last svc/orders -n shop --failed     the last one that went wrong there
              weft why -f manifests/ --from deploy/front -n shop http://orders    without a cluster
            """) { words, from, headers, files, id, last, failed, @namespace, everywhere, format };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("why", async () =>
        {
            var (asked, isJson) = (parsed.GetValue(words) ?? [], parsed.GetValue(format) == "json");
            var why = new WhyCommand(Console.Out, Console.Error);
            if (parsed.GetValue(files) is { Length: > 0 } manifests)
                return why.Offline(Imagined(parsed.GetValue(@namespace) ?? "default"), manifests);
            var access = ClusterConnection.Find(WeftCommands.Paths(parsed));
            using var observer = MeshObserver.Connect(access);
            if (parsed.GetValue(id) is not null || parsed.GetValue(last))
            {
                var place = parsed.GetValue(everywhere) ? null : parsed.GetValue(@namespace) ?? access.Namespace;
                return await why.SentAsync(new(place, parsed.GetValue(id), new() { Home = place, Target = asked.FirstOrDefault(), Failed = parsed.GetValue(failed) }, isJson), observer, cancellationToken);
            }

            using var client = access.Connect(time);
            return await why.ImaginedAsync(Imagined(parsed.GetValue(@namespace) ?? access.Namespace), client, observer, cancellationToken);

            WhyImagined Imagined(string place) => asked.Length == 0
                ? throw new CommandException("which request? weft why --from deploy/NAME http://HOST/PATH, or --id ID, or --last")
                : new(parsed.GetValue(from) ?? throw new CommandException("who sends it? --from deploy/NAME, pod/NAME, outside or host"), place, asked.Length == 2 ? asked[0] : "GET", asked[^1], parsed.GetValue(headers) ?? [], isJson);
        }));
        return command;
    }
}
