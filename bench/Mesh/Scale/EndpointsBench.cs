using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Client;

namespace Weft.Bench.Mesh.Scale;

/// <summary>Many services of ten endpoints each: what they take in server and proxy, and what a change of one endpoint costs. Services and slices are plain objects; nobody runs behind them.</summary>
internal static class EndpointsBench
{
    private const int Endpoints = 10, Changes = 200;

    public static async Task RunAsync(BenchCluster cluster, int services, int apiPort)
    {
        var (server, proxy) = (cluster.Server, cluster.ProxyOf(1));
        await BenchCluster.ApplyAsync(Manifests.Join(Manifests.Namespace(BenchCluster.Namespace)));
        await Rest.OfAsync(cluster, [server, .. proxy]);
        Memory("before");
        var (bytes, used) = (Stream.BytesReceived(proxy[0], apiPort), Used());
        var started = cluster.Time.GetTimestamp();
        await Parallel.ForAsync(0, services, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, token) =>
        {
            await Raw<Service>().CreateAsync(BenchCluster.Namespace, Service(number), token);
            await Raw<EndpointSlice>().CreateAsync(BenchCluster.Namespace, Slice(number, 0), token);
        });
        var written = cluster.Time.GetElapsedTime(started).TotalSeconds;
        var rest = await Rest.OfAsync(cluster, [server, .. proxy]);
        Figures.Print($"{services} services of {Endpoints} endpoints: written in {written:0.0} s, everything at rest {rest:0.0} s later; {(Stream.BytesReceived(proxy[0], apiPort) - bytes) / 1024.0:0} KB over the stream; processor server {Used().Server - used.Server:0.0} s, proxy {Used().Proxy - used.Proxy:0.0} s");
        Memory("after");
        await ChangeAsync(cluster, services, server, proxy, apiPort);

        ResourceClient<JsonObject> Raw<T>() where T : class, IObject => cluster.Client.Raw(ApiResources.Of<T>());
        (double Server, double Proxy) Used() => (Sum(ProcessFigures.ProcessorOf(server)), Sum(ProcessFigures.ProcessorOf(proxy)));
        void Memory(string when)
        {
            var (one, two) = (ProcessFigures.MemoryOf([server]), ProcessFigures.MemoryOf(proxy));
            Figures.Print($"{when}: Pss, private, resident MB: server {one.Pss:0}, {one.Private:0}, {one.Resident:0}; proxy {two.Pss:0}, {two.Private:0}, {two.Resident:0}");
        }
    }

    // One after the other, with a rest between them, so that each is a step of its own; what they take at rest is taken off.
    private static async Task ChangeAsync(BenchCluster cluster, int services, int server, IReadOnlyList<int> proxy, int apiPort)
    {
        var slices = cluster.Client.Raw(ApiResources.Of<EndpointSlice>());
        await WriteAsync(-20, 0);
        var idle = (Server: Used(server), Proxy: Used(proxy));
        await Task.Delay(TimeSpan.FromSeconds(Changes * 0.1), cluster.Time);
        idle = (Used(server) - idle.Server, Used(proxy) - idle.Proxy);
        var (before, bytes) = ((Server: Used(server), Proxy: Used(proxy)), Stream.BytesReceived(proxy[0], apiPort));
        await WriteAsync(0, Changes);
        var after = (Server: Used(server), Proxy: Used(proxy));
        Figures.Print($"{Changes} changes of one endpoint among {services} x {Endpoints}: {(Stream.BytesReceived(proxy[0], apiPort) - bytes) / (double)Changes:0} bytes over the stream each; processor server {1000 * (after.Server - before.Server - idle.Server) / Changes:0.00} ms, proxy {1000 * (after.Proxy - before.Proxy - idle.Proxy) / Changes:0.00} ms each (the write itself is in the server's)");

        async Task WriteAsync(int from, int to)
        {
            for (var number = from; number < to; number++)
            {
                var service = Math.Abs(number * 7 % services);
                var patch = new JsonObject { ["endpoints"] = Slice(service, number + 1000)["endpoints"]!.DeepClone() };
                await slices.PatchAsync(Key(service), Patch.Merge(patch), CancellationToken.None);
                await Task.Delay(TimeSpan.FromMilliseconds(100), cluster.Time);
            }
        }

        static double Used(params IReadOnlyList<int> processes) => Sum(ProcessFigures.ProcessorOf(processes));
    }

    private static double Sum((double User, double System) used) => used.User + used.System;

    private static ObjectKey Key(int number) => new(BenchCluster.Namespace, Name(number));

    private static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"s{number}");

    private static JsonObject Service(int number) => new()
    {
        ["apiVersion"] = "v1", ["kind"] = "Service", ["metadata"] = new JsonObject { ["name"] = Name(number), ["namespace"] = BenchCluster.Namespace },
        ["spec"] = new JsonObject { ["ports"] = new JsonArray(new JsonObject { ["name"] = "http", ["port"] = 80, ["targetPort"] = Manifests.Port }) },
    };

    // An address of another change is another one for the last endpoint; the others stay.
    private static JsonObject Slice(int number, int change) => new()
    {
        ["apiVersion"] = "discovery.k8s.io/v1", ["kind"] = "EndpointSlice", ["addressType"] = "IPv4",
        ["metadata"] = new JsonObject { ["name"] = Name(number), ["namespace"] = BenchCluster.Namespace, ["labels"] = new JsonObject { ["kubernetes.io/service-name"] = Name(number) } },
        ["endpoints"] = new JsonArray([.. Enumerable.Range(0, Endpoints).Select(each => Endpoint(number, each, each == Endpoints - 1 ? change : 0))]),
        ["ports"] = new JsonArray(new JsonObject { ["name"] = "http", ["port"] = Manifests.Port, ["protocol"] = "TCP" }),
    };

    private static JsonObject Endpoint(int number, int each, int change) => new()
    {
        ["addresses"] = new JsonArray(new IPAddress([10, (byte)(100 + (change & 63)), (byte)(number >> 4), (byte)(((number & 15) << 4) | each)]).ToString()), ["conditions"] = new JsonObject { ["ready"] = true },
    };
}
