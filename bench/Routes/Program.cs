using System.Net;
using System.Text;
using Weft.Bench.Routes;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Routing;

// Time and bytes of one match, normalisation of path and host included, by kind and number of routes. Ends with 1 when a match allocates.
// Run in Release: dotnet run -c Release --project bench/Routes [part of a name]
var filter = args.FirstOrDefault() ?? "";
var clean = true;
Console.WriteLine($"{"routes",8} {"kind",-34} {"ns/match",10} {"B/match",8} {"compile ms",11} {"MB",7}");
foreach (var count in new[] { 10, 1_000, 100_000 })
{
    foreach (var kind in RouteKinds.All.Where(k => k.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)))
    {
        // Each has its automaton: 100,000 of them are no table that anybody serves.
        if (kind.IsRegex && count > 1_000)
            continue;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var start = TimeProvider.System.GetTimestamp();
        var table = RouteTable.Compile(kind.Table(count), new ListenerConfig { Name = "l" }, new FilterFactory(FilterKinds.WithoutServices));
        var compile = TimeProvider.System.GetElapsedTime(start).TotalMilliseconds;
        var memory = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1e6;
        var requests = Requests(kind, count);
        var rounds = kind.IsRegex ? 20 : 500;
        Run(table, requests, rounds);
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        var best = double.MaxValue;
        // The best of five: what another process takes from the core is not the table's.
        for (var i = 0; i < 5; i++)
        {
            start = TimeProvider.System.GetTimestamp();
            Run(table, requests, rounds);
            best = Math.Min(best, TimeProvider.System.GetElapsedTime(start).TotalNanoseconds / (rounds * requests.Length));
        }

        bytes = (GC.GetAllocatedBytesForCurrentThread() - bytes) / (5L * rounds * requests.Length);
        clean &= bytes == 0;
        Console.WriteLine($"{count,8} {kind.Name,-34} {best,10:F0} {bytes,8} {compile,11:F0} {memory,7:F1}");
    }
}

return clean ? 0 : 1;

static RequestFacts[] Requests(RouteKind kind, int count)
{
    var random = new Random(1);
    return [.. Enumerable.Range(0, 256).Select(_ =>
    {
        var (host, target) = kind.Request(random.Next(count));
        var facts = new RequestFacts
        {
            Connection = new() { Source = new(IPAddress.Loopback, 1), Destination = new(IPAddress.Loopback, 80) },
            ClientAddress = IPAddress.Loopback,
        };
        facts.Head.Method = "GET"u8;
        facts.Head.Scheme = "http"u8;
        facts.Head.Authority = Encoding.ASCII.GetBytes(host);
        facts.Head.Target = Encoding.ASCII.GetBytes(target);
        facts.Head.Headers.Add("x-version"u8, "v2"u8);
        return facts;
    })];
}

static void Run(RouteTable table, RequestFacts[] requests, int rounds)
{
    for (var round = 0; round < rounds; round++)
    {
        foreach (var facts in requests)
        {
            if (facts.Normalize(PathSettings.Default) is not null || table.Find(facts).Route.Name == "no-route")
                throw new InvalidOperationException($"no route for {Encoding.ASCII.GetString(facts.Path.Target)}");
        }
    }
}
