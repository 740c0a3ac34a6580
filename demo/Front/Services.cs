using System.Text.Json.Nodes;

/// <summary>
/// The other services, by their names: the cluster's DNS makes an address of `catalogue`, the node leads connections to that address to the pods in
/// turn. A connection serves one request, so that the turns can be seen; a program with much to ask would keep it.
/// </summary>
internal sealed class Services : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero }) { Timeout = TimeSpan.FromSeconds(5) };

    public async Task<JsonNode> GetAsync(string service, string path, CancellationToken cancellationToken) =>
        await ReadAsync(await _client.GetAsync($"http://{service}{path}", cancellationToken), cancellationToken);

    public async Task<JsonNode> PostAsync(string service, string path, CancellationToken cancellationToken) =>
        await ReadAsync(await _client.PostAsync($"http://{service}{path}", null, cancellationToken), cancellationToken);

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using (response)
        {
            response.EnsureSuccessStatusCode();
            return await JsonNode.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken)
                ?? throw new HttpRequestException("an empty answer");
        }
    }

    public void Dispose() => _client.Dispose();
}
