using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Subresources;

/// <summary>A resource or subresource that is only created and never stored: TokenReview, SubjectAccessReview, serviceaccounts/token.</summary>
public interface IVirtualResource
{
    bool Serves(GroupVersionResource resource, string subresource);

    /// <summary>Answers the posted object with its status filled in. The body's apiVersion and kind are checked, unknown fields are pruned.</summary>
    ValueTask<JsonObject> CreateAsync(VirtualRequest request, CancellationToken cancellationToken);
}

/// <param name="Body">The posted object.</param>
/// <param name="Parent">For a subresource: the stored object it belongs to (the ServiceAccount of a token).</param>
public sealed record VirtualRequest(UserInfo User, RequestInfo Info, JsonObject Body, JsonObject? Parent, bool DryRun);
