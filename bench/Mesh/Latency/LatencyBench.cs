namespace Weft.Bench.Mesh.Latency;

/// <summary>What the mesh adds to a request's latency at a fixed rate: each way right beside the same way without a mesh, in rounds whose order is another each time.</summary>
internal static class LatencyBench
{
    private const int Connections = 8;
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);
    private static readonly (string Base, string With)[] Pairs =
    [
        (Targets.NearOutside, Targets.NearTcp), (Targets.NearOutside, Targets.NearHttp), (Targets.FarOutside, Targets.FarTcp), (Targets.FarOutside, Targets.FarHttp),
        (Targets.FarOutside, Targets.FarTcpPeer), (Targets.FarOutside, Targets.FarHttpPeer),
    ];

    /// <param name="rates">Requests a second.</param>
    /// <param name="only">Of the ways only those whose name has this in it.</param>
    public static async Task RunAsync(BenchCluster cluster, int rounds, IReadOnlyList<int> rates, string only)
    {
        var targets = (await Targets.MakeAsync(cluster)).Where(target => target.Path.Contains(only, StringComparison.Ordinal)).ToList();
        if (targets.Count == 0)
            throw new ArgumentException($"no way is called '{only}'", nameof(only));
        // A thread of its own: the pool's work must not come between.
        var measuring = new TaskCompletionSource();
        new Thread(() =>
        {
            try
            {
                Poll.BePrecise();
                foreach (var rate in rates)
                    Measure(targets, rate, rounds, cluster.Time);
                measuring.SetResult();
            }
            catch (Exception failed)
            {
                measuring.SetException(failed);
            }
        }).Start();
        await measuring.Task;
        Figures.Print($"{Connections} connections, {rounds} rounds of {Slice.TotalSeconds:0} s for each way, load average {Figures.LoadAverage}");
    }

    private static void Measure(IReadOnlyList<Target> targets, int rate, int rounds, TimeProvider time)
    {
        var random = new Random(1);
        var loops = targets.ToDictionary(target => target.Path, target => new OpenLoop(target.From, target.To, target.Host, Connections, time));
        var measured = targets.ToDictionary(target => target.Path, _ => new List<double[]>());
        foreach (var loop in loops.Values)
            loop.Run(rate, WarmUp);
        for (var round = 0; round < rounds; round++)
        {
            var order = targets.Select(target => target.Path).ToArray();
            random.Shuffle(order);
            foreach (var path in order)
                measured[path].Add([.. loops[path].Run(rate, Slice)]);
        }

        foreach (var loop in loops.Values)
            loop.Dispose();
        Figures.Print($"| {rate} requests/s | p50 | p99 | p99.9 | most | added at p50 (95 %) | added at p99 (95 %) |");
        Figures.Print($"|---|---|---|---|---|---|---|");
        foreach (var target in targets)
        {
            var all = new Figures(measured[target.Path].SelectMany(slice => slice));
            var added = Pairs.FirstOrDefault(pair => pair.With == target.Path && measured.ContainsKey(pair.Base)) is { With: not null } pair ? new Paired([.. measured[pair.Base].Zip(measured[pair.With])]) : null;
            Figures.Print($"| {target.Path} | {Figures.Text(all.At(0.5))} ms | {Figures.Text(all.At(0.99))} ms | {Figures.Text(all.At(0.999))} ms | {Figures.Text(all.At(1))} ms | {Added(added, 0.5, random)} | {Added(added, 0.99, random)} |");
        }
    }

    private static string Added(Paired? paired, double quantile, Random random)
    {
        if (paired is null)
            return "";
        var (difference, from, to) = paired.At(quantile, random);
        return FormattableString.Invariant($"{difference:0.000} ms ({from:0.000} to {to:0.000})");
    }
}
