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
    private Dictionary<string, Running> _running = [];
    private long _sent, _dropped;

    public long Sent => Interlocked.Read(ref _sent) + Volatile.Read(ref _running).Values.Sum(one => one.Exporter.Sent);

    /// <summary>That no collector took, or not in time, or that there is no collector for.</summary>
    public long Dropped => Interlocked.Read(ref _dropped) + Volatile.Read(ref _running).Values.Sum(one => one.Exporter.Dropped);

    /// <summary>By the access log's thread.</summary>
    public void Offer(in AccessRecord record, in AccessTexts texts)
    {
        if (!record.Sampled || record.Spans == 0)
            return;
        if (Volatile.Read(ref _running).TryGetValue(services.Names.SpanSources[record.Spans].Collector, out var running))
            running.Exporter.Offer(record, texts);
        else
            Interlocked.Increment(ref _dropped);
    }

    /// <summary>One caller at a time. Those that are gone have a moment to send what they have, which is not waited for.</summary>
    public void Use(ValueList<CollectorConfig> collectors)
    {
        var before = _running;
        var next = collectors.DistinctBy(collector => collector.Name)
            .ToDictionary(collector => collector.Name, collector => before.GetValueOrDefault(collector.Name) is { } known && known.Collector == collector ? known : new Running(collector, this));
        Volatile.Write(ref _running, next);
        foreach (var gone in before.Values.Except(next.Values))
            _ = EndAsync(gone);
    }

    public async ValueTask DisposeAsync()
    {
        var last = _running;
        Volatile.Write(ref _running, []);
        await Task.WhenAll(last.Values.Select(EndAsync));
    }

    private async Task EndAsync(Running running)
    {
        await running.EndAsync();
        Interlocked.Add(ref _sent, running.Exporter.Sent);
        Interlocked.Add(ref _dropped, running.Exporter.Dropped);
    }

    private SpanExporter Make(CollectorConfig collector) => new(
        new MeshSpanSender(collector, services, clusters), new SpanBatch(services.Names.Texts, services.Names.SpanSources, Unknown, Batch), time, loggers.CreateLogger<SpanExporter>());

    private sealed class Running
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Running(CollectorConfig collector, MeshSpans owner)
        {
            (Collector, Exporter) = (collector, owner.Make(collector));
            _running = Task.Run(() => Exporter.RunAsync(_stop.Token));
        }

        public CollectorConfig Collector { get; }

        public SpanExporter Exporter { get; }

        public async Task EndAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _stop.Dispose();
        }
    }
}
