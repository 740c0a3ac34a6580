using System.Globalization;
using Weft.Proxy.Telemetry.Workloads;

namespace Weft.Proxy.Telemetry.Metrics;

/// <summary>What all loops have counted, under the names and labels of Istio's standard metrics (istio.io, "Istio Standard Metrics").</summary>
internal sealed class IstioMetrics(InternTable<WorkloadLabels> sources, InternTable<DestinationLabels> destinations, InternTable<SeriesRules> rules)
{
    public void Write(IReadOnlyList<LoopMetrics> loops, PrometheusText text)
    {
        var all = Merge(loops);
        var labels = all.ConvertAll(one => LabelsOf(one.Key));
        var written = labels.ConvertAll(one => text.Labels(one));
        // With rules two series may have the same labels: what was counted before a rule came, and what it leaves as it was. Prometheus keeps one of such samples.
        var ruled = all.Exists(one => one.Key.Rules != 0);
        var sums = new Dictionary<string, RequestSeries>();
        Counter("istio_requests_total", "Requests that were answered, or given up by the client.", one => one.Requests);
        Each("istio_request_duration_milliseconds", "histogram", "From the first byte of a request to the last byte of its response.", (name, label, one) => text.Histogram(name, label, one.Milliseconds));
        Each("istio_request_bytes", "histogram", "Bytes of request bodies.", (name, label, one) => text.Histogram(name, label, one.RequestBytes));
        Each("istio_response_bytes", "histogram", "Bytes of response bodies.", (name, label, one) => text.Histogram(name, label, one.ResponseBytes));
        Counter("istio_request_messages_total", "gRPC messages of clients.", one => one.RequestMessages, grpc: true);
        Counter("istio_response_messages_total", "gRPC messages of servers.", one => one.ResponseMessages, grpc: true);

        void Counter(string name, string help, Func<RequestSeries, long> value, bool grpc = false) => Each(name, "counter", help, (_, label, one) => text.Sample(name, label, value(one)), grpc);

        void Each(string name, string type, string help, Action<string, string, RequestSeries> write, bool grpc = false)
        {
            text.Family(name, type, help);
            for (var i = 0; i < all.Count; i++)
            {
                var one = all[i];
                if (grpc && one.Key.Protocol != RequestProtocol.Grpc)
                    continue;
                if (!ruled)
                    write(name, written[i], one);
                else if (one.Key.Rules == 0)
                    Sum(sums, written[i], one);
                else if (rules[one.Key.Rules] is var rule && rule.Leaves(name))
                    Sum(sums, text.Labels(rule.Apply(name, labels[i])), one);
            }

            foreach (var (label, one) in sums)
                write(name, label, one);
            sums.Clear();
        }
    }

    /// <summary>Of connections. Bytes count as they pass.</summary>
    public void WriteConnections(IReadOnlyList<LoopMetrics> loops, PrometheusText text)
    {
        var all = loops.SelectMany(loop => loop.Tunnels.Series).GroupBy(pair => pair.Key, pair => pair.Value).Select(group => (group.Key, Labels: LabelsOf(group.Key), Series: group.ToList())).ToList();
        Each("istio_tcp_connections_opened_total", "Connections that were opened.", one => one.Opened);
        Each("istio_tcp_connections_closed_total", "Connections that have ended.", one => one.Closed);
        Each("istio_tcp_sent_bytes_total", "Bytes of answers.", one => one.Sent);
        Each("istio_tcp_received_bytes_total", "Bytes of clients.", one => one.Received);

        void Each(string name, string help, Func<ConnectionSeries, long> value)
        {
            text.Family(name, "counter", help);
            foreach (var group in all.Where(one => rules[one.Key.Rules].Leaves(name)).GroupBy(one => text.Labels(rules[one.Key.Rules].Apply(name, one.Labels)), one => one.Series.Sum(value)))
                text.Sample(name, group.Key, group.Sum());
        }
    }

    private static List<RequestSeries> Merge(IReadOnlyList<LoopMetrics> loops)
    {
        var total = new Dictionary<SeriesKey, RequestSeries>();
        foreach (var loop in loops)
        {
            foreach (var one in loop.Series)
            {
                if (!total.TryGetValue(one.Key, out var sum))
                    total.Add(one.Key, sum = new RequestSeries(one.Key));
                one.AddTo(sum);
            }
        }

        return [.. total.Values];
    }

    private static void Sum(Dictionary<string, RequestSeries> into, string labels, RequestSeries one)
    {
        if (!into.TryGetValue(labels, out var sum))
            into.Add(labels, sum = new RequestSeries(one.Key));
        one.AddTo(sum);
    }

    private (string Name, string Value)[] LabelsOf(in SeriesKey key) =>
    [
        .. Ends(key.Reporter, key.Source, key.Destination),
        ("request_protocol", key.Protocol == RequestProtocol.Grpc ? "grpc" : "http"),
        ("response_code", key.Status.ToString(CultureInfo.InvariantCulture)),
        ("grpc_response_status", key.GrpcStatus < 0 ? "" : key.GrpcStatus.ToString(CultureInfo.InvariantCulture)),
        ("response_flags", ResponseFlagText.Of(key.Flags)),
        ("connection_security_policy", Security(key.Security)),
    ];

    private (string Name, string Value)[] LabelsOf(in ConnectionKey key) =>
        [.. Ends(key.Reporter, key.Source, key.Destination), ("request_protocol", "tcp"), ("response_flags", "-"), ("connection_security_policy", Security(key.Security))];

    private static string Security(SecurityPolicy policy) => policy switch { SecurityPolicy.MutualTls => "mutual_tls", SecurityPolicy.None => "none", _ => "unknown" };

    private (string Name, string Value)[] Ends(Reporter reporter, int source, int destination)
    {
        var from = sources[source];
        var to = destinations[destination];
        return
        [
            ("reporter", reporter == Reporter.Source ? "source" : "destination"),
            ("source_workload", from.Workload),
            ("source_workload_namespace", from.Namespace),
            ("source_principal", from.Principal),
            ("source_app", from.App),
            ("source_version", from.Version),
            ("source_cluster", from.Cluster),
            ("source_canonical_service", from.CanonicalService),
            ("source_canonical_revision", from.CanonicalRevision),
            ("destination_workload", to.Workload.Workload),
            ("destination_workload_namespace", to.Workload.Namespace),
            ("destination_principal", to.Workload.Principal),
            ("destination_app", to.Workload.App),
            ("destination_version", to.Workload.Version),
            ("destination_cluster", to.Workload.Cluster),
            ("destination_canonical_service", to.Workload.CanonicalService),
            ("destination_canonical_revision", to.Workload.CanonicalRevision),
            ("destination_service", to.Service),
            ("destination_service_name", to.ServiceName),
            ("destination_service_namespace", to.ServiceNamespace),
        ];
    }
}
