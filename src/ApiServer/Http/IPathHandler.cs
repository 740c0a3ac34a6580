using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Http;

/// <summary>Serves paths that are no resources: health, version, metrics, discovery, OpenAPI. Called after authentication and authorization.</summary>
public interface IPathHandler
{
    bool Matches(RequestInfo request);
    Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken);
}
