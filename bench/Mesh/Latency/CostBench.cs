namespace Weft.Bench.Mesh.Latency;

/// <summary>Processor time and memory of the nodes' proxies (of HAProxy in the peers' rows) at a fixed rate, and at rest.</summary>
internal static class CostBench
{
    private const int Connections = 8;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(BenchCluster cluster, int rate, TimeSpan duration)
    {
        var targets = await Targets.MakeAsync(cluster);
        var nodes = new[] { cluster.ProxyOf(1), cluster.ProxyOf(2) };
        Figures.Print($"| {rate} requests/s over {Connections} connections | vCPU for 1,000/s, client's node (user) | server's node (user) | sum | Pss, private, resident MB, client's node | server's node |");
        Figures.Print($"|---|---|---|---|---|---|");
        Print("before any request", nodes, [], 1, TimeSpan.FromSeconds(1));
        foreach (var target in targets)
        {
            var proxies = Targets.RelaysOf(target.Path) is { Count: > 0 } relays ? [.. await Task.WhenAll(relays.Select(cluster.ProgramsAsync))] : nodes;
            using var loop = new OpenLoop(target.From, target.To, target.Host, Connections, cluster.Time);
            loop.Run(rate, WarmUp);
            var used = await Use(proxies, () =>
            {
                loop.Run(rate, duration);
                return Task.CompletedTask;
            });
            Print(target.Path, proxies, used, rate, duration);
        }

        // Last: what a process does in its first seconds is no rest.
        Print("at rest, vCPU alone", nodes, await Use(nodes, () => Task.Delay(duration, cluster.Time)), 1000, duration);
        Figures.Print($"load average {Figures.LoadAverage}");
    }

    private static async Task<(double User, double System)[]> Use(IReadOnlyList<int>[] nodes, Func<Task> work)
    {
        var before = nodes.Select(ProcessFigures.ProcessorOf).ToArray();
        await work();
        return [.. nodes.Select(ProcessFigures.ProcessorOf).Zip(before, (now, then) => (now.User - then.User, now.System - then.System))];
    }

    private static void Print(string path, IReadOnlyList<int>[] nodes, (double User, double System)[] used, int rate, TimeSpan duration)
    {
        var thousands = duration.TotalSeconds * rate / 1000;
        var processor = used.Select(node => FormattableString.Invariant($"{(node.User + node.System) / thousands:0.000} ({node.User / thousands:0.000})"));
        var memory = nodes.Select(ProcessFigures.MemoryOf).Select(node => FormattableString.Invariant($"{node.Pss:0}, {node.Private:0}, {node.Resident:0}"));
        var sum = FormattableString.Invariant($"{used.Sum(node => node.User + node.System) / thousands:0.000}");
        Figures.Print($"| {path} | {(used.Length == 0 ? " | | " : string.Join(" | ", processor) + " | " + sum)} | {string.Join(" | ", memory)} |");
    }
}
