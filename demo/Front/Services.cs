using System.Text.Json.Nodes;

/// <summary>
/// The other services, by their names: the cluster's DNS makes an address of `catalogue`, and the node's proxy chooses the pod for each request. What belongs
/// to a request goes on with it: without these fields a route by header ends at the first service, and a trace too.
/// </summary>
internal sealed class Services : IDisposable
{
    private static readonly string[] Passed = ["x-tester", "x-request-id", "traceparent", "tracestate", "b3"];
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(5) };

    /// <exception cref="HttpRequestException">No answer, or one that is none.</exception>
    public async Task<JsonNode> AskAsync(HttpMethod method, string service, string path, IHeaderDictionary caller, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, $"http://{service}{path}");
        foreach (var name in Passed)
        {
            if (caller.TryGetValue(name, out var values))
                request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }

        using var response = await _client.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"{service} answered {(int)response.StatusCode}");
        return await JsonNode.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken)
            ?? throw new HttpRequestException($"{service} answered nothing");
    }

    public void Dispose() => _client.Dispose();
}
