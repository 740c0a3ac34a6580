using System.Collections.Immutable;

namespace Weft.Proxy.Telemetry.Otlp;

/// <summary>Exporters that come and go with the configuration. What one has counted stays counted, also while it ends: a counter that went back would be a restart to who scrapes it.</summary>
internal sealed class SpanExporters
{
    private readonly Lock _gate = new();
    private ImmutableList<SpanExporter> _running = [];
    private long _sent, _dropped;

    public long Sent
    {
        get
        {
            lock (_gate)
                return _sent + _running.Sum(one => one.Sent);
        }
    }

    public long Dropped
    {
        get
        {
            lock (_gate)
                return _dropped + _running.Sum(one => one.Dropped);
        }
    }

    /// <summary>A span that there is no exporter for.</summary>
    public void Drop() => Interlocked.Increment(ref _dropped);

    /// <param name="way">What it sends by, if that is its own; gone with it.</param>
    public Run Start(SpanExporter exporter, IDisposable? way = null)
    {
        lock (_gate)
            _running = _running.Add(exporter);
        return new Run(this, exporter, way);
    }

    internal sealed class Run
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly SpanExporters _owner;
        private readonly IDisposable? _way;
        private readonly Task _running;

        public Run(SpanExporters owner, SpanExporter exporter, IDisposable? way)
        {
            (_owner, Exporter, _way) = (owner, exporter, way);
            _running = Task.Run(() => exporter.RunAsync(_stop.Token));
        }

        public SpanExporter Exporter { get; }

        /// <summary>It has a moment to send what it has. Once.</summary>
        public async Task EndAsync()
        {
            await _stop.CancelAsync();
            await _running;
            lock (_owner._gate)
            {
                _owner._running = _owner._running.Remove(Exporter);
                _owner._sent += Exporter.Sent;
                Interlocked.Add(ref _owner._dropped, Exporter.Dropped);
            }

            _way?.Dispose();
            _stop.Dispose();
        }
    }
}
