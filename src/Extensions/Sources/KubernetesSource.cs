using System.Text.Json;
using Weft.Api.Discovery;
using Weft.Client;

namespace Weft.Extensions.Sources;

/// <summary>EndpointSlices of any Kubernetes: `orders` in the source's namespace, `orders.shop` and `orders.shop.svc` in another.</summary>
public sealed class KubernetesSource(KubeClient client, string @namespace, Random random) : IEndpointSource
{
    private static readonly TimeSpan Watch = TimeSpan.FromMinutes(5);

    public string Name => $"Kubernetes (namespace {@namespace})";

    public async Task FollowAsync(string service, Action<IReadOnlyList<ServiceEndpoint>> tell, CancellationToken cancellationToken)
    {
        var parts = service.Split('.');
        var (name, within) = (parts[0], parts.Length > 1 && parts[1].Length > 0 ? parts[1] : @namespace);
        var selector = $"kubernetes.io/service-name={name}";
        for (var failures = 0; !cancellationToken.IsCancellationRequested;)
        {
            try
            {
                var page = await client.For<EndpointSlice>().ListAsync(within, cancellationToken, new ListOptions { LabelSelector = selector });
                var slices = page.Items.ToDictionary(slice => slice.Metadata.Name ?? "", StringComparer.Ordinal);
                tell(Read(slices.Values));
                await foreach (var change in client.For<EndpointSlice>().WatchAsync(within, new WatchOptions { LabelSelector = selector, ResourceVersion = page.ResourceVersion, Timeout = Watch }, cancellationToken))
                {
                    failures = 0;
                    if (change.Type == WatchEventType.Bookmark)
                        continue;
                    if (change.Type == WatchEventType.Deleted)
                        slices.Remove(change.Object.Metadata.Name ?? "");
                    else
                        slices[change.Object.Metadata.Name ?? ""] = change.Object;
                    tell(Read(slices.Values));
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed) when (failed is ApiStatusException or HttpRequestException or IOException or JsonException or TimeoutException or InvalidDataException or OperationCanceledException)
            {
                await Pause.AfterAsync(failures++, client.Time, random, cancellationToken);
            }
        }
    }

    // The first TCP port: a name in a URL has one.
    internal static List<ServiceEndpoint> Read(IEnumerable<EndpointSlice> slices) =>
    [
        .. slices.Where(slice => slice.AddressType != "FQDN").SelectMany(slice => slice.Endpoints
            // Not said means ready (the API's own rule).
            .Where(endpoint => endpoint.Conditions?.Ready != false && endpoint.Addresses.Count > 0)
            .Select(endpoint => new ServiceEndpoint(endpoint.Addresses[0], slice.Ports.FirstOrDefault(port => port.Protocol is null or "TCP")?.Port ?? 0))).Distinct(),
    ];
}
