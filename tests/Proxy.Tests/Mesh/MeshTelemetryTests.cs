using System.Text;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Tests.Telemetry;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>What workloads tell of what they send and are sent: logs, metrics, traces, as each is told to.</summary>
public sealed class MeshTelemetryTests : IAsyncLifetime
{
    private const string Client = "127.1.0.1", Service = "127.2.0.1", Name = "a.shop.svc.cluster.local", Otel = "otel.tools.svc.cluster.local";
    private readonly MeshBed _bed = new();
    private readonly Pod _pod = new("pod", "127.1.0.11");

    public ValueTask InitializeAsync()
    {
        Tell(null, null);
        _bed.Apply(MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(_pod)));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _bed.DisposeAsync();
        _pod.Dispose();
    }

    private void Tell(SideTelemetry? client, SideTelemetry? server) => Assert.Empty(_bed.Apply(
        MeshBed.Workload("client-7d4f-x2k9p", Client, "front", more: unit => unit with
        {
            Labels = new ValueMap([new("app", "client"), new("pod-template-hash", "7d4f")]), Telemetry = client is null ? null : new WorkloadTelemetry { Client = client },
        }),
        MeshBed.Workload("pod", _pod.Address, more: unit => unit with { Telemetry = server is null ? null : new WorkloadTelemetry { Server = server } })));

    private void Get(string path = "/", string headers = "") => Assert.Equal(200, _bed.Get(Client, Service, 80, path, headers).Status);

    private async Task<string> LogAsync(string last)
    {
        string Text() => Encoding.UTF8.GetString(_bed.Access.ToArray());
        await Eventually.TrueAsync(() => Text().Contains(last, StringComparison.Ordinal));
        return Text();
    }

    private string Metrics()
    {
        using var text = new StringWriter();
        _bed.Proxy.WriteMetrics(text);
        return text.ToString();
    }

    [Fact]
    public async Task A_workload_that_is_not_to_be_logged_is_not_and_one_that_is_by_a_rule()
    {
        Tell(new SideTelemetry { Logged = false }, null);
        Get("/silent");
        Tell(new SideTelemetry { Log = new LogRule(LogOperator.Any) { Parts = [new LogRule(LogOperator.Equal) { Attribute = LogAttribute.Header, Header = "x-debug", Text = "yes" }, new LogRule(LogOperator.Greater) { Number = 399 }] } }, null);
        Get("/dull");
        Get("/chosen", "x-debug: yes\r\n");
        Tell(null, null);
        Get("/last");
        var log = await LogAsync("/last");
        Assert.DoesNotContain("/silent", log);
        Assert.DoesNotContain("/dull", log);
        Assert.Contains("/chosen", log);
    }

    [Fact]
    public async Task An_open_connection_is_told_of_as_the_newest_rules_say()
    {
        using var socket = _bed.Dial(Client, Service, 80);
        Assert.Equal(200, MeshBed.Get(socket, "/before").Status);
        Tell(new SideTelemetry { Logged = false }, null);
        Assert.Equal(200, MeshBed.Get(socket, "/during").Status);
        Tell(null, null);
        Assert.Equal(200, MeshBed.Get(socket, "/after").Status);
        var log = await LogAsync("/after");
        Assert.Contains("/before", log);
        Assert.DoesNotContain("/during", log);
    }

    [Fact]
    public void Labels_are_removed_and_set_and_metrics_left_out()
    {
        Tell(new SideTelemetry
        {
            Metrics =
            [
                new MetricChange { Disabled = true },
                new MetricChange { Metric = "istio_requests_total", Disabled = false, Labels = [new LabelChange("response_code"), new LabelChange("color", "blue"), new LabelChange("source_app", "other")] },
            ],
        }, null);
        Get();
        _bed.Apply(MeshBed.Backends(Name, 80));
        Assert.Equal(503, _bed.Get(Client, Service, 80).Status);
        var metrics = Metrics();
        var lines = metrics.Split('\n').Where(line => line.StartsWith("istio_requests_total{", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, lines.Count); // response_flags differ
        Assert.All(lines, line => Assert.DoesNotContain("response_code=", line));
        Assert.All(lines, line => Assert.Contains("source_app=\"other\"", line));
        Assert.All(lines, line => Assert.Contains("color=\"blue\"", line));
        Assert.DoesNotContain("istio_request_bytes_sum{", metrics);
        Tell(null, null);
        Assert.Equal(503, _bed.Get(Client, Service, 80).Status);
        Assert.Contains("istio_request_bytes_sum{", Metrics());
    }

    [Fact]
    public void Series_that_are_one_without_a_label_are_added_up()
    {
        Tell(new SideTelemetry { Metrics = [new MetricChange { Labels = [new LabelChange("destination_workload"), new LabelChange("destination_service"), new LabelChange("destination_service_name")] }] }, null);
        _bed.Apply(MeshBed.Host("b.shop.svc.cluster.local", "127.2.0.2", 80, PortProtocol.Http, MeshBed.Endpoint(_pod)));
        Get();
        Assert.Equal(200, _bed.Get(Client, "127.2.0.2", 80).Status);
        var line = Assert.Single(Metrics().Split('\n'), line => line.StartsWith("istio_requests_total{", StringComparison.Ordinal));
        Assert.EndsWith(" 2", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_side_of_a_request_is_a_span_and_both_are_one_trace(bool grpc)
    {
        await using var collector = grpc ? await TraceCollector.StartGrpcAsync() : await TraceCollector.StartAsync();
        var address = new Uri(collector.Url);
        Assert.Empty(_bed.Apply(MeshBed.Host(Otel, "127.2.0.9", 4317, PortProtocol.Http, new EndpointConfig { Address = address.Host, Port = address.Port })));
        Assert.Empty(_bed.Apply(UnitCodec.Telemetry(new TelemetryUnit { Collectors = [new CollectorConfig("otel") { Host = Otel, Port = 4317, Path = grpc ? null : "/v1/traces" }] })));
        var trace = new TraceSettings("otel") { Percent = 100, Tags = [new SpanTag("color") { Value = "blue" }, new SpanTag("tenant") { Header = "x-tenant", Value = "nobody" }, new SpanTag("none") { Header = "x-none" }] };
        Tell(new SideTelemetry { Trace = trace }, new SideTelemetry { Trace = trace with { Tags = [] } });

        Get("/one", "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nx-tenant: t1\r\n");
        await Eventually.TrueAsync(() => collector.Spans.Count == 2);
        var (sent, received) = (collector.Spans.Single(span => span.Kind == 3), collector.Spans.Single(span => span.Kind == 2));
        Assert.Equal(("client shop client-7d4f-x2k9p one", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"), (sent.Service, sent.Trace, sent.Parent));
        Assert.Equal(("pod shop pod one", sent.Trace, sent.Span), (received.Service, received.Trace, received.Parent));
        Assert.Equal(("blue", "t1", false), (sent.Attributes["color"], sent.Attributes["tenant"], sent.Attributes.ContainsKey("none")));
        Assert.False(received.Attributes.ContainsKey("color"));
        Assert.Equal((Name, "200"), (sent.Attributes["destination.service"], sent.Attributes["http.response.status_code"]));
        if (grpc)
            Assert.Equal("/opentelemetry.proto.collector.trace.v1.TraceService/Export", collector.Path);

        Get();
        await Eventually.TrueAsync(() => collector.Spans.Count == 4);
        Assert.Equal("nobody", collector.Spans.Last(span => span.Kind == 3).Attributes["tenant"]);
        await Eventually.TrueAsync(() => Metrics().Contains("weft_proxy_spans_sent_total 4", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_its_collector_spans_are_dropped_and_counted_and_requests_go_on()
    {
        Tell(new SideTelemetry { Trace = new TraceSettings("none") { Percent = 100 } }, null);
        Get();
        await Eventually.TrueAsync(() => Metrics().Contains("weft_proxy_spans_dropped_total 1", StringComparison.Ordinal));
        _bed.Apply(UnitCodec.Telemetry(new TelemetryUnit { Collectors = [new CollectorConfig("none") { Host = "nowhere.example.com", Port = 4317 }] }));
        Get();
        await Eventually.TrueAsync(() => Metrics().Contains("weft_proxy_spans_dropped_total 2", StringComparison.Ordinal));
    }

    [Fact]
    public void Servers_that_speak_first_do_so_although_requests_become_spans()
    {
        using var mail = new Pod("mail", "127.1.0.12", "220 mail\r\n");
        _bed.Apply(MeshBed.Workload("mail", mail.Address, more: unit => unit with { Telemetry = new WorkloadTelemetry { Server = new SideTelemetry { Trace = new TraceSettings("otel") } } }));
        using var socket = _bed.Dial(Client, mail.Address, mail.Port);
        var buffer = new byte[100];
        Assert.Equal("220 mail\r\n", Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer)));
    }
}
