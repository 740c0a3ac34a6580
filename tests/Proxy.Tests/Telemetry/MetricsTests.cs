using Weft.Proxy.Config.Units;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Telemetry.Metrics;
using Weft.Proxy.Telemetry.Workloads;

namespace Weft.Proxy.Tests.Telemetry;

public sealed class MetricsTests
{
    private readonly InternTable<WorkloadLabels> _sources = new(new WorkloadLabels(), 100);
    private readonly InternTable<DestinationLabels> _destinations = new(new DestinationLabels(), 100);
    private readonly InternTable<SeriesRules> _rules = new(SeriesRules.None, 100);

    [Fact]
    public void Loops_are_added_up_under_istios_names()
    {
        var cart = _destinations.Intern(new DestinationLabels { Service = "cart.shop.svc.cluster.local", ServiceName = "cart", ServiceNamespace = "shop" });
        var (one, two) = (new LoopMetrics(), new LoopMetrics());
        one.Record(Key(cart, 200), new RequestSample(3, 0, 120));
        one.Record(Key(cart, 200), new RequestSample(7, 0, 120));
        two.Record(Key(cart, 200), new RequestSample(20_000_000, 10, 0));
        two.Record(Key(cart, 503) with { Flags = ResponseFlags.UpstreamConnectionFailure | ResponseFlags.RetryLimit }, new RequestSample(1, 0, 0));

        var text = Text(one, two);

        Assert.Contains("# TYPE istio_requests_total counter\n", text, StringComparison.Ordinal);
        Assert.Matches(@"istio_requests_total\{[^}]*destination_service=""cart\.shop\.svc\.cluster\.local""[^}]*response_code=""200""[^}]*\} 3\n", text);
        Assert.Matches(@"istio_requests_total\{[^}]*response_code=""503""[^}]*response_flags=""UF,URX""[^}]*\} 1\n", text);
        Assert.Matches(@"istio_request_duration_milliseconds_bucket\{[^}]*response_code=""200""[^}]*le=""5""\} 1\n", text);
        Assert.Matches(@"istio_request_duration_milliseconds_bucket\{[^}]*response_code=""200""[^}]*le=""10""\} 2\n", text);
        Assert.Matches(@"istio_request_duration_milliseconds_bucket\{[^}]*response_code=""200""[^}]*le=""3600000""\} 2\n", text);
        Assert.Matches(@"istio_request_duration_milliseconds_bucket\{[^}]*response_code=""200""[^}]*le=""\+Inf""\} 3\n", text);
        Assert.Matches(@"istio_request_duration_milliseconds_count\{[^}]*response_code=""200""[^}]*\} 3\n", text);
        Assert.Matches(@"istio_response_bytes_sum\{[^}]*response_code=""200""[^}]*\} 240\n", text);
    }

    [Fact]
    public void Names_cannot_break_the_text()
    {
        var bad = _destinations.Intern(new DestinationLabels { Service = "a\"} 1\nevil{b=\"\\" });
        var loop = new LoopMetrics();
        loop.Record(Key(bad, 200), new RequestSample(1, 0, 0));

        var text = Text(loop);

        Assert.Contains(@"destination_service=""a\""} 1\nevil{b=\""\\""", text, StringComparison.Ordinal);
        Assert.All(text.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Matches("^(# |istio_)", line));
    }

    [Fact]
    public void Made_up_names_do_not_fill_the_memory()
    {
        var loop = new LoopMetrics(limit: 10);
        for (var i = 1; i <= 1000; i++)
            loop.Record(Key(i, 200), new RequestSample(1, 0, 0));
        var table = new InternTable<string>("", 10);

        Assert.Equal(11, loop.Series.Length);
        Assert.Equal(1000, loop.Series.ToArray().Sum(one => one.Requests));
        Assert.Equal(10, Enumerable.Range(0, 1000).Select(i => table.Intern($"n{i}")).Max());
        Assert.Equal(0, table.Intern("one more"));
        Assert.Equal("n3", table[table.Intern("n3")]);
    }

    [Fact]
    public void A_request_of_a_known_series_allocates_nothing()
    {
        var loop = new LoopMetrics();
        for (var i = 0; i < 4; i++)
            loop.Record(Key(i, 200), new RequestSample(1, 0, 0));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            loop.Record(Key(i % 4, 200), new RequestSample(1, 0, 0));

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    // Prometheus refuses no such text, but keeps one of two samples with the same labels: what the other has counted is lost.
    [Fact]
    public void A_rule_for_one_metric_leaves_no_two_samples_of_another_with_the_same_labels()
    {
        var rule = _rules.Intern(new SeriesRules([new MetricChange { Metric = "istio_request_bytes", Disabled = true }, new MetricChange { Metric = "istio_response_bytes", Labels = [new LabelChange("response_code")] }]));
        var loop = new LoopMetrics();
        loop.Record(Key(0, 200), new RequestSample(1, 5, 7));
        loop.Record(Key(0, 200) with { Rules = rule }, new RequestSample(1, 5, 7));
        loop.Record(Key(0, 404) with { Rules = rule }, new RequestSample(1, 5, 7));

        var text = Text(loop);

        var series = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#').Select(line => line[..line.LastIndexOf(' ')]).ToList();
        Assert.Equal(series.Distinct(), series);
        Assert.Matches(@"istio_requests_total\{[^}]*response_code=""200""[^}]*\} 2\n", text);
        Assert.Matches(@"istio_request_bytes_count\{[^}]*response_code=""200""[^}]*\} 1\n", text);
        Assert.Matches(@"istio_response_bytes_count\{((?!response_code)[^}])*\} 2\n", text);
    }

    private static SeriesKey Key(int destination, short status) => new(0, destination, status, -1, ResponseFlags.None, Reporter.Destination, RequestProtocol.Http, SecurityPolicy.None);

    private string Text(params LoopMetrics[] loops)
    {
        using var text = new StringWriter { NewLine = "\n" };
        new IstioMetrics(_sources, _destinations, _rules).Write(loops, new PrometheusText(text));
        return text.ToString();
    }
}
