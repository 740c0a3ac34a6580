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

    private string LabelsOf(in SeriesKey key, PrometheusText text)
    {
        var source = sources[key.Source];
        var to = destinations[key.Destination];
        return text.Labels(
        [
            ("reporter", key.Reporter == Reporter.Source ? "source" : "destination"),
            ("source_workload", source.Workload),
            ("source_workload_namespace", source.Namespace),
            ("source_principal", source.Principal),
            ("source_app", source.App),
            ("source_version", source.Version),
            ("source_cluster", source.Cluster),
            ("destination_workload", to.Workload.Workload),
            ("destination_workload_namespace", to.Workload.Namespace),
            ("destination_principal", to.Workload.Principal),
            ("destination_app", to.Workload.App),
            ("destination_version", to.Workload.Version),
            ("destination_cluster", to.Workload.Cluster),
            ("destination_service", to.Service),
            ("destination_service_name", to.ServiceName),
            ("destination_service_namespace", to.ServiceNamespace),
            ("request_protocol", key.Protocol == RequestProtocol.Grpc ? "grpc" : "http"),
            ("response_code", key.Status.ToString(CultureInfo.InvariantCulture)),
            ("grpc_response_status", key.GrpcStatus < 0 ? "" : key.GrpcStatus.ToString(CultureInfo.InvariantCulture)),
            ("response_flags", ResponseFlagText.Of(key.Flags)),
            ("connection_security_policy", key.Security switch { SecurityPolicy.MutualTls => "mutual_tls", SecurityPolicy.None => "none", _ => "unknown" }),
        ]);
    }
}
