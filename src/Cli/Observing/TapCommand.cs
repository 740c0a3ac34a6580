using System.CommandLine;
using System.Text.Json;
using Weft.Cli.Objects;
using Weft.Cli.Processes;
using Weft.Proxy.Config.Inspection;

namespace Weft.Cli.Observing;

/// <param name="Namespace">Null: all.</param>
/// <param name="Most">Ends after so many requests; null: goes on.</param>
/// <param name="Recent">The last ones in place of those to come.</param>
public sealed record TapOptions(string? Namespace, RequestFilter Filter, bool IsJson, int? Most, bool Recent);

/// <summary>`weft tap`: requests of the mesh as they end, from the proxies of all nodes.</summary>
public sealed class TapCommand(MeshObserver observer, TextWriter output, TextWriter errors)
{
    private const int RecentRequests = 100;

    public async Task<int> RunAsync(TapOptions options, CancellationToken cancellationToken)
    {
        if (options.Filter.Problem() is { } problem)
            throw new CommandException(problem);
        var (nodes, said, seen) = (new HashSet<string>(), new HashSet<string>(), 0);
        try
        {
            await foreach (var line in observer.RequestsAsync(options.Namespace, options.Filter, !options.Recent, options.Most ?? RecentRequests, cancellationToken))
            {
                if (line.Request is { } request)
                {
                    output.WriteLine(options.IsJson ? JsonSerializer.Serialize(request, TapJson.Readable.ObservedRequest) : RequestTexts.Line(request));
                    output.Flush();
                    if (++seen >= options.Most)
                        return 0;
                }
                else if (line.Dropped is { } dropped)
                {
                    errors.WriteLine($"weft tap: {dropped} requests of node {line.Node} are missing here: more came than could be shown");
                }
                else if (line.Error is { } error)
                {
                    if (said.Add(line.Node + error))
                        errors.WriteLine(RequestTexts.Clean($"weft tap: node {line.Node}: {error}"));
                }
                else if (nodes.Add(line.Node))
                {
                    errors.WriteLine($"weft tap: watching node {line.Node}");
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Enough has been seen.
        }
        catch (Exception lost) when (lost is IOException or HttpRequestException { StatusCode: null } && seen + nodes.Count > 0)
        {
            throw new CommandException($"the connection to the server was lost ({lost.Message})");
        }

        return 0;
    }

    internal static Command Build()
    {
        var target = new Argument<string?>("target") { Arity = ArgumentArity.ZeroOrOne, Description = "deploy/NAME, svc/NAME or pod/NAME: what it sends and what it gets" };
        var filters = new RequestFilterOptions();
        var format = new Option<string>("--output", "-o") { Description = "text or json (a line each)", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var most = new Option<int?>("--max") { Description = "End after so many requests" };
        var recent = new Option<bool>("--recent") { Description = "The last requests (100, or --max), in place of those to come" };
        var command = new Command("tap", """
            Watch the mesh's requests as they end, from the proxies of all nodes: who called whom, what came of it, and by which rule and policy.
            Header fields, queries and bodies are never shown.
              weft tap -n shop                              everything of namespace shop
              weft tap svc/orders -n shop --failed          what goes wrong with orders
              weft tap deploy/front --to svc/orders --path '/api/*' -o json
            """) { target, format, most, recent };
        foreach (var option in filters.All)
            command.Options.Add(option);
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("tap", async () =>
        {
            var access = ClusterConnection.Find(WeftCommands.Paths(parsed));
            using var observer = MeshObserver.Connect(access);
            var (place, filter) = filters.Read(parsed, access.Namespace);
            var options = new TapOptions(place, filter with { Target = parsed.GetValue(target) }, parsed.GetValue(format) == "json", parsed.GetValue(most), parsed.GetValue(recent));
            return await OutputReader.WhileReadAsync(token => new TapCommand(observer, Console.Out, Console.Error).RunAsync(options, token), cancellationToken);
        }));
        return command;
    }
}

/// <summary>Which requests: options that `tap` and `why` share.</summary>
internal sealed class RequestFilterOptions
{
    private readonly Option<string?> _namespace = new("--namespace", "-n") { Description = "Namespace (default: that of the kubeconfig)" };
    private readonly Option<bool> _everywhere = new("--all-namespaces", "-A") { Description = "Requests of every namespace" };
    private readonly Option<string?> _from = new("--from") { Description = "Only what this sends: deploy/NAME, pod/NAME, ns/NAME; with .NAMESPACE behind it for another one" };
    private readonly Option<string?> _to = new("--to") { Description = "Only what goes to this: svc/NAME, deploy/NAME, pod/NAME, a host" };
    private readonly Option<string?> _method = new("--method");
    private readonly Option<string?> _path = new("--path") { Description = "A path, or how it begins with * behind" };
    private readonly Option<string?> _status = new("--status") { Description = "503, 5xx or 400-499" };
    private readonly Option<bool> _failed = new("--failed") { Description = "Only what was refused or went wrong" };

    public IEnumerable<Option> All => [_namespace, _everywhere, _from, _to, _method, _path, _status, _failed];

    public (string? Namespace, RequestFilter Filter) Read(ParseResult parsed, string home)
    {
        var place = parsed.GetValue(_everywhere) ? null : parsed.GetValue(_namespace) ?? home;
        return (place, new RequestFilter
        {
            Home = place, From = parsed.GetValue(_from), To = parsed.GetValue(_to), Method = parsed.GetValue(_method), Path = parsed.GetValue(_path), Status = parsed.GetValue(_status), Failed = parsed.GetValue(_failed),
        });
    }
}
