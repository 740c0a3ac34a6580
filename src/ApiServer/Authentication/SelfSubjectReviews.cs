using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Subresources;

namespace Weft.ApiServer.Authentication;

/// <summary>`selfsubjectreviews`: who am I (`kubectl auth whoami`).</summary>
public sealed class SelfSubjectReviews(TimeProvider time) : IVirtualResource
{
    public bool Serves(GroupVersionResource resource, string subresource) =>
        resource is { Group: "authentication.k8s.io", Resource: "selfsubjectreviews" } && subresource.Length == 0;

    public ValueTask<JsonObject> CreateAsync(VirtualRequest request, CancellationToken cancellationToken) => new(new JsonObject
    {
        ["kind"] = "SelfSubjectReview",
        ["apiVersion"] = "authentication.k8s.io/v1",
        ["metadata"] = new JsonObject { ["creationTimestamp"] = Metadata.Time(time.GetUtcNow()) },
        ["status"] = new JsonObject { ["userInfo"] = UserInfoJson.Write(request.User) },
    });
}
