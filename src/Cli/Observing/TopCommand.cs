using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Weft.Cli.Objects;
using Weft.Cli.Processes;
using Weft.Proxy.Config.Inspection;

namespace Weft.Cli.Observing;

/// <param name="Kind">`services`, `workloads` or `routes`.</param>
/// <param name="Namespace">Null: all.</param>
public sealed record TopOptions(string Kind, string? Namespace, TimeSpan Window, bool Once, bool IsJson);

/// <summary>`weft top`: requests per second, success and latency, from what the nodes' proxies have counted between two looks.</summary>
public sealed class TopCommand(MeshObserver observer, TimeProvider time, TextWriter output, TextWriter errors)
{
    // Of a terminal (ECMA-48): to the beginning, and nothing behind.
    private const string Home = "\u001b[H\u001b[J";

    // Requests of one look at routes; a busier mesh is told by a part of them.
    private const int MostRequests = 200_000;

    /// <param name="isTerminal">Each table takes the place of the one before.</param>
    public async Task<int> RunAsync(TopOptions options, bool isTerminal, CancellationToken cancellationToken)
    {
        try
        {
            var before = options.Kind == "routes" ? [] : await MetricsAsync(options, cancellationToken);
            while (true)
            {
                IReadOnlyList<TopRow> rows;
                if (options.Kind == "routes")
                {
                    rows = TopTable.OfRequests(await RequestsAsync(options, cancellationToken), options.Window);
                }
                else
                {
                    var started = time.GetTimestamp();
                    await Task.Delay(options.Window, time, cancellationToken);
                    var after = await MetricsAsync(options, cancellationToken);
                    rows = TopTable.OfMetrics(options.Kind, before, after, time.GetElapsedTime(started));
                    before = after;
                }

                output.Write(options.IsJson ? JsonSerializer.Serialize([.. rows], options.Once ? TapJson.Indented.TopRowArray : TapJson.Readable.TopRowArray) + "\n" : (isTerminal && !options.Once ? Home : "") + Table(options.Kind, rows));
                output.Flush();
                if (options.Once)
                    return 0;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return 0;
        }
    }

    public static string Table(string kind, IReadOnlyList<TopRow> rows)
    {
        if (rows.Count == 0)
            return "no requests in this time\n";
        var lines = new List<string[]> { new[] { "NAMESPACE", kind.TrimEnd('s').ToUpperInvariant(), "REQ/S", "SUCCESS", "P50", "P95", "P99", "MTLS" } };
        lines.AddRange(rows.Select(row => new[]
        {
            RequestTexts.Clean(row.Namespace), RequestTexts.Clean(row.Name), row.RequestsPerSecond.ToString(row.RequestsPerSecond >= 100 ? "0" : "0.0", CultureInfo.InvariantCulture), Percent(row.SuccessRate),
            Milliseconds(row.P50), Milliseconds(row.P95), Milliseconds(row.P99), Percent(row.MutualTls),
        }));
        var widths = Enumerable.Range(0, lines[0].Length).Select(column => lines.Max(line => line[column].Length)).ToList();
        var text = new StringBuilder();
        foreach (var line in lines)
            text.Append(string.Concat(line.Select((cell, column) => column < 2 ? cell.PadRight(widths[column] + 3) : cell.PadLeft(widths[column]) + "   ")).TrimEnd()).Append('\n');
        return text.ToString();
    }

    private async Task<Dictionary<string, string>> MetricsAsync(TopOptions options, CancellationToken cancellationToken)
    {
        var texts = new Dictionary<string, string>();
        await foreach (var line in observer.MetricsAsync(options.Namespace, cancellationToken))
        {
            if (line.Metrics is { } text)
                texts[line.Node] = text;
            else if (line.Error is { } error)
                errors.WriteLine(RequestTexts.Clean($"weft top: node {line.Node}: {error}"));
        }

        return texts;
    }

    private async Task<List<ObservedRequest>> RequestsAsync(TopOptions options, CancellationToken cancellationToken)
    {
        var (requests, missed, begun) = (new List<ObservedRequest>(), 0L, false);
        using var window = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, window.Token);
        try
        {
            await foreach (var line in observer.RequestsAsync(options.Namespace, new RequestFilter(), watch: true, 0, either.Token))
            {
                // From when the first node watches: how long it took to reach it is no part of the time.
                if (!begun)
                    window.CancelAfter(options.Window);
                begun = true;
                if (line.Request is { } request && requests.Count < MostRequests)
                    requests.Add(request);
                else if (line.Request is not null || line.Dropped is not null)
                    missed += line.Dropped ?? 1;
                else if (line.Error is { } error)
                    errors.WriteLine(RequestTexts.Clean($"weft top: node {line.Node}: {error}"));
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The time is over.
        }

        if (missed > 0)
            errors.WriteLine($"weft top: {missed} requests are missing here: more came than could be counted; services and workloads are counted by the proxies themselves");
        return requests;
    }

    private static string Percent(double? share) => share is { } known ? FormattableString.Invariant($"{Math.Round(known * 100, 2)}%") : "-";

    private static string Milliseconds(double? milliseconds) => milliseconds is { } known ? RequestTexts.Milliseconds(known) : "-";

    internal static Command Build(TimeProvider time)
    {
        var kind = new Argument<string>("what") { Description = "services, workloads or routes", DefaultValueFactory = _ => "services" };
        kind.AcceptOnlyFromAmong("services", "workloads", "routes");
        var @namespace = new Option<string?>("--namespace", "-n") { Description = "Namespace (default: that of the kubeconfig)" };
        var everywhere = new Option<bool>("--all-namespaces", "-A") { Description = "Of every namespace" };
        var window = new Option<int>("--window") { Description = "Seconds between two looks", DefaultValueFactory = _ => 5 };
        var once = new Option<bool>("--once") { Description = "One table, then end" };
        var format = new Option<string>("--output", "-o") { Description = "text or json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command("top", """
            Requests per second, success rate, latency and the share of mutual TLS, by service, workload or route. CPU and memory are kubectl top's.
              weft top -A                             all services, again every 5 s
              weft top routes -n shop --once          each rule of VirtualServices and hosts in shop
            """) { kind, @namespace, everywhere, window, once, format };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("top", async () =>
        {
            var access = ClusterConnection.Find(WeftCommands.Paths(parsed));
            using var observer = MeshObserver.Connect(access);
            if (parsed.GetValue(window) is < 1 or > 3600)
                throw new CommandException("--window is 1 to 3600 seconds");
            var options = new TopOptions(parsed.GetValue(kind)!, parsed.GetValue(everywhere) ? null : parsed.GetValue(@namespace) ?? access.Namespace, TimeSpan.FromSeconds(parsed.GetValue(window)), parsed.GetValue(once), parsed.GetValue(format) == "json");
            return await OutputReader.WhileReadAsync(token => new TopCommand(observer, time, Console.Out, Console.Error).RunAsync(options, !Console.IsOutputRedirected, token), cancellationToken);
        }));
        return command;
    }
}
