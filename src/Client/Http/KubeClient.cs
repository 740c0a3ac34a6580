using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api;

namespace Weft.Client;

/// <summary>
/// One API server, with one identity. Weft's own parts give it an in-memory handler in place of a socket; there is no other way round the
/// registry, which is what lets the same code work on any Kubernetes.
/// </summary>
public sealed class KubeClient : IDisposable
{
    // For an in-memory handler only the path counts.
    private static readonly Uri InMemory = new("http://weft.local/");

    private readonly ApiTransport _transport;

    public KubeClient(HttpClient http, TimeProvider time, string userAgent = "weft")
    {
        http.Timeout = Timeout.InfiniteTimeSpan; // watches last; every other request has its own deadline
        _transport = new ApiTransport(http, time, userAgent);
        Time = time;
    }

    /// <param name="userAgent">Names the writer in managedFields, up to the first slash.</param>
    public KubeClient(HttpMessageHandler handler, TimeProvider time, string userAgent = "weft", Uri? baseAddress = null)
        : this(new HttpClient(handler) { BaseAddress = baseAddress ?? InMemory }, time, userAgent)
    {
    }

    public TimeProvider Time { get; }

    /// <summary>A kind by its type.</summary>
    public ResourceClient<T> For<T>() where T : class, IObject => new(_transport, ApiResources.Of<T>(), new TypedCodec<T>());

    /// <summary>A custom kind by its type, in one of its versions. An object that is none of the type has its metadata alone.</summary>
    public ResourceClient<T> ForCustom<T>(string version) where T : class, IObject
    {
        var resource = ApiResources.Of<T>();
        return new(_transport, resource with { Resource = resource.Resource with { Version = version } }, new CustomCodec<T>());
    }

    /// <summary>Any resource, as trees.</summary>
    public ResourceClient<JsonObject> Raw(ApiResource resource) => new(_transport, resource, new TreeCodec());

    /// <summary>Any resource, of which only the metadata travels.</summary>
    public ResourceClient<PartialObjectMetadata> Metadata(ApiResource resource) => new(_transport, resource, new MetadataCodec());

    /// <summary>GET of any path that answers JSON: discovery, `/version`.</summary>
    public async Task<JsonNode> GetJsonAsync(string pathAndQuery, CancellationToken cancellationToken) =>
        JsonNode.Parse(await _transport.SendAsync(HttpMethod.Get, pathAndQuery, "application/json", null, cancellationToken))
        ?? throw new JsonException($"The server answered null to {pathAndQuery}.");

    /// <summary>GET of any path, as the server sends it (logs). The caller disposes the answer.</summary>
    public Task<HttpResponseMessage> OpenAsync(string pathAndQuery, CancellationToken cancellationToken) =>
        _transport.OpenAsync(HttpMethod.Get, pathAndQuery, "*/*", null, cancellationToken);

    public void Dispose() => _transport.Dispose();
}
