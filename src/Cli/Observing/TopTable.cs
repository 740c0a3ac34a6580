using Weft.Proxy.Config.Inspection;

namespace Weft.Cli.Observing;

/// <param name="Name">Service, workload or route.</param>
/// <param name="SuccessRate">0 to 1: answers that are no server error; null without requests.</param>
/// <param name="P50">Milliseconds; null without requests.</param>
/// <param name="MutualTls">0 to 1, of those requests of which it is known; null: of none.</param>
public sealed record TopRow(string Namespace, string Name, double RequestsPerSecond, double? SuccessRate, double? P50, double? P95, double? P99, double? MutualTls);

/// <summary>From what proxies have counted, twice, to rates; and from requests that were seen. Pure.</summary>
public static class TopTable
{
    private const string Requests = "istio_requests_total", Buckets = "istio_request_duration_milliseconds_bucket";

    /// <param name="kind">`services` or `workloads`.</param>
    /// <param name="before">By node, `/metrics` of each.</param>
    /// <param name="after">Likewise, later. A node that was not there before counts from its beginning.</param>
    public static IReadOnlyList<TopRow> OfMetrics(string kind, IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after, TimeSpan between)
    {
        var groups = new Dictionary<(string Namespace, string Name), Counts>();
        foreach (var (node, text) in after)
        {
            var old = Series(before.GetValueOrDefault(node, ""));
            foreach (var (key, (sample, value)) in Series(text))
            {
                // A proxy that was started again counts from 0.
                var earlier = old.TryGetValue(key, out var known) ? known.Value : 0;
                var more = value >= earlier ? value - earlier : value;
                if (more <= 0 || NameOf(kind, sample.Labels) is not { } name)
                    continue;
                if (!groups.TryGetValue(name, out var counts))
                    groups[name] = counts = new Counts();
                counts.Add(sample, more);
            }
        }

        return [.. groups.Where(group => group.Value.All > 0).Select(group => group.Value.Row(group.Key.Namespace, group.Key.Name, between)).OrderByDescending(row => row.RequestsPerSecond).ThenBy(row => row.Namespace, StringComparer.Ordinal).ThenBy(row => row.Name, StringComparer.Ordinal)];
    }

    /// <summary>By host and rule, of all requests that were sent in the time.</summary>
    public static IReadOnlyList<TopRow> OfRequests(IEnumerable<ObservedRequest> requests, TimeSpan time) =>
    [
        .. from request in requests
           where request is { IsHttp: true, Side: not "in", Route: not null }
           group request by (Namespace: request.Destination.Namespace ?? "", Name: $"{RequestTexts.Short(request.Destination.Host ?? request.Authority)} {request.Route}") into route
           let times = route.Select(one => one.Milliseconds).Order().ToList()
           let known = route.Where(one => one.Security is not null).ToList()
           orderby times.Count descending, route.Key.Namespace, route.Key.Name
           select new TopRow(route.Key.Namespace, route.Key.Name, times.Count / time.TotalSeconds, route.Count(one => one.Status is > 0 and < 500 && one.GrpcStatus is null or 0) / (double)times.Count,
               At(times, 0.5), At(times, 0.95), At(times, 0.99), known.Count == 0 ? null : known.Count(one => one.Security is "mtls" or "local") / (double)known.Count),
    ];

    /// <summary>As Prometheus' histogram_quantile: in a straight line within the bucket, and the last bound for what is above all.</summary>
    /// <param name="buckets">Bounds with the counts of all that is not above them.</param>
    public static double? Quantile(double quantile, IReadOnlyList<(double Bound, double Count)> buckets)
    {
        var all = buckets.Count == 0 ? 0 : buckets[^1].Count;
        if (all <= 0)
            return null;
        var rank = quantile * all;
        var (lower, below) = (0.0, 0.0);
        foreach (var (bound, count) in buckets)
        {
            if (count >= rank && count > below)
                return double.IsPositiveInfinity(bound) ? lower : lower + ((bound - lower) * (rank - below) / (count - below));
            if (!double.IsPositiveInfinity(bound))
                lower = bound;
            below = count;
        }

        return lower;
    }

    private static double At(List<double> sorted, double quantile) => sorted[(int)Math.Min(sorted.Count - 1, Math.Floor(quantile * sorted.Count))];

    private static Dictionary<string, (MetricSample Sample, double Value)> Series(string text)
    {
        var series = new Dictionary<string, (MetricSample, double)>();
        foreach (var sample in PrometheusReader.Read(text, name => name is Requests or Buckets))
            series[sample.Name + string.Concat(sample.Labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"\0{label.Key}\0{label.Value}"))] = (sample, sample.Value);
        return series;
    }

    private static (string, string)? NameOf(string kind, IReadOnlyDictionary<string, string> labels)
    {
        string Label(string name) => labels.GetValueOrDefault(name, "unknown");
        return kind == "services"
            ? Label("destination_service") is "unknown" or "" ? null : (Label("destination_service_namespace"), RequestTexts.Short(Label("destination_service")))
            : Label("destination_workload") is "unknown" or "" ? null : (Label("destination_workload_namespace"), Label("destination_workload"));
    }

    private sealed class Counts
    {
        private readonly SortedDictionary<double, double> _buckets = [];
        private double _all, _failed, _known, _mutual;

        public double All => _all;

        public void Add(MetricSample sample, double more)
        {
            // Most requests are counted on both sides; where they were sent there is one more always, but of clients outside of the mesh.
            var isSent = sample.Labels.GetValueOrDefault("reporter") == "source";
            var security = sample.Labels.GetValueOrDefault("connection_security_policy");
            if (sample.Name == Requests && !isSent && security is "mutual_tls" or "none")
            {
                _known += more;
                _mutual += security == "mutual_tls" ? more : 0;
            }

            if (!isSent && sample.Labels.GetValueOrDefault("source_workload") is not ("unknown" or "" or null))
                return;
            if (sample.Name == Buckets)
            {
                var bound = sample.Labels.GetValueOrDefault("le") is { } text && text != "+Inf" && double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : double.PositiveInfinity;
                _buckets[bound] = _buckets.GetValueOrDefault(bound) + more;
                return;
            }

            _all += more;
            var code = sample.Labels.GetValueOrDefault("response_code", "");
            if (code is "" or "0" || code[0] == '5' || sample.Labels.GetValueOrDefault("grpc_response_status") is not ("" or "0" or null))
                _failed += more;
        }

        public TopRow Row(string @namespace, string name, TimeSpan between)
        {
            var buckets = _buckets.Select(pair => (pair.Key, pair.Value)).ToList();
            return new(@namespace, name, _all / between.TotalSeconds, _all > 0 ? 1 - (_failed / _all) : null, Quantile(0.5, buckets), Quantile(0.95, buckets), Quantile(0.99, buckets), _known > 0 ? _mutual / _known : null);
        }
    }
}
