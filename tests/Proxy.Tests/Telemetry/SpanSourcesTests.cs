using Weft.Proxy.Config.Units;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Telemetry.Workloads;

namespace Weft.Proxy.Tests.Telemetry;

public sealed class SpanSourcesTests
{
    private static SpanSource Of(string pod) => new("otel", new SpanResource("web", "shop", pod, "n1"), true, []);

    // Pods come and go for as long as a node lives: their numbers were never given back, and after 50,000 pods there was no more tracing.
    [Fact]
    public void Numbers_of_those_that_are_gone_are_given_to_others()
    {
        var sources = new SpanSources(limit: 3, resting: 1);
        for (var i = 0; i < 100; i++)
        {
            var (one, two) = (sources.Take(Of($"a{i}")), sources.Take(Of($"b{i}")));
            Assert.Equal(($"a{i}", $"b{i}"), (sources[one].Resource.Pod, sources[two].Resource.Pod));
            sources.GiveBack(one);
            sources.GiveBack(two);
        }
    }

    [Fact]
    public void A_number_that_was_given_back_names_its_own_while_its_place_rests_and_then_nobody()
    {
        var sources = new SpanSources(limit: 2, resting: 1);
        var gone = sources.Take(Of("gone"));
        sources.GiveBack(gone);
        Assert.Equal("gone", sources[gone].Resource.Pod);
        sources.Take(Of("next"));
        Assert.Equal("gone", sources[gone].Resource.Pod);
        var after = sources.Take(Of("after"));
        Assert.Equal("after", sources[after].Resource.Pod);
        Assert.Equal(SpanSource.Nobody, sources[gone]);
        // More than there may be have none.
        Assert.Equal(0, sources.Take(Of("too many")));
        Assert.Equal(SpanSource.Nobody, sources[0]);
        Assert.Equal(SpanSource.Nobody, sources[int.MaxValue]);
    }

    [Fact]
    public void A_workload_whose_settings_change_keeps_its_number_where_its_spans_stay_the_same()
    {
        var (names, cell, resource) = (new ProxyNames(), new TelemetryCell(), new SpanResource("web", "shop", "a", "n1"));
        var traced = new SideTelemetry { Trace = new TraceSettings("otel") };
        cell.Publish(traced, resource, isClient: true, trustDecision: true, names);
        var first = cell.Current.Spans;
        cell.Publish(traced with { Trace = traced.Trace with { Percent = 50 } }, resource, isClient: true, trustDecision: true, names);
        Assert.Equal(first, cell.Current.Spans);
        cell.Publish(traced with { Trace = traced.Trace with { Collector = "other" } }, resource, isClient: true, trustDecision: true, names);
        Assert.NotEqual(first, cell.Current.Spans);
        Assert.Equal("other", names.SpanSources[cell.Current.Spans].Collector);
        cell.Publish(new SideTelemetry(), resource, isClient: true, trustDecision: true, names);
        Assert.Equal(0, cell.Current.Spans);
        cell.End(names);
    }
}
