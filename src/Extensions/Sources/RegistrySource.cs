using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Weft.Extensions.Sources;

/// <summary>A registry that speaks Consul's HTTP API, followed by blocking queries: a change arrives in milliseconds, and nothing is asked in vain.</summary>
public sealed class RegistrySource : IEndpointSource, IDisposable
{
    // Longer than the wait and its jitter (a sixteenth): what takes longer is a dead connection.
    private static readonly TimeSpan Wait = TimeSpan.FromMinutes(5), Patience = TimeSpan.FromMinutes(6);

    // 10,000 instances of a kilobyte, and then some.
    private const int MaxAnswer = 32 * 1024 * 1024;

    private readonly HttpClient _http;
    private readonly Uri _address;
    private readonly TimeProvider _time;
    private readonly Random _random;

    /// <param name="token">Of the registry, where it wants one.</param>
    /// <param name="handler">Null: an ordinary one.</param>
    public RegistrySource(Uri address, TimeProvider time, Random random, string? token = null, HttpMessageHandler? handler = null)
    {
        (_address, _time, _random) = (address, time, random);
        _http = new HttpClient(handler ?? new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(5) }) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaxAnswer };
        if (token is not null)
            _http.DefaultRequestHeaders.Add("X-Consul-Token", token);
    }

    public string Name => $"registry {_address}";

    public async Task FollowAsync(string service, Action<IReadOnlyList<ServiceEndpoint>> tell, CancellationToken cancellationToken)
    {
        const string Zone = ".service.consul";
        var name = service.EndsWith(Zone, StringComparison.OrdinalIgnoreCase) ? service[..^Zone.Length] : service;
        long index = 0;
        for (var failures = 0; !cancellationToken.IsCancellationRequested;)
        {
            try
            {
                var next = await AskAsync(name, index, tell, cancellationToken);
                // An index that went back is another registry: begin anew (as Consul's documentation asks clients to).
                index = next < index ? 0 : next;
                failures = 0;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed) when (failed is HttpRequestException or IOException or JsonException or OperationCanceledException or InvalidOperationException or FormatException)
            {
                // Nobody knows what was missed meanwhile.
                index = 0;
                await Pause.AfterAsync(failures++, _time, _random, cancellationToken);
            }
        }
    }

    private async Task<long> AskAsync(string name, long index, Action<IReadOnlyList<ServiceEndpoint>> tell, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var query = index > 0 ? string.Create(CultureInfo.InvariantCulture, $"&index={index}&wait={Wait.TotalSeconds}s") : "";
        using var response = await _http.GetAsync(new Uri($"v1/health/service/{Uri.EscapeDataString(name)}?passing=1{query}", UriKind.Relative), either.Token);
        response.EnsureSuccessStatusCode();
        tell(Read(await response.Content.ReadAsByteArrayAsync(either.Token)));
        return response.Headers.TryGetValues("X-Consul-Index", out var values) && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var next) ? Math.Max(1, next)
            : throw new HttpRequestException("the answer has no X-Consul-Index: there is no registry at this address");
    }

    internal static List<ServiceEndpoint> Read(ReadOnlyMemory<byte> answer)
    {
        using var document = JsonDocument.Parse(answer);
        var endpoints = new List<ServiceEndpoint>();
        foreach (var entry in document.RootElement.EnumerateArray())
        {
            var service = entry.GetProperty("Service");
            var address = service.GetProperty("Address").GetString();
            if (string.IsNullOrEmpty(address))
                address = entry.GetProperty("Node").GetProperty("Address").GetString();
            var weight = service.TryGetProperty("Weights", out var weights) && weights.TryGetProperty("Passing", out var passing) && passing.TryGetInt32(out var number) ? number : 1;
            if (!string.IsNullOrEmpty(address))
                endpoints.Add(new(address, service.GetProperty("Port").GetInt32(), Math.Clamp(weight, 1, Balancing.Endpoint.MaxWeight)));
        }

        return endpoints;
    }

    public void Dispose() => _http.Dispose();
}
