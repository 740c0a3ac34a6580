using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>
/// A pod with Debian's Prometheus, and VictoriaMetrics as a second reader of `samples/prometheus.yaml`: the former finds nothing in Kubernetes (Debian leaves that out), so it is given the addresses that stand in
/// the nodes' annotations, and has only DNS to find the rest.
/// </summary>
internal sealed class DebianPrometheus
{
    private const int Port = 9090, ReaderPort = 8428;

    private readonly WeftCluster _cluster;
    private readonly string _address;

    private DebianPrometheus(WeftCluster cluster, string address) => (_cluster, _address) = (cluster, address);

    /// <summary>Null where `./test` has not unpacked it.</summary>
    internal static string? Programs => Environment.GetEnvironmentVariable("WEFT_PROMETHEUS_DEBIAN");

    internal static string? ReaderPrograms => Environment.GetEnvironmentVariable("WEFT_VICTORIA_METRICS_DEBIAN");

    /// <param name="proxies">Addresses of the nodes' metrics.</param>
    internal static async Task<DebianPrometheus> StartAsync(WeftCluster cluster, TestNamespace ns, IReadOnlyList<string> proxies)
    {
        var sample = (await File.ReadAllTextAsync(Path.Combine(WeftCluster.Checkout, "samples", "prometheus.yaml")))
            .Replace("istio-system", ns.Name, StringComparison.Ordinal).Replace("scrape_interval: 15s", "scrape_interval: 1s", StringComparison.Ordinal);
        var parts = sample.Split("\n---\n").Where(part => !part.Contains("kind: Deployment", StringComparison.Ordinal));
        await ns.ApplyAsync(string.Join("\n---\n", [.. parts, Config(ns.Name, proxies), Deployment()]));
        (await ns.KubectlAsync("annotate", "service/prometheus", "prometheus.io/scrape=true", $"prometheus.io/port={Port}")).Succeeded();
        await ns.RolledOutAsync("prometheus");
        return new DebianPrometheus(cluster, await ns.GetAsync("{.items[0].status.podIP}", "pods", "-l", "app=prometheus"));
    }

    /// <summary>Each series of the answer, by the values of its labels.</summary>
    internal async Task<Dictionary<string, double>> AskAsync(string query, params string[] labels)
    {
        var answer = JsonNode.Parse((await _cluster.RunAsync("curl", ["-sS", "-m", "20", "-G", $"http://{_address}:{Port}/api/v1/query", "--data-urlencode", "query=" + query])).Succeeded())!;
        Assert.Equal("success", (string?)answer["status"]);
        return answer["data"]!["result"]!.AsArray().ToDictionary(
            one => string.Join(' ', labels.Select(label => (string?)one!["metric"]![label])), one => double.Parse((string)one!["value"]![1]!, CultureInfo.InvariantCulture));
    }

    /// <summary>One number; not a number where there is none yet.</summary>
    internal async Task<double> NumberAsync(string query) => (await AskAsync(query)).Values.DefaultIfEmpty(double.NaN).Single();

    /// <summary>What the reader of the sample has found: for each target its job, address and health.</summary>
    internal async Task<IReadOnlyList<(string Job, string Url, string Health, string Error)>> FoundAsync() =>
    [
        .. JsonNode.Parse((await _cluster.RunAsync("curl", ["-sS", "-m", "20", $"http://{_address}:{ReaderPort}/api/v1/targets?state=active"])).Succeeded())!["data"]!["activeTargets"]!.AsArray()
            .Select(one => ((string)one!["labels"]!["job"]!, (string)one["scrapeUrl"]!, (string)one["health"]!, (string?)one["lastError"] ?? "")),
    ];

    /// <summary>What Prometheus' own tool finds wrong with the metrics of an address; empty: nothing.</summary>
    internal static async Task<string> FaultsAsync(WeftCluster cluster, string address)
    {
        var text = (await cluster.RunAsync("curl", ["-sSf", "-m", "20", $"http://{address}/stats/prometheus"])).Succeeded();
        var (_, output, error) = await Shell.RunAsync(Path.Combine(Programs!, "promtool"), ["check", "metrics"], input: text);
        return output + error;
    }

    private static string Config(string ns, IReadOnlyList<string> proxies) => $$"""
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: prometheus-static}
        data:
          prometheus.yml: |
            global: {scrape_interval: 1s}
            scrape_configs:
            - job_name: weft-mesh
              metrics_path: /stats/prometheus
              static_configs: [{targets: ['{{string.Join("', '", proxies)}}']}]
            - job_name: itself
              dns_sd_configs: [{names: [_http._tcp.prometheus.{{ns}}.svc.cluster.local], refresh_interval: 1s}]
        """;

    private static string Deployment() => $$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: prometheus}
        spec:
          selector: {matchLabels: {app: prometheus} }
          template:
            metadata: {labels: {app: prometheus}, annotations: {prometheus.io/scrape: "true", prometheus.io/port: "{{Port}}"} }
            spec:
              runtimeClassName: process
              serviceAccountName: prometheus
              terminationGracePeriodSeconds: 1
              securityContext: {runAsUser: 65534, runAsGroup: 65534, runAsNonRoot: true, fsGroup: 65534}
              volumes:
              - {name: config, configMap: {name: prometheus-static} }
              - {name: sample, configMap: {name: prometheus} }
              - {name: data, emptyDir: {} }
              - {name: prometheus, hostPath: {path: "{{Programs}}"} }
              - {name: reader, hostPath: {path: "{{ReaderPrograms}}"} }
              containers:
              - name: prometheus
                image: host
                command: [/opt/prometheus/prometheus, --config.file=/etc/prometheus/prometheus.yml, --storage.tsdb.path=/data/prometheus]
                readinessProbe: {httpGet: {path: /-/ready, port: {{Port}} }, periodSeconds: 1}
                volumeMounts: [{name: config, mountPath: /etc/prometheus}, {name: data, mountPath: /data}, {name: prometheus, mountPath: /opt/prometheus}]
              - name: reader
                image: host
                command: [/opt/reader/victoria-metrics, -promscrape.config=/etc/prometheus/prometheus.yml, -storageDataPath=/data/reader, "-httpListenAddr=:{{ReaderPort}}"]
                readinessProbe: {tcpSocket: {port: {{ReaderPort}} }, periodSeconds: 1}
                volumeMounts: [{name: sample, mountPath: /etc/prometheus}, {name: data, mountPath: /data}, {name: reader, mountPath: /opt/reader}]
        """;
}
