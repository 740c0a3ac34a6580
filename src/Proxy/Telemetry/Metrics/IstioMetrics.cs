using System.Globalization;

namespace Weft.Proxy.Telemetry.Metrics;

/// <summary>What all loops have counted, under the names and labels of Istio's standard metrics (istio.io, "Istio Standard Metrics").</summary>
internal sealed class IstioMetrics(InternTable<WorkloadLabels> sources, InternTable<DestinationLabels> destinations)
{
    public void Write(IReadOnlyList<LoopMetrics> loops, PrometheusText text)
    {
        var series = Merge(loops);
        var labels = series.ConvertAll(one => LabelsOf(one.Key, text));
        text.Family("istio_requests_total", "counter", "Requests that were answered, or given up by the client.");
        Each((one, label) => text.Sample("istio_requests_total", label, one.Requests));
        text.Family("istio_request_duration_milliseconds", "histogram", "From the first byte of a request to the last byte of its response.");
        Each((one, label) => text.Histogram("istio_request_duration_milliseconds", label, one.Milliseconds));
        text.Family("istio_request_bytes", "histogram", "Bytes of request bodies.");
        Each((one, label) => text.Histogram("istio_request_bytes", label, one.RequestBytes));
        text.Family("istio_response_bytes", "histogram", "Bytes of response bodies.");
        Each((one, label) => text.Histogram("istio_response_bytes", label, one.ResponseBytes));
        text.Family("istio_request_messages_total", "counter", "gRPC messages of clients.");
        Each((one, label) => text.Sample("istio_request_messages_total", label, one.RequestMessages), grpc: true);
        text.Family("istio_response_messages_total", "counter", "gRPC messages of servers.");
        Each((one, label) => text.Sample("istio_response_messages_total", label, one.ResponseMessages), grpc: true);

        void Each(Action<RequestSeries, string> write, bool grpc = false)
        {
            for (var i = 0; i < series.Count; i++)
            {
                if (!grpc || series[i].Key.Protocol == RequestProtocol.Grpc)
                    write(series[i], labels[i]);
            }
        }
    }

    /// <summary>Of connections. Bytes count when the connection has ended.</summary>
    public void WriteConnections(IReadOnlyList<LoopMetrics> loops, PrometheusText text)
    {
        var all = loops.SelectMany(loop => loop.Tunnels.Series).GroupBy(pair => pair.Key, pair => pair.Value).Select(group => (Labels: LabelsOf(group.Key, text), Series: group.ToList())).ToList();
        Each("istio_tcp_connections_opened_total", "Connections that were opened.", one => one.Opened);
        Each("istio_tcp_connections_closed_total", "Connections that have ended.", one => one.Closed);
        Each("istio_tcp_sent_bytes_total", "Bytes of answers.", one => one.Sent);
        Each("istio_tcp_received_bytes_total", "Bytes of clients.", one => one.Received);

        void Each(string name, string help, Func<ConnectionSeries, long> value)
        {
            text.Family(name, "counter", help);
            foreach (var (labels, series) in all)
                text.Sample(name, labels, series.Sum(value));
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

    private string LabelsOf(in SeriesKey key, PrometheusText text) => text.Labels(
    [
        .. Ends(key.Reporter, key.Source, key.Destination),
        ("request_protocol", key.Protocol == RequestProtocol.Grpc ? "grpc" : "http"),
        ("response_code", key.Status.ToString(CultureInfo.InvariantCulture)),
        ("grpc_response_status", key.GrpcStatus < 0 ? "" : key.GrpcStatus.ToString(CultureInfo.InvariantCulture)),
        ("response_flags", ResponseFlagText.Of(key.Flags)),
        ("connection_security_policy", Security(key.Security)),
    ]);

    private string LabelsOf(in ConnectionKey key, PrometheusText text) =>
        text.Labels([.. Ends(key.Reporter, key.Source, key.Destination), ("request_protocol", "tcp"), ("response_flags", "-"), ("connection_security_policy", Security(key.Security))]);

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
            ("destination_workload", to.Workload.Workload),
            ("destination_workload_namespace", to.Workload.Namespace),
            ("destination_principal", to.Workload.Principal),
            ("destination_app", to.Workload.App),
            ("destination_version", to.Workload.Version),
            ("destination_cluster", to.Workload.Cluster),
            ("destination_service", to.Service),
            ("destination_service_name", to.ServiceName),
            ("destination_service_namespace", to.ServiceNamespace),
        ];
    }
}
