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
    private readonly SpanSources _noWorkloads = new(limit: 0);
    private readonly SpanExporters _exporters = new();
    private Running? _running;

    public long Sent => _exporters.Sent;

    public long Dropped => _exporters.Dropped;

    public void Offer(in AccessRecord record, in AccessTexts texts) => Volatile.Read(ref _running)?.Run.Exporter.Offer(record, texts);

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
        Volatile.Write(ref _running, settings is null ? null : new Running(settings, Start(settings)));
        if (before is not null)
            await before.Run.EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _running, null) is { } running)
            await running.Run.EndAsync();
    }

    private SpanExporters.Run Start(Settings settings)
    {
        // Spans go where the configuration says: no redirect, no proxy of the environment; and sending them is no part of a trace.
        var http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseProxy = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None, ActivityHeadersPropagator = null,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaxAnswer };
        return _exporters.Start(
            new SpanExporter(
                new HttpSpanSender(http, new Collector(TracingAddress.Of(settings.Config), settings.Headers)),
                new SpanBatch(names, _noWorkloads, new SpanResource(settings.Config.ServiceName, "", "", ""), SpanExporter.Batch), time, loggers.CreateLogger<SpanExporter>()),
            http);
    }

    /// <param name="Fingerprint">Of the secrets: with the same one the headers are the same.</param>
    internal sealed record Settings(TracingConfig Config, string Fingerprint, IReadOnlyList<(string Name, string Value)> Headers)
    {
        public bool Equals(Settings? other) => other is not null && Config == other.Config && Fingerprint == other.Fingerprint;

        public override int GetHashCode() => Config.GetHashCode();
    }

    private sealed record Running(Settings Settings, SpanExporters.Run Run);
}
