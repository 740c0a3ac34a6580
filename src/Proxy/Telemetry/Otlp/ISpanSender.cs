using System.Net.Http.Headers;

namespace Weft.Proxy.Telemetry.Otlp;

/// <summary>Brings spans to a collector.</summary>
internal interface ISpanSender
{
    /// <summary>Where they go, for people.</summary>
    string Place { get; }

    /// <param name="body">An ExportTraceServiceRequest.</param>
    /// <returns>Why not; null: the collector has them.</returns>
    /// <exception cref="OperationCanceledException">There was no answer in time.</exception>
    Task<string?> SendAsync(byte[] body, CancellationToken cancellationToken);
}

/// <summary>By OTLP over HTTP, on connections of its own.</summary>
internal sealed class HttpSpanSender(HttpClient http, Collector collector) : ISpanSender
{
    public string Place => collector.Address.ToString();

    public async Task<string?> SendAsync(byte[] body, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, collector.Address) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
            foreach (var (name, value) in collector.Headers)
                request.Headers.TryAddWithoutValidation(name, value);
            using var answer = await http.SendAsync(request, cancellationToken);
            return answer.IsSuccessStatusCode ? null : $"it answers {(int)answer.StatusCode}";
        }
        catch (HttpRequestException unreachable)
        {
            return unreachable.Message;
        }
    }
}
