using System.Globalization;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>A real Prometheus scrapes the mesh, and Istio's standard queries say of a known load what it was.</summary>
[Collection(MeshClusterCollection.Name)]
public sealed class PrometheusTests(MeshCluster cluster, ITestOutputHelper output)
{
    // 400 requests, 20 a second: of 20 one fails, and one takes 150 ms.
    private const int Requests = 400, PerSecond = 20;

    private const string Load = "status=200,status=200,status=200,status=200,status=200,status=200,status=200,status=200,status=200,status=200&delayMs=150,"
        + "status=200,status=200,status=200,status=200,status=200,status=200,status=200,status=200,status=200,status=500";

    // Sends so many bytes and reads them back.
    private const int Bytes = 100_000;

    private static readonly string Sender = $"import socket; s = socket.create_connection(('bytes', 7)); s.sendall(bytes({Bytes})); s.shutdown(socket.SHUT_WR); print(sum(map(len, iter(lambda: s.recv(65536), b''))))";

    [Fact]
    public async Task Prometheus_tells_of_a_known_load_what_it_was()
    {
        Assert.SkipWhen(DebianPrometheus.Programs is null || DebianPrometheus.ReaderPrograms is null, "needs Debian's prometheus and victoria-metrics: ./test unpacks them and names them in WEFT_PROMETHEUS_DEBIAN and WEFT_VICTORIA_METRICS_DEBIAN");
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        var ns = mesh.Namespace;
        await ns.ApplyAsync("""
            apiVersion: v1
            kind: Service
            metadata: {name: store}
            spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: bytes}
            spec: {selector: {app: web}, ports: [{name: tcp, port: 7, targetPort: 9090}]}
            """);
        var proxies = (await cluster.KubectlAsync("get", "nodes", "-o", "jsonpath={.items[*].metadata.annotations.weft\\.dev/mesh-metrics}")).Succeeded().Split(' ');
        Assert.Equal(2, proxies.Distinct().Count());
        var prometheus = await DebianPrometheus.StartAsync(cluster, ns, proxies);
        await ns.EventuallyAsync("all targets are up", async () => await prometheus.AskAsync("up", "job", "instance") is { Count: 3 } up && up.Values.All(value => value == 1));

        await FindsAsync(prometheus);

        string Of(string metric, string more = "") => $"{metric}{{reporter=\"source\",destination_service=\"store.{mesh.Name}.svc.cluster.local\"{more}}}";
        await ns.EventuallyAsync("the service is answered for", async () => await mesh.ClientAsync("curl -s -o /dev/null -w '%{http_code}' http://store/") == "200");
        var before = await prometheus.NumberAsync($"sum({Of("istio_requests_total")}) or vector(0)");
        var load = mesh.ClientAsync($"curl -s -o /dev/null --rate {PerSecond}/s 'http://store/?n=[1-{Requests / 20}]&{{{Load}}}'");

        // While it runs: what the mesh's dashboards ask.
        var rate = $"sum by (destination_service_name) (rate({Of("istio_requests_total")}[10s]))";
        await ns.EventuallyAsync("the rate is that of the load", async () => (await prometheus.AskAsync(rate, "destination_service_name")).GetValueOrDefault("store") is > 0.8 * PerSecond and < 1.2 * PerSecond);
        await load;
        // All that was sent, behind who the server is.
        var answered = int.Parse(await mesh.ClientAsync($"python3 -c \"{Sender}\""), CultureInfo.InvariantCulture);
        Assert.InRange(answered, Bytes, Bytes + 200);

        var byCode = new Dictionary<string, double>();
        await ns.EventuallyAsync("every request is counted", async () =>
            (byCode = await prometheus.AskAsync($"sum by (response_code) ({Of("istio_requests_total")})", "response_code")).Values.Sum() >= Requests + before);
        output.WriteLine($"before {before}, then {string.Join(", ", byCode)}");
        Assert.Equal(Requests / 20, byCode["500"]);
        Assert.InRange(byCode["200"], Requests - (Requests / 20), Requests - (Requests / 20) + 20); // with those that asked whether it is there
        Assert.Equal(2, byCode.Count);

        var success = await prometheus.NumberAsync($"sum(rate({Of("istio_requests_total", ",response_code!~\"5.*\"")}[30s])) / sum(rate({Of("istio_requests_total")}[30s]))");
        Assert.InRange(success, 0.93, 0.97);
        async Task<double> QuantileAsync(string share) => await prometheus.NumberAsync($"histogram_quantile({share}, sum by (le) (rate({Of("istio_request_duration_milliseconds_bucket")}[30s])))");
        var (p50, p90, p99) = (await QuantileAsync("0.50"), await QuantileAsync("0.90"), await QuantileAsync("0.99"));
        output.WriteLine($"success {success:F3}, p50 {p50:F1} ms, p90 {p90:F1} ms, p99 {p99:F1} ms");
        Assert.True(p50 > 0 && p50 <= p90 && p90 <= 100, $"{p50} {p90}");
        Assert.InRange(p99, 100, 250);

        var byWorkload = await prometheus.AskAsync($"sum by (source_workload, destination_workload) ({Of("istio_requests_total")})", "source_workload", "destination_workload");
        Assert.Equal(["client web-v1", "client web-v2"], byWorkload.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(byCode.Values.Sum(), byWorkload.Values.Sum());

        foreach (var (metric, bytes) in new[] { ("istio_tcp_sent_bytes_total", answered), ("istio_tcp_received_bytes_total", Bytes) })
        {
            await ns.EventuallyAsync(metric, async () =>
                await prometheus.NumberAsync($"sum({metric}{{reporter=\"source\",source_workload=\"client\",destination_service_name=\"bytes\",destination_service_namespace=\"{mesh.Name}\"}})") == bytes);
        }

        // What Prometheus has against a text is counted, not told.
        foreach (var fault in new[] { "duplicate_timestamp", "out_of_order", "out_of_bounds" })
            Assert.Equal(0, await prometheus.NumberAsync($"sum(prometheus_target_scrapes_sample_{fault}_total)"));
        Assert.All((await prometheus.AskAsync("min_over_time(up{job=\"weft-mesh\"}[1m])", "instance")).Values, value => Assert.Equal(1, value));
        foreach (var proxy in proxies)
        {
            // Istio's name of it has a unit that Prometheus' rules of naming do not like.
            var faults = (await DebianPrometheus.FaultsAsync(cluster, proxy)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("istio_request_duration_milliseconds ", StringComparison.Ordinal));
            Assert.Empty(faults);
        }
    }

    private static async Task FindsAsync(DebianPrometheus prometheus)
    {
        IReadOnlyList<(string Job, string Url, string Health, string Error)> found = [];
        var wanted = new[] { "kubernetes-apiservers", "kubernetes-pods", "kubernetes-service-endpoints", "weft-mesh", "weft-mesh" };
        await Eventually.TrueAsync(
            async () => (found = await prometheus.FoundAsync()).All(one => one.Health == "up") && found.Select(one => one.Job).Order(StringComparer.Ordinal).SequenceEqual(wanted),
            "every target of samples/prometheus.yaml is up", () => string.Join('\n', found));
    }
}
