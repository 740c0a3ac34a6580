using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Telemetry.Access;

namespace Weft.Proxy.Telemetry.Otlp;

/// <summary>Where spans go.</summary>
/// <param name="Address">With the path of the collector's receiver.</param>
/// <param name="Headers">Their values are secrets.</param>
internal sealed record Collector(Uri Address, IReadOnlyList<(string Name, string Value)> Headers);

/// <summary>
/// Sends the spans of sampled requests to a collector by OTLP. Fed by the access log's thread, so no loop knows of it. A collector that is slow or away costs spans, which are
/// counted, and nothing else.
/// </summary>
internal sealed partial class SpanExporter(ISpanSender sender, SpanBatch batch, TimeProvider time, ILogger<SpanExporter> logger)
{
    /// <summary>OpenTelemetry's batch processor sends 512 spans at a time.</summary>
    public const int Batch = 512;
    private const int MaxBatches = 16;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // For what is left at the end. A proxy that is told to go must not wait for a collector.
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);
    private readonly Channel<(byte[] Body, int Spans)> _batches = Channel.CreateBounded<(byte[], int)>(new BoundedChannelOptions(MaxBatches) { SingleReader = true });
    private readonly Lock _gate = new();
    private long _dropped, _sent;
    private bool _over;

    /// <summary>Spans.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Spans.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    public void Offer(in AccessRecord record, in AccessTexts texts)
    {
        if (!record.Sampled)
            return;
        lock (_gate)
        {
            batch.Add(record, texts);
            if (batch.IsFull || _over)
                Queue();
        }
    }

    /// <summary>Until it is told to stop; what is there by then has a moment to be sent.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, time);
        using var giveUp = new CancellationTokenSource();
        var sending = SendAllAsync(giveUp.Token);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
                QueueNow(last: false);
        }
        catch (OperationCanceledException)
        {
            // the end
        }

        QueueNow(last: true);
        await Task.WhenAny(sending, Task.Delay(Farewell, time, giveUp.Token));
        await giveUp.CancelAsync();
        await sending;
        while (_batches.Reader.TryRead(out var left))
            Interlocked.Add(ref _dropped, left.Spans);
    }

    private void QueueNow(bool last)
    {
        lock (_gate)
        {
            Queue();
            _over = last;
            if (last)
                _batches.Writer.Complete();
        }
    }

    private void Queue()
    {
        if (batch.Count == 0)
            return;
        var spans = batch.Count;
        if (!_batches.Writer.TryWrite((batch.Take(), spans)))
            Interlocked.Add(ref _dropped, spans);
    }

    private async Task SendAllAsync(CancellationToken giveUp)
    {
        var failing = false;
        try
        {
            await foreach (var (body, spans) in _batches.Reader.ReadAllAsync(giveUp))
            {
                var failure = await SendAsync(body, giveUp);
                if (failure is null)
                    Interlocked.Add(ref _sent, spans);
                else
                    Interlocked.Add(ref _dropped, spans);
                if (failure is not null && !failing)
                    Log.CollectorFails(logger, sender.Place, failure);
                failing = failure is not null;
            }
        }
        catch (OperationCanceledException)
        {
            // the end
        }
    }

    private async Task<string?> SendAsync(byte[] body, CancellationToken giveUp)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(giveUp, patience.Token);
        try
        {
            return await sender.SendAsync(body, either.Token);
        }
        catch (OperationCanceledException)
        {
            return giveUp.IsCancellationRequested ? "the proxy ends" : $"no answer within {Patience.TotalSeconds:0} s";
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "spans do not reach the collector {Collector}: {Reason}", EventName = nameof(CollectorFails))]
        public static partial void CollectorFails(ILogger logger, string collector, string reason);
    }
}
