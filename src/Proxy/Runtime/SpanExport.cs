using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration.Validation;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Telemetry.Otlp;
using Weft.Proxy.Telemetry.Workloads;

namespace Weft.Proxy.Runtime;

/// <summary>The exporter of spans over all configurations: one whose collector stays goes on as it is, and what was counted stays counted.</summary>
internal sealed class SpanExport(InternTable<string> names, TimeProvider time, ILoggerFactory loggers) : IAsyncDisposable
{
    // A collector's answer is a few bytes; none of it is read but its status.
    private const int MaxAnswer = 64 << 10;
    private static readonly InternTable<SpanSource> NoWorkloads = new(SpanSource.Nobody, 0);
    private Running? _running;
    private long _sent, _dropped;

    public long Sent => Interlocked.Read(ref _sent) + (Volatile.Read(ref _running)?.Exporter.Sent ?? 0);

    public long Dropped => Interlocked.Read(ref _dropped) + (Volatile.Read(ref _running)?.Exporter.Dropped ?? 0);

    public void Offer(in AccessRecord record, in AccessTexts texts) => Volatile.Read(ref _running)?.Exporter.Offer(record, texts);

    /// <summary>Reads the secrets of a configuration that is valid.</summary>
    /// <exception cref="ProxyConfigException">One cannot be read, or cannot be sent.</exception>
    public static Settings? Prepare(ProxyConfig config)
    {
        if (config.Tracing is not { } tracing)
            return null;
        var errors = new List<string>();
        using var files = new TlsFiles(errors);
        var headers = new List<(string, string)>();
        foreach (var header in tracing.Headers)
        {
            var place = $"tracing.headers: {header.Name}";
            var value = Encoding.UTF8.GetString(files.Read(header.Value, place)).Trim();
            if (value.Length == 0 || !value.All(c => c is >= ' ' and <= '~'))
                errors.Add($"{place}: is empty or has characters that a field cannot have");
            headers.Add((header.Name, value));
        }

        return errors.Count == 0 ? new Settings(tracing, files.Fingerprint, headers) : throw new ProxyConfigException(errors);
    }

    public async Task ApplyAsync(Settings? settings)
    {
        var before = _running;
        if (before?.Settings == settings)
            return;
        Volatile.Write(ref _running, settings is null ? null : new Running(settings, this));
        if (before is not null)
            await EndAsync(before);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _running, null) is { } running)
            await EndAsync(running);
    }

    private async Task EndAsync(Running running)
    {
        await running.EndAsync();
        Interlocked.Add(ref _sent, running.Exporter.Sent);
        Interlocked.Add(ref _dropped, running.Exporter.Dropped);
    }

    /// <param name="Fingerprint">Of the secrets: with the same one the headers are the same.</param>
    internal sealed record Settings(TracingConfig Config, string Fingerprint, IReadOnlyList<(string Name, string Value)> Headers)
    {
        public bool Equals(Settings? other) => other is not null && Config == other.Config && Fingerprint == other.Fingerprint;

        public override int GetHashCode() => Config.GetHashCode();
    }

    private sealed class Running
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly HttpClient _http;
        private readonly Task _running;

        public Running(Settings settings, SpanExport owner)
        {
            Settings = settings;
            // Spans go where the configuration says: no redirect, no proxy of the environment; and sending them is no part of a trace.
            _http = new HttpClient(new SocketsHttpHandler
            {
                AllowAutoRedirect = false, UseProxy = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None, ActivityHeadersPropagator = null,
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            })
            { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaxAnswer };
            Exporter = new SpanExporter(
                new HttpSpanSender(_http, new Collector(TracingAddress.Of(settings.Config), settings.Headers)),
                new SpanBatch(owner.Names, NoWorkloads, new SpanResource(settings.Config.ServiceName, "", "", ""), SpanExporter.Batch), owner.Time, owner.Loggers.CreateLogger<SpanExporter>());
            _running = Task.Run(() => Exporter.RunAsync(_stop.Token));
        }

        public Settings Settings { get; }

        public SpanExporter Exporter { get; }

        public async Task EndAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _http.Dispose();
            _stop.Dispose();
        }
    }

    private InternTable<string> Names => names;

    private TimeProvider Time => time;

    private ILoggerFactory Loggers => loggers;
}
