using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Authorization;

/// <summary>Reads what an access review asks.</summary>
internal static class AccessReviewSpec
{
    internal static AccessAttributes Attributes(GroupVersionKind kind, JsonObject? spec, UserInfo user)
    {
        var resource = spec?["resourceAttributes"] as JsonObject;
        var path = spec?["nonResourceAttributes"] as JsonObject;
        if (resource is not null && path is not null)
            throw Statuses.Invalid(kind, "", [FieldError.Invalid("spec.nonResourceAttributes", null, "cannot be specified in combination with resourceAttributes")]);
        if (resource is null && path is null)
            throw Statuses.Invalid(kind, "", [FieldError.Invalid("spec.resourceAttributes", null, "exactly one of nonResourceAttributes or resourceAttributes must be specified")]);

        if (path is not null)
        {
            // An empty path would look like a question about a resource: it is the root.
            return new AccessAttributes(user, Metadata.Text(path, "verb")) { Path = Metadata.Text(path, "path") is { Length: > 0 } text ? text : "/" };
        }

        return new AccessAttributes(user, Metadata.Text(resource, "verb"))
        {
            Group = Metadata.Text(resource, "group"),
            Version = Metadata.Text(resource, "version"),
            Resource = Metadata.Text(resource, "resource"),
            Subresource = Metadata.Text(resource, "subresource"),
            Namespace = Metadata.Text(resource, "namespace"),
            Name = Metadata.Text(resource, "name"),
        };
    }

    internal static UserInfo User(GroupVersionKind kind, JsonObject? spec)
    {
        var name = Metadata.Text(spec, "user");
        var groups = Metadata.Strings(spec, "groups");
        if (name.Length == 0 && groups.Count == 0)
            throw Statuses.Invalid(kind, "", [FieldError.Invalid("spec.user", "\"\"", "at least one of user or group must be specified")]);
        return new UserInfo(name, groups) { Uid = Metadata.Text(spec, "uid") };
    }

    internal static JsonObject Answer(GroupVersionKind kind, JsonObject body, AccessDecision decision)
    {
        var answer = (JsonObject)body.DeepClone();
        answer["kind"] = kind.Kind;
        answer["apiVersion"] = kind.ApiVersion;
        var status = new JsonObject { ["allowed"] = decision.Allowed };
        if (decision.Reason.Length > 0)
            status["reason"] = decision.Reason;
        answer["status"] = status;
        return answer;
    }
}
