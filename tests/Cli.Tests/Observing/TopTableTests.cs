using Weft.Cli.Observing;
using Weft.Proxy.Config.Inspection;

namespace Weft.Cli.Tests.Observing;

public sealed class TopTableTests
{
    private static readonly TimeSpan Ten = TimeSpan.FromSeconds(10);

    private static string Series(string service, int status, long requests, (double Bound, long Count)[] buckets, string reporter = "source", string source = "front", string security = "unknown")
    {
        var labels = $"reporter=\"{reporter}\",source_workload=\"{source}\",destination_workload=\"{service}\",destination_workload_namespace=\"shop\",destination_service=\"{service}.shop.svc.cluster.local\",destination_service_namespace=\"shop\",response_code=\"{status}\",grpc_response_status=\"\",connection_security_policy=\"{security}\"";
        return $"istio_requests_total{{{labels}}} {requests}\n" + string.Concat(buckets.Select(bucket => $"istio_request_duration_milliseconds_bucket{{{labels},le=\"{(double.IsInfinity(bucket.Bound) ? "+Inf" : FormattableString.Invariant($"{bucket.Bound}"))}\"}} {bucket.Count}\n"));
    }

    [Fact]
    public void Samples_are_read_with_escaped_labels_and_everything_else_is_passed_over()
    {
        var samples = PrometheusReader.Read("# HELP a b\n# TYPE a counter\na{x=\"1\",y=\"q\\\"\\\\\\n}\"} 2.5\nb 7\nbad{x=\"\nbad{x\nc{} 1e3\n\n").ToList();
        Assert.Equal(["a", "b", "c"], samples.Select(sample => sample.Name));
        Assert.Equal(("1", "q\"\\\n}", 2.5), (samples[0].Labels["x"], samples[0].Labels["y"], samples[0].Value));
        Assert.Equal(1000, samples[2].Value);
    }

    [Fact]
    public void Rates_are_what_came_between_two_looks_of_all_nodes()
    {
        var before = new Dictionary<string, string> { ["n1"] = Series("web", 200, 100, [(10, 100), (double.PositiveInfinity, 100)]), ["n2"] = Series("web", 200, 1000, []) };
        var after = new Dictionary<string, string>
        {
            ["n1"] = Series("web", 200, 190, [(10, 190), (double.PositiveInfinity, 190)]) + Series("web", 503, 10, []),
            // Started again: it counts from 0.
            ["n2"] = Series("web", 200, 50, []),
            ["n3"] = Series("db", 200, 20, []),
        };
        var rows = TopTable.OfMetrics("services", before, after, Ten);
        Assert.Equal(["web.shop", "db.shop"], rows.Select(row => row.Name));
        Assert.Equal((15.0, 1 - (10 / 150.0)), (rows[0].RequestsPerSecond, rows[0].SuccessRate!.Value));
        Assert.Equal(5.0, rows[0].P50!.Value, 3);
        Assert.Null(rows[1].P99);
        Assert.Empty(TopTable.OfMetrics("services", after, after, Ten));
    }

    [Fact]
    public void A_request_that_both_sides_have_counted_is_one_and_its_side_of_arrival_knows_of_mutual_tls()
    {
        var text = Series("web", 200, 10, [], security: "unknown") + Series("web", 200, 8, [], reporter: "destination", security: "mutual_tls") + Series("web", 200, 2, [], reporter: "destination", source: "unknown", security: "none");
        var row = Assert.Single(TopTable.OfMetrics("workloads", new Dictionary<string, string>(), new Dictionary<string, string> { ["n1"] = text }, Ten));
        Assert.Equal(("shop", "web", 1.2, 0.8), (row.Namespace, row.Name, row.RequestsPerSecond, row.MutualTls!.Value));
    }

    [Theory]
    [InlineData(0.5, 10.0)]
    [InlineData(0.9, 100.0)]
    [InlineData(0.95, 100.0)]
    [InlineData(0.25, 5.0)]
    public void Quantiles_are_in_a_straight_line_within_their_bucket(double quantile, double expected) =>
        Assert.Equal(expected, TopTable.Quantile(quantile, [(10, 50), (100, 90), (double.PositiveInfinity, 100)])!.Value, 6);

    [Fact]
    public void Nothing_has_no_quantile() => Assert.Null(TopTable.Quantile(0.5, []));

    [Fact]
    public void Routes_are_counted_where_requests_are_sent()
    {
        ObservedRequest Sent(string route, int status, double ms, string side = "out", string? security = "mtls") => new()
        {
            Side = side, Protocol = "HTTP/1.1", Route = route, Status = status, Milliseconds = ms, Security = security, Destination = new() { Namespace = "shop", Host = "web.shop.svc.cluster.local" },
        };
        var rows = TopTable.OfRequests([.. Enumerable.Range(1, 100).Select(i => Sent("shop/web/http[0]", i > 95 ? 503 : 200, i, security: i > 50 ? "mtls" : "plain")), Sent("default", 0, 1), Sent("x", 200, 1, "in")], Ten);
        Assert.Equal(new TopRow("shop", "web.shop shop/web/http[0]", 10, 0.95, 51, 96, 100, 0.5), rows[0]);
        Assert.Equal(("web.shop default", 0.0), (rows[1].Name, rows[1].SuccessRate!.Value));
        Assert.Equal(2, rows.Count);
        Assert.Equal("""
            NAMESPACE   ROUTE                       REQ/S   SUCCESS    P50    P95     P99   MTLS
            shop        web.shop shop/web/http[0]    10.0       95%   51ms   96ms   100ms    50%
            shop        web.shop default              0.1        0%    1ms    1ms     1ms   100%

            """, TopCommand.Table("routes", rows));
    }
}
