using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Weft.Api;
using Weft.Api.Json;

namespace Weft.Client;

/// <summary>Sends requests to one API server: deadline, answers that ask to come again, errors as <see cref="ApiStatusException"/>.</summary>
internal sealed class ApiTransport(HttpClient http, TimeProvider time, string userAgent) : IDisposable
{
    // client-go's default when a server says "try again" gives up after 10; five keep the worst case below a caller's patience.
    private const int MaxAttempts = 5;

    // What kubectl and kube-apiserver use for a request that is not a watch.
    private static readonly TimeSpan RequestDeadline = TimeSpan.FromSeconds(60);

    public TimeProvider Time => time;

    public async Task<byte[]> SendAsync(
        HttpMethod method, string pathAndQuery, string accept, (string ContentType, ReadOnlyMemory<byte> Body)? content, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(RequestDeadline, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            using var response = await OpenAsync(method, pathAndQuery, accept, content, linked.Token);
            return await response.Content.ReadAsByteArrayAsync(linked.Token);
        }
        catch (OperationCanceledException cancelled) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw NoAnswer($"No answer to {method} {PathOf(pathAndQuery)} within {RequestDeadline.TotalSeconds:0} s.", cancelled);
        }
    }

    /// <summary>The answer once its headers are here; the caller reads and disposes it.</summary>
    public async Task<HttpResponseMessage> OpenAsync(
        HttpMethod method, string pathAndQuery, string accept, (string ContentType, ReadOnlyMemory<byte> Body)? content, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            // Relative to the base address, which may have a path of its own.
            using var request = new HttpRequestMessage(method, pathAndQuery.TrimStart('/'))
            {
                Version = HttpVersion.Version20, // one connection for all watches, where the server agrees
                VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            };
            request.Headers.TryAddWithoutValidation("Accept", accept);
            request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
            if (content is { } body)
            {
                request.Content = new ReadOnlyMemoryContent(body.Body);
                request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(body.ContentType);
            }

            HttpResponseMessage response;
            try
            {
                response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            }
            catch (OperationCanceledException cancelled) when (!cancellationToken.IsCancellationRequested)
            {
                // The handler's ConnectTimeout looks like a cancellation: a server that takes connections and does not answer (stopped, or its machine asleep) would end whoever asks for good.
                throw NoAnswer($"No connection to {http.BaseAddress?.Authority} for {method} {PathOf(pathAndQuery)}.", cancelled);
            }

            if (response.IsSuccessStatusCode)
                return response;

            using (response)
            {
                // Retry-After on 429 or 503 says that nothing was done: any verb may be sent again.
                if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable
                    && attempt < MaxAttempts
                    && response.Headers.RetryAfter?.Delta is { } delay)
                {
                    await Task.Delay(delay, time, cancellationToken);
                    continue;
                }

                throw new ApiStatusException(await ReadStatusAsync(response, cancellationToken));
            }
        }
    }

    private static async Task<Status> ReadStatusAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var code = (int)response.StatusCode;
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        try
        {
            if (ApiJson.Deserialize<Status>(body) is { Result: not null } status)
                return status with { Code = status.Code ?? code };
        }
        catch (JsonException)
        {
            // A proxy in between, or no Kubernetes at all: the code is what there is to tell.
        }

        var reason = code switch
        {
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            409 => "Conflict",
            410 => "Expired",
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            _ => response.ReasonPhrase,
        };
        return new Status { Result = "Failure", Code = code, Reason = reason, Message = $"The server answered {code} ({reason}) without a Status." };
    }

    // A query may carry selectors with names of secrets' owners: an error message needs only the path.
    // As every other failure of the connection: who goes on after one of those goes on after this.
    private static HttpRequestException NoAnswer(string message, Exception why) => new(HttpRequestError.ConnectionError, message, new TimeoutException(message, why));

    private static string PathOf(string pathAndQuery) => pathAndQuery.Split('?', 2)[0];

    public void Dispose() => http.Dispose();
}
