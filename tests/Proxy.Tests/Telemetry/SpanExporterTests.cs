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
            Assert.Equal("application/x-protobuf", context.Request.ContentType);
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

        var resourceSpans = Fields(Assert.Single(bodies))[1].Single();
        Assert.Contains("weft-test", Encoding.UTF8.GetString(Fields(resourceSpans)[1].Single()), StringComparison.Ordinal);
        var span = Fields(Fields(Fields(resourceSpans)[2].Single())[2].Single());
        Assert.Equal("000000000000000000000000000000ab", Convert.ToHexStringLower(span[1].Single()));
        Assert.Equal("00000000000000cd", Convert.ToHexStringLower(span[2].Single()));
        Assert.Equal("00000000000000ef", Convert.ToHexStringLower(span[4].Single()));
        Assert.Equal("GET carts", Encoding.UTF8.GetString(span[5].Single()));
        Assert.Equal(1_500_000_000UL, BitConverter.ToUInt64(span[7].Single()));
        Assert.Equal(1_502_500_000UL, BitConverter.ToUInt64(span[8].Single()));
        var attributes = span[9].Select(Fields).ToDictionary(pair => Encoding.UTF8.GetString(pair[1].Single()), pair => Fields(pair[2].Single()));
        Assert.Equal("/cart", Encoding.UTF8.GetString(attributes["url.path"][1].Single()));
        Assert.Equal(503UL, BitConverter.ToUInt64(attributes["http.response.status_code"][3].Single()));
        Assert.Equal("192.0.2.7", Encoding.UTF8.GetString(attributes["client.address"][1].Single()));
        Assert.Equal(2UL, BitConverter.ToUInt64(Fields(span[15].Single())[3].Single()));
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

    private SpanExporter Exporter(WebApplication collector) =>
        new(new HttpClient(), new Uri(collector.Urls.Single()), new SpanEncoder(_names, "weft-test"), TimeProvider.System, NullLogger<SpanExporter>.Instance);

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

    /// <summary>Fields of a message by number; numbers as 8 bytes.</summary>
    private static Dictionary<int, List<byte[]>> Fields(byte[] message)
    {
        var fields = new Dictionary<int, List<byte[]>>();
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message, ref at);
            var value = (tag & 7) switch
            {
                0 => BitConverter.GetBytes(Varint(message, ref at)),
                1 => Take(8),
                2 => Take((int)Varint(message, ref at)),
                _ => throw new InvalidDataException($"wire type {tag & 7}"),
            };
            if (!fields.TryGetValue((int)(tag >> 3), out var list))
                fields.Add((int)(tag >> 3), list = []);
            list.Add(value);

            byte[] Take(int length)
            {
                var part = message.AsSpan(at, length).ToArray();
                at += length;
                return part;
            }
        }

        return fields;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = message[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
    }
}
