using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Http;

/// <summary>Serves paths that are no resources: health, version, metrics, discovery, OpenAPI. Called after authentication and authorization.</summary>
public interface IPathHandler
{
    bool Matches(RequestInfo request);

    /// <summary>Its paths are those of resources, which are authorized as such, but nothing is stored of them; otherwise they are none of resources.</summary>
    bool ServesResources => false;

    Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken);
}
