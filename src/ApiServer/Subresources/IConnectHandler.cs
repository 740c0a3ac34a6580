using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Subresources;

/// <summary>A subresource that takes over the connection: pods/exec, pods/attach, pods/portforward. Authorized before it is called (verb create for POST, get for GET).</summary>
public interface IConnectHandler
{
    bool Serves(string resource, string subresource);

    /// <summary>Runs until the stream ends. A refusal before the upgrade throws <see cref="ApiException"/>.</summary>
    /// <param name="pod">The stored object.</param>
    Task ConnectAsync(HttpContext context, RequestInfo request, JsonObject pod, CancellationToken cancellationToken);
}
