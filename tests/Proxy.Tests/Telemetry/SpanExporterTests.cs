using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Telemetry.Otlp;
using Weft.Proxy.Telemetry.Workloads;
using Weft.Proxy.Tests.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Telemetry;

public sealed class SpanExporterTests
{
    private readonly InternTable<string> _names = new("", 100);

    [Fact]
    public async Task Sampled_requests_reach_a_collector_as_spans()
    {
        var bodies = new ConcurrentQueue<byte[]>();
        await using var collector = await CollectorAsync(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            Assert.Equal(("application/x-protobuf", "secret"), (context.Request.ContentType, context.Request.Headers["x-key"].ToString()));
            bodies.Enqueue(body.ToArray());
        });
        var exporter = Exporter(collector);
        using var stop = new CancellationTokenSource();
        var running = exporter.RunAsync(stop.Token);

        exporter.Offer(Record(sampled: true), new AccessTexts { Method = "GET"u8, Path = "/cart?password=x"u8, Authority = "shop"u8 });
        exporter.Offer(Record(sampled: false), new AccessTexts { Method = "PUT"u8 });
        await Eventually.TrueAsync(() => exporter.Sent == 1);
        await stop.CancelAsync();
        await running;

        var resourceSpans = ProtobufFields.Of(Assert.Single(bodies))[1].Single();
        Assert.Contains("weft-test", Encoding.UTF8.GetString(ProtobufFields.Of(resourceSpans)[1].Single()), StringComparison.Ordinal);
        var span = ProtobufFields.Of(ProtobufFields.Of(ProtobufFields.Of(resourceSpans)[2].Single())[2].Single());
        Assert.Equal("000000000000000000000000000000ab", Convert.ToHexStringLower(span[1].Single()));
        Assert.Equal("00000000000000cd", Convert.ToHexStringLower(span[2].Single()));
        Assert.Equal("00000000000000ef", Convert.ToHexStringLower(span[4].Single()));
        Assert.Equal("GET carts", Encoding.UTF8.GetString(span[5].Single()));
        Assert.Equal(1_500_000_000UL, BitConverter.ToUInt64(span[7].Single()));
        Assert.Equal(1_502_500_000UL, BitConverter.ToUInt64(span[8].Single()));
        var attributes = span[9].Select(ProtobufFields.Of).ToDictionary(pair => Encoding.UTF8.GetString(pair[1].Single()), pair => ProtobufFields.Of(pair[2].Single()));
        Assert.Equal("/cart", Encoding.UTF8.GetString(attributes["url.path"][1].Single()));
        Assert.Equal(503UL, BitConverter.ToUInt64(attributes["http.response.status_code"][3].Single()));
        Assert.Equal("192.0.2.7", Encoding.UTF8.GetString(attributes["client.address"][1].Single()));
        Assert.Equal(2UL, BitConverter.ToUInt64(ProtobufFields.Of(span[15].Single())[3].Single()));
    }

    [Fact]
    public async Task A_collector_that_fails_costs_spans_and_they_are_counted()
    {
        await using var collector = await CollectorAsync(context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        });
        var exporter = Exporter(collector);
        using var stop = new CancellationTokenSource();
        var running = exporter.RunAsync(stop.Token);

        exporter.Offer(Record(sampled: true), new AccessTexts { Method = "GET"u8 });

        await Eventually.TrueAsync(() => exporter.Dropped == 1);
        await stop.CancelAsync();
        await running;
        Assert.Equal(0, exporter.Sent);
    }

    [Fact]
    public async Task A_collector_that_never_answers_holds_a_bounded_number_and_nobody_up()
    {
        var asked = new TaskCompletionSource();
        await using var collector = await CollectorAsync(async context =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        var exporter = Exporter(collector);
        using var stop = new CancellationTokenSource();
        var running = exporter.RunAsync(stop.Token);

        const int Spans = 30 * 512;
        for (var i = 0; i < Spans; i++)
            exporter.Offer(Record(sampled: true), new AccessTexts { Method = "GET"u8 });
        await asked.Task;
        // One batch is on its way and sixteen wait.
        Assert.InRange(exporter.Dropped, Spans - (18 * 512), Spans - (16 * 512));
        await stop.CancelAsync();
        await Eventually.EndsAsync(running);
        Assert.Equal((0, Spans), (exporter.Sent, exporter.Dropped));
        exporter.Offer(Record(sampled: true), new AccessTexts { Method = "GET"u8 });
        Assert.Equal(Spans + 1, exporter.Dropped);
    }

    private SpanExporter Exporter(WebApplication collector) =>
        new(new HttpSpanSender(new HttpClient(), new Collector(new Uri(collector.Urls.Single() + "/v1/traces"), [("x-key", "secret")])), new SpanBatch(_names, new SpanSources(limit: 0), new SpanResource("weft-test", "", "", ""), SpanExporter.Batch), TimeProvider.System, NullLogger<SpanExporter>.Instance);

    private AccessRecord Record(bool sampled) => new()
    {
        StartMicroseconds = 1_500_000,
        DurationMicroseconds = 2500,
        TraceId = 0xAB,
        SpanId = 0xCD,
        ParentSpanId = 0xEF,
        ClientAddress = ((UInt128)0xFFFF << 32) | 0xC0000207,
        Status = 503,
        GrpcStatus = -1,
        Route = _names.Intern("carts"),
        Sampled = sampled,
    };

    private static async Task<WebApplication> CollectorAsync(RequestDelegate handle)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapPost("/v1/traces", handle);
        await app.StartAsync();
        return app;
    }
}
