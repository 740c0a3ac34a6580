using System.Net.Http.Headers;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Telemetry.Access;

namespace Weft.Proxy.Telemetry.Otlp;

/// <summary>
/// Sends the spans of sampled requests to a collector by OTLP over HTTP (`/v1/traces`). Fed by the access log's thread, so no loop knows of it. A collector that is slow or away
/// costs spans, which are counted, and nothing else.
/// </summary>
internal sealed partial class SpanExporter(HttpClient http, Uri collector, SpanEncoder encoder, TimeProvider time, ILogger<SpanExporter> logger)
{
    // OpenTelemetry's batch processor sends 512 spans at a time.
    private const int Batch = 512;
    private const int MaxBatches = 16;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Channel<(byte[] Body, int Spans)> _batches = Channel.CreateBounded<(byte[], int)>(new BoundedChannelOptions(MaxBatches) { SingleReader = true });
    private readonly Lock _gate = new();
    private long _dropped, _sent;

    public long Dropped => Interlocked.Read(ref _dropped);

    public long Sent => Interlocked.Read(ref _sent);

    public void Offer(in AccessRecord record, in AccessTexts texts)
    {
        if (!record.Sampled)
            return;
        lock (_gate)
        {
            encoder.Add(record, texts);
            if (encoder.Count >= Batch)
                Queue();
        }
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var sending = SendAllAsync(stopping);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                lock (_gate)
                    Queue();
            }
        }
        catch (OperationCanceledException)
        {
            // the end: what is not sent by now is lost, as it is when a collector is away
        }

        await sending;
    }

    private void Queue()
    {
        if (encoder.Count == 0)
            return;
        var spans = encoder.Count;
        if (!_batches.Writer.TryWrite((encoder.Take(), spans)))
            Interlocked.Add(ref _dropped, spans);
    }

    private async Task SendAllAsync(CancellationToken stopping)
    {
        var failing = false;
        try
        {
            await foreach (var (body, spans) in _batches.Reader.ReadAllAsync(stopping))
            {
                var failure = await SendAsync(body, stopping);
                if (failure is null)
                    Interlocked.Add(ref _sent, spans);
                else
                    Interlocked.Add(ref _dropped, spans);
                if (failure is not null && !failing)
                    Log.CollectorFails(logger, collector, failure);
                failing = failure is not null;
            }
        }
        catch (OperationCanceledException)
        {
            // the end
        }
    }

    private async Task<string?> SendAsync(byte[] body, CancellationToken stopping)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, patience.Token);
        try
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
            using var answer = await http.PostAsync(new Uri(collector, "/v1/traces"), content, either.Token);
            return answer.IsSuccessStatusCode ? null : $"it answers {(int)answer.StatusCode}";
        }
        catch (HttpRequestException unreachable)
        {
            return unreachable.Message;
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return $"no answer within {Patience.TotalSeconds:0} s";
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "spans do not reach the collector {Collector}: {Reason}", EventName = nameof(CollectorFails))]
        public static partial void CollectorFails(ILogger logger, Uri collector, string reason);
    }
}
