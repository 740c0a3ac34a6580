using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Networking;
using Weft.Client;

namespace Weft.Bench.Mesh.Scale;

/// <summary>Many hosts and paths at the front door, by Ingresses: memory, a change, a proxy that starts anew, requests; each with few of them first.</summary>
internal static class RoutesBench
{
    private const int HostsEach = 10, PathsEach = 10, Changes = 50;

    public static async Task RunAsync(BenchCluster cluster, int routes)
    {
        var node = (await cluster.NodesAsync())[0];
        await BenchCluster.ApplyAsync(Manifests.Join(Manifests.Namespace(BenchCluster.Namespace), Manifests.Server("web", node), Manifests.Service("web", "web")));
        await cluster.PodAsync("web");
        var ingresses = cluster.Client.Raw(ApiResources.Of<Ingress>());
        await ingresses.CreateAsync(BenchCluster.Namespace, Ingress(0), CancellationToken.None);
        var door = new IPEndPoint(await AddressAsync(cluster), 80);
        Figures.Print($"| routes | Pss, private MB of the proxy (server) | start of a proxy until it answers | change to enforced p50, p99, most | requests/s, c = 8 |");
        Figures.Print($"|---|---|---|---|---|");
        await LineAsync(HostsEach * PathsEach);
        var started = cluster.Time.GetTimestamp();
        await Parallel.ForAsync(1, routes / (HostsEach * PathsEach), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (number, token) =>
            await ingresses.CreateAsync(BenchCluster.Namespace, Ingress(number), token));
        var written = cluster.Time.GetElapsedTime(started).TotalSeconds;
        var rest = await Rest.OfAsync(cluster, [cluster.Server, .. cluster.ProxyOf(1)]);
        await LineAsync(routes);
        Figures.Print($"the others were written in {written:0.0} s, and everything was at rest {rest:0.0} s later; load average {Figures.LoadAverage}");

        async Task LineAsync(int count)
        {
            await cluster.UntilAsync("the door answers", () => Task.FromResult(StatusOf(door, Host(0, 0), "/p1") == 200));
            var enforced = await ChangeAsync(cluster, ingresses, door);
            await Rest.OfAsync(cluster, [cluster.Server, .. cluster.ProxyOf(1)]);
            var (proxy, server) = (ProcessFigures.MemoryOf(cluster.ProxyOf(1)), ProcessFigures.MemoryOf([cluster.Server]));
            var requests = RequestsASecond(door, Host(count / (HostsEach * PathsEach) - 1, 3), "/p5");
            var start = await StartAsync(cluster, door);
            Figures.Print($"| {count} | {proxy.Pss:0}, {proxy.Private:0} ({server.Pss:0}, {server.Private:0}) | {start:0.00} s | {Figures.Text(enforced.At(0.5))}, {Figures.Text(enforced.At(0.99))}, {Figures.Text(enforced.Largest)} ms | {requests} |");
        }
    }

    // A path that was not there answers 200 instead of 404, and the other way round.
    private static async Task<Figures> ChangeAsync(BenchCluster cluster, ResourceClient<JsonObject> ingresses, IPEndPoint door)
    {
        var random = new Random(1);
        var took = new List<double>();
        using var probe = HttpProbe.Connect(door, Host(0, 0), "/toggled");
        for (var number = -4; number < Changes; number++)
        {
            var isThere = (number & 1) == 0;
            var spec = Ingress(0, isThere ? "/toggled" : "/p0")["spec"]!.DeepClone();
            await ingresses.PatchAsync(new(BenchCluster.Namespace, Name(0)), Patch.Merge(new JsonObject { ["spec"] = spec }), CancellationToken.None);
            var answered = cluster.Time.GetTimestamp();
            while (probe.Ask().Status != (isThere ? 200 : 404))
            {
                if (cluster.Time.GetElapsedTime(answered).TotalSeconds > 30)
                    throw new TimeoutException("a change of an Ingress is not enforced");
            }

            if (number >= 0)
                took.Add(cluster.Time.GetElapsedTime(answered).TotalMilliseconds);
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(20, 120)), cluster.Time);
        }

        return new(took);
    }

    // The process is this bench's own cluster's; its supervisor starts the next.
    private static async Task<double> StartAsync(BenchCluster cluster, IPEndPoint door)
    {
        var before = cluster.ProxyOf(1)[0];
        using (var process = Process.GetProcessById(before))
            process.Kill();
        var started = cluster.Time.GetTimestamp();
        await cluster.UntilAsync("the door answers again", () => Task.FromResult(StatusOf(door, Host(0, 0), "/p1") == 200));
        var took = cluster.Time.GetElapsedTime(started).TotalSeconds;
        await cluster.UntilAsync("the supervisor says so", () => Task.FromResult(cluster.ProxyOf(1)[0] != before));
        return took;
    }

    private static string RequestsASecond(IPEndPoint door, string host, string path)
    {
        using var wrk = Process.Start(new ProcessStartInfo("wrk", ["-t1", "-c8", "-d5s", "-H", $"Host: {host}", $"http://{door}{path}"]) { RedirectStandardOutput = true })!;
        var text = wrk.StandardOutput.ReadToEnd();
        wrk.WaitForExit();
        var bad = text.Split('\n').FirstOrDefault(line => line.Contains("Non-2xx", StringComparison.Ordinal));
        return text.Split('\n').First(line => line.StartsWith("Requests/sec", StringComparison.Ordinal)).Split(':')[1].Trim() + bad;
    }

    private static int StatusOf(IPEndPoint door, string host, string path)
    {
        try
        {
            using var probe = HttpProbe.Connect(door, host, path);
            return probe.Ask().Status;
        }
        catch (Exception closed) when (closed is IOException or System.Net.Sockets.SocketException)
        {
            return 0;
        }
    }

    private static async Task<IPAddress> AddressAsync(BenchCluster cluster)
    {
        string? address = null;
        await cluster.UntilAsync("the front door has an address", async () =>
        {
            var door = await cluster.Client.For<Weft.Api.Core.Service>().FindAsync(new("istio-system", "istio-ingressgateway"), CancellationToken.None);
            address = door?.Spec.ClusterIP;
            return address is not null;
        });
        return IPAddress.Parse(address!);
    }

    private static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"i{number}");

    private static string Host(int number, int host) => string.Create(CultureInfo.InvariantCulture, $"h{host}.i{number}.example.com");

    private static JsonObject Ingress(int number, string first = "/p0") => new()
    {
        ["apiVersion"] = "networking.k8s.io/v1", ["kind"] = "Ingress", ["metadata"] = new JsonObject { ["name"] = Name(number), ["namespace"] = BenchCluster.Namespace },
        ["spec"] = new JsonObject { ["rules"] = new JsonArray([.. Enumerable.Range(0, HostsEach).Select(host => Rule(number, host, host == 0 ? first : "/p0"))]) },
    };

    private static JsonObject Rule(int number, int host, string first) => new()
    {
        ["host"] = Host(number, host),
        ["http"] = new JsonObject { ["paths"] = new JsonArray([.. Enumerable.Range(0, PathsEach).Select(path => Path(path == 0 ? first : string.Create(CultureInfo.InvariantCulture, $"/p{path}")))]) },
    };

    private static JsonObject Path(string path) => new()
    {
        ["path"] = path, ["pathType"] = "Prefix",
        ["backend"] = new JsonObject { ["service"] = new JsonObject { ["name"] = "web", ["port"] = new JsonObject { ["number"] = 80 } } },
    };
}
