using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Weft.Proxy.Tests.Forwarding;
using Weft.Proxy.Tests.Support;

namespace Weft.Proxy.Tests.Telemetry;

/// <summary>A span as a collector has it.</summary>
internal sealed record ReceivedSpan(string Service, string Trace, string Span, string Parent, string Name, ulong Kind, ulong Start, ulong End, IReadOnlyDictionary<string, string> Attributes, bool Failed);

/// <summary>A receiver of OTLP over HTTP.</summary>
internal sealed class TraceCollector : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ConcurrentQueue<ReceivedSpan> _spans = new();

    private TraceCollector(WebApplication server) => _server = server;

    public string Url => _server.Urls.Single();

    public IReadOnlyList<ReceivedSpan> Spans => [.. _spans];

    /// <summary>The field `x-key` of the last request.</summary>
    public string Key { get; private set; } = "";

    public string? Path { get; private set; }

    /// <summary>In place of taking what comes.</summary>
    public Func<HttpContext, Task>? Spoil { get; set; }

    public static async Task<TraceCollector> StartAsync()
    {
        TraceCollector? own = null;
        own = new TraceCollector(await ProxyFixture.ServerAsync(context => own!.TakeAsync(context)));
        return own;
    }

    /// <summary>One of OTLP over gRPC.</summary>
    public static async Task<TraceCollector> StartGrpcAsync()
    {
        TraceCollector? own = null;
        own = new TraceCollector(await ProxyFixture.ServerAsync(context => own!.TakeGrpcAsync(context), HttpProtocols.Http2));
        return own;
    }

    private async Task TakeGrpcAsync(HttpContext context)
    {
        Path = context.Request.Path;
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var frame = body.ToArray();
        Assert.Equal(("application/grpc", 0, frame.Length - 5), (context.Request.ContentType, frame[0], System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(1))));
        foreach (var span in Read(frame[5..]))
            _spans.Enqueue(span);
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(new byte[5]);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        (Key, Path) = (context.Request.Headers["x-key"].ToString(), context.Request.Path);
        if (Spoil is { } spoil)
        {
            await spoil(context);
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        foreach (var span in Read(body.ToArray()))
            _spans.Enqueue(span);
        context.Response.ContentType = "application/x-protobuf";
    }

    private static IEnumerable<ReceivedSpan> Read(byte[] request)
    {
        foreach (var resourceSpans in ProtobufFields.Of(request)[1].Select(ProtobufFields.Of))
        {
            var resource = Attributes(ProtobufFields.Of(resourceSpans[1].Single())[1]);
            var service = string.Join(' ', ((string[])["service.name", "k8s.namespace.name", "k8s.pod.name", "k8s.node.name"]).Select(key => resource.GetValueOrDefault(key)).OfType<string>());
            foreach (var span in ProtobufFields.Of(resourceSpans[2].Single())[2].Select(ProtobufFields.Of))
            {
                yield return new ReceivedSpan(
                    service, Hex(span[1].Single()), Hex(span[2].Single()), span.TryGetValue(4, out var parent) ? Hex(parent.Single()) : "", Text(span[5].Single()),
                    BitConverter.ToUInt64(span[6].Single()), BitConverter.ToUInt64(span[7].Single()), BitConverter.ToUInt64(span[8].Single()), Attributes(span[9]), span.ContainsKey(15));
            }
        }
    }

    private static Dictionary<string, string> Attributes(List<byte[]> pairs) => pairs.Select(ProtobufFields.Of).ToDictionary(pair => Text(pair[1].Single()), pair =>
    {
        var value = ProtobufFields.Of(pair[2].Single());
        return value.TryGetValue(1, out var text) ? Text(text.Single()) : $"{BitConverter.ToUInt64(value[3].Single())}";
    });

    private static string Hex(byte[] id) => Convert.ToHexStringLower(id);

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
