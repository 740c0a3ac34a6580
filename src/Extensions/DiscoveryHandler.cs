using System.Net;
using System.Net.Sockets;
using Weft.Balancing.Health;
using Weft.Extensions.Pools;

namespace Weft.Extensions;

/// <summary>
/// Sends requests to names of services to one of their endpoints: `http://orders/list` to `http://10.1.2.3:8080/list`, with `orders` as the host that the
/// endpoint sees, and that its certificate is checked for. When there is no connection, another endpoint is tried.
/// </summary>
public sealed class DiscoveryHandler(ServiceResolver resolver) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var options = resolver.Options;
        if (request.RequestUri is not { IsAbsoluteUri: true, Scheme: "http" or "https", HostNameType: UriHostNameType.Dns } uri || !options.IsServiceName(uri.IdnHost))
            return await base.SendAsync(request, cancellationToken);

        var pool = await resolver.PoolAsync(uri.IdnHost, cancellationToken);
        var host = request.Headers.Host;
        request.Headers.Host ??= uri.Authority;
        var (set, tried) = (pool.Current, new List<int>());
        try
        {
            while (true)
            {
                var choice = pool.Choose(set, tried) ?? throw new HttpRequestException(HttpRequestError.ConnectionError, $"no endpoint of service '{uri.IdnHost}' is left to try");
                tried.Add(choice.Index);
                request.RequestUri = Place(uri, choice);
                try
                {
                    return await SendToAsync(pool, choice, request, cancellationToken);
                }
                catch (HttpRequestException failed) when (NeverSent(failed) && tried.Count <= options.Retries && tried.Count < set.Usable.Length)
                {
                    // Nothing of it has reached anybody: another may have it, whatever the method.
                }
            }
        }
        finally
        {
            (request.RequestUri, request.Headers.Host) = (uri, host);
        }
    }

    private async Task<HttpResponseMessage> SendToAsync(EndpointPool pool, Choice choice, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var time = resolver.Options.Time;
        var started = time.GetTimestamp();
        var outcome = AttemptOutcome.Neutral; // cancelled: it says nothing of the endpoint
        pool.Started(choice);
        try
        {
            var response = await base.SendAsync(request, cancellationToken);
            outcome = response.StatusCode switch
            {
                HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout => AttemptOutcome.GatewayError,
                >= HttpStatusCode.InternalServerError => AttemptOutcome.ServerError,
                _ => AttemptOutcome.Success,
            };
            return response;
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or SocketException)
        {
            outcome = AttemptOutcome.LocalError;
            throw;
        }
        finally
        {
            pool.Ended(choice, outcome, time.GetElapsedTime(started));
        }
    }

    private static bool NeverSent(HttpRequestException failed) => failed.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError;

    private static Uri Place(Uri uri, Choice choice) => new UriBuilder(uri)
    {
        Host = choice.Endpoint.Address, Port = choice.Endpoint.Port > 0 ? choice.Endpoint.Port : uri.Port,
    }.Uri;
}
