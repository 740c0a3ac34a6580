using System.Globalization;
using Weft.Bench.Mesh;
using Weft.Bench.Mesh.Changes;
using Weft.Bench.Mesh.Latency;
using Weft.Bench.Mesh.Scale;

// What the mesh costs, on a cluster that bench/Load/mesh has made, which says what each part is. Each ends with lines for docs/performance.md.
int Number(int place, int otherwise) => args.Length > place ? int.Parse(args[place], CultureInfo.InvariantCulture) : otherwise;
using var cluster = BenchCluster.FromEnvironment(TimeProvider.System);
switch (args.FirstOrDefault())
{
    case "changes":
        await ChangesBench.RunAsync(cluster, Number(1, 200));
        return 0;
    case "latency":
        await LatencyBench.RunAsync(cluster, Number(1, 60), Number(2, 0) is var rate and > 0 ? [rate] : [500, 1000], args.ElementAtOrDefault(3) ?? "");
        return 0;
    case "cost":
        await CostBench.RunAsync(cluster, Number(1, 1000), TimeSpan.FromSeconds(Number(2, 20)));
        return 0;
    case "endpoints":
        await EndpointsBench.RunAsync(cluster, Number(1, 1000), int.Parse(Environment.GetEnvironmentVariable("WEFT_API_PORT")!, CultureInfo.InvariantCulture));
        return 0;
    case "routes":
        await RoutesBench.RunAsync(cluster, Number(1, 10_000));
        return 0;
    default:
        Console.Error.WriteLine("mesh: changes, latency, cost, endpoints or routes");
        return 2;
}
