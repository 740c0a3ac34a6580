using Weft.Api;
using Weft.ApiServer.Authorization;

namespace Weft.ApiServer.Http;

/// <summary>Asks whether the user may do what the request asks for, and words the refusal as Kubernetes does.</summary>
internal sealed class RequestAuthorizer(IAuthorizer authorizer)
{
    public ValueTask RequireAsync(ApiRequest request) => RequireAsync(request, request.Info.Verb);

    /// <summary>Asks for a verb on what the request names that is not the one of its method.</summary>
    public async ValueTask RequireAsync(ApiRequest request, string verb)
    {
        var attributes = Attributes(request, verb);
        var decision = await authorizer.AuthorizeAsync(attributes, request.Aborted);
        if (!decision.Allowed)
            throw Refusal(request.Info, attributes, decision.Reason);
    }

    private static AccessAttributes Attributes(ApiRequest request, string verb)
    {
        var info = request.Info;
        if (!info.IsResource)
            return new AccessAttributes(request.User, verb) { Path = info.Path };
        return new AccessAttributes(request.User, verb)
        {
            Group = info.Group,
            Version = info.Version,
            Resource = info.Resource,
            Subresource = info.Subresource,
            Namespace = info.Namespace,
            Name = info.Name,
        };
    }

    private static ApiException Refusal(RequestInfo info, AccessAttributes attributes, string reason)
    {
        var because = reason.Length == 0 ? "" : ": " + reason;
        if (!info.IsResource)
            return Statuses.ForbiddenPath($"User \"{attributes.User.Name}\" cannot {attributes.Verb} path \"{info.Path}\"{because}");

        var resource = info.Subresource.Length == 0 ? info.Resource : $"{info.Resource}/{info.Subresource}";
        var where = info.Namespace.Length == 0 ? "at the cluster scope" : $"in the namespace \"{info.Namespace}\"";
        return Statuses.Forbidden(new GroupVersionResource(info.Group, info.Version, info.Resource), info.Name,
            $"User \"{attributes.User.Name}\" cannot {attributes.Verb} resource \"{resource}\" in API group \"{info.Group}\" {where}{because}");
    }
}
