using Microsoft.AspNetCore.Http;
using Weft.Api;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Authentication;

/// <summary>
/// `kubectl --as`: the Impersonate-* headers, each of which needs the `impersonate` right on what it names. Runs after authentication, so that the
/// rest of the request knows only the impersonated user.
/// </summary>
public sealed class ImpersonatingAuthenticator(IAuthenticator inner, IAuthorizer authorizer) : IAuthenticator
{
    private const string UserHeader = "Impersonate-User";
    private const string GroupHeader = "Impersonate-Group";
    private const string UidHeader = "Impersonate-Uid";
    private const string ExtraPrefix = "Impersonate-Extra-";

    public async ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var user = await inner.AuthenticateAsync(context, cancellationToken);
        if (user is null)
            return null;
        var headers = context.Request.Headers;
        if (!headers.Keys.Any(k => k.StartsWith("Impersonate-", StringComparison.OrdinalIgnoreCase)))
            return user;
        return await ImpersonateAsync(user, Read(headers), cancellationToken);
    }

    private static UserInfo Read(IHeaderDictionary headers)
    {
        var name = headers[UserHeader];
        if (name.Count != 1 || string.IsNullOrEmpty(name[0]))
            throw Statuses.BadRequest("requested other impersonation headers without impersonating a user; send one Impersonate-User");
        var extra = headers.Where(h => h.Key.StartsWith(ExtraPrefix, StringComparison.OrdinalIgnoreCase)).ToDictionary(
            // Header names have no case and few characters: keys are lower-case and percent-encoded.
            h => Uri.UnescapeDataString(h.Key[ExtraPrefix.Length..].ToLowerInvariant()),
            IReadOnlyList<string> (h) => [.. h.Value.OfType<string>()]);
        return new UserInfo(name[0]!, [.. headers[GroupHeader].OfType<string>()]) { Uid = headers[UidHeader].FirstOrDefault() ?? "", Extra = extra };
    }

    private async ValueTask<UserInfo> ImpersonateAsync(UserInfo user, UserInfo wanted, CancellationToken cancellationToken)
    {
        var account = ServiceAccountNames.Parse(wanted.Name);
        if (account is { } parsed)
            await RequireAsync(user, "", "serviceaccounts", "", parsed.Namespace, parsed.Name, cancellationToken);
        else
            await RequireAsync(user, "", "users", "", "", wanted.Name, cancellationToken);
        foreach (var group in wanted.Groups)
            await RequireAsync(user, "", "groups", "", "", group, cancellationToken);
        if (wanted.Uid.Length > 0)
            await RequireAsync(user, "authentication.k8s.io", "uids", "", "", wanted.Uid, cancellationToken);
        foreach (var (key, values) in wanted.Extra)
        {
            foreach (var value in values)
                await RequireAsync(user, "authentication.k8s.io", "userextras", key, "", value, cancellationToken);
        }

        if (account is { } owner && wanted.Groups.Count == 0)
            wanted = wanted with { Groups = ServiceAccountNames.Groups(owner.Namespace) };
        if (wanted.Name == UserInfo.Anonymous.Name)
            return wanted.Groups.Contains(UserInfo.AllUnauthenticated) ? wanted : wanted with { Groups = [.. wanted.Groups, UserInfo.AllUnauthenticated] };
        return UnionAuthenticator.WithAuthenticated(wanted);
    }

    private async ValueTask RequireAsync(
        UserInfo user, string group, string resource, string subresource, string ns, string name, CancellationToken cancellationToken)
    {
        var decision = await authorizer.AuthorizeAsync(
            new AccessAttributes(user, "impersonate") { Group = group, Version = "v1", Resource = resource, Subresource = subresource, Namespace = ns, Name = name },
            cancellationToken);
        if (decision.Allowed)
            return;
        var what = subresource.Length == 0 ? resource : $"{resource}/{subresource}";
        var where = ns.Length == 0 ? "at the cluster scope" : $"in the namespace \"{ns}\"";
        throw Statuses.Forbidden(new GroupVersionResource(group, "v1", resource), name,
            $"User \"{user.Name}\" cannot impersonate resource \"{what}\" in API group \"{group}\" {where}");
    }
}
