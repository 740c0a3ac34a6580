using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Telemetry.Otlp;
using Weft.Proxy.Telemetry.Workloads;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Mesh.Spans;

/// <summary>The exporters of a node's spans, one for each collector that the mesh has. A collector that stays goes on as it is, and what was counted stays counted.</summary>
internal sealed class MeshSpans(LoopServices services, Func<string, Cluster?> clusters, TimeProvider time, ILoggerFactory loggers) : IAsyncDisposable
{
    // A message stays below what an HTTP/2 stream may be sent at once (64 KB): a span is some 600 bytes.
    private const int Batch = 64;
    private static readonly SpanResource Unknown = new("unknown_service", "", "", "");
    private readonly SpanExporters _exporters = new();
    private Dictionary<string, Running> _running = [];

    public long Sent => _exporters.Sent;

    /// <summary>That no collector took, or not in time, or that there is no collector for.</summary>
    public long Dropped => _exporters.Dropped;

    /// <summary>By the access log's thread.</summary>
    public void Offer(in AccessRecord record, in AccessTexts texts)
    {
        if (!record.Sampled || record.Spans == 0)
            return;
        if (Volatile.Read(ref _running).TryGetValue(services.Names.SpanSources[record.Spans].Collector, out var running))
            running.Run.Exporter.Offer(record, texts);
        else
            _exporters.Drop();
    }

    /// <summary>One caller at a time. Those that are gone have a moment to send what they have, which is not waited for.</summary>
    public void Use(ValueList<CollectorConfig> collectors)
    {
        var before = _running;
        var next = collectors.DistinctBy(collector => collector.Name)
            .ToDictionary(collector => collector.Name, collector => before.GetValueOrDefault(collector.Name) is { } known && known.Collector == collector ? known : new Running(collector, _exporters.Start(Make(collector))));
        Volatile.Write(ref _running, next);
        foreach (var gone in before.Values.Except(next.Values))
            _ = gone.Run.EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        var last = _running;
        Volatile.Write(ref _running, []);
        await Task.WhenAll(last.Values.Select(one => one.Run.EndAsync()));
    }

    private SpanExporter Make(CollectorConfig collector) => new(
        new MeshSpanSender(collector, services, clusters), new SpanBatch(services.Names.Texts, services.Names.SpanSources, Unknown, Batch), time, loggers.CreateLogger<SpanExporter>());

    private sealed record Running(CollectorConfig Collector, SpanExporters.Run Run);
}
