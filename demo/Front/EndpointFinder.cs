using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

/// <summary>
/// Reaches a service by asking the API server for its EndpointSlices, in turn, with the pod's own service account. It is what a service address
/// and DNS will do for every pod once the cluster has them.
/// </summary>
internal sealed class EndpointFinder : IDisposable
{
    private const string Account = "/var/run/secrets/kubernetes.io/serviceaccount";

    private readonly HttpClient _api;
    private readonly HttpClient _services = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly string _namespace = File.ReadAllText($"{Account}/namespace").Trim();
    private readonly ConcurrentDictionary<string, int> _turns = new();

    public EndpointFinder()
    {
        var authority = X509CertificateLoader.LoadCertificateFromFile($"{Account}/ca.crt");
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { authority },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        _api = new HttpClient(handler)
        {
            BaseAddress = new Uri($"https://{Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST")}:{Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT")}"),
            Timeout = TimeSpan.FromSeconds(5),
        };
    }

    public async Task<JsonNode> GetAsync(string service, string path, CancellationToken cancellationToken)
    {
        var address = await PickAsync(service, cancellationToken);
        return await ReadAsync(await _services.GetAsync($"http://{address}{path}", cancellationToken), cancellationToken);
    }

    public async Task<JsonNode> PostAsync(string service, string path, CancellationToken cancellationToken)
    {
        var address = await PickAsync(service, cancellationToken);
        return await ReadAsync(await _services.PostAsync($"http://{address}{path}", null, cancellationToken), cancellationToken);
    }

    private async Task<string> PickAsync(string service, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get,
            $"/apis/discovery.k8s.io/v1/namespaces/{_namespace}/endpointslices?labelSelector=kubernetes.io/service-name%3D{service}");
        // Read each time: the node renews the token in place.
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync($"{Account}/token", cancellationToken)).Trim());
        var slices = await ReadAsync(await _api.SendAsync(request, cancellationToken), cancellationToken);
        var addresses = slices["items"]!.AsArray()
            .SelectMany(slice => (slice!["endpoints"] as JsonArray ?? []).Where(e => (bool?)e!["conditions"]?["ready"] ?? true)
                .Select(e => $"{(string?)e!["addresses"]![0]}:{(int)slice["ports"]![0]!["port"]!}"))
            .Order(StringComparer.Ordinal).ToList();
        return addresses.Count == 0
            ? throw new HttpRequestException($"service '{service}' has no ready endpoint")
            : addresses[(int)((uint)_turns.AddOrUpdate(service, 0, static (_, turn) => turn + 1) % addresses.Count)];
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using (response)
        {
            response.EnsureSuccessStatusCode();
            return await JsonNode.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken)
                ?? throw new HttpRequestException("an empty answer");
        }
    }

    public void Dispose()
    {
        _api.Dispose();
        _services.Dispose();
    }
}
