using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Authentication;

/// <summary>
/// Asks each authenticator in turn; the first identity counts. Without any credentials the caller is anonymous, and what that may do is RBAC's business;
/// with credentials that nobody knows it is a 401.
/// </summary>
public sealed class UnionAuthenticator(params IReadOnlyList<IAuthenticator> authenticators) : IAuthenticator
{
    private readonly ConditionalWeakTable<UserInfo, UserInfo> _authenticated = [];

    public async ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken)
    {
        foreach (var authenticator in authenticators)
        {
            if (await authenticator.AuthenticateAsync(context, cancellationToken) is { } user)
                // Authenticators give the same object for the same credentials, so that what hangs on it is worked out once.
                return _authenticated.GetValue(user, WithAuthenticated);
        }

        return context.Request.Headers.Authorization.Count == 0 ? UserInfo.Anonymous : throw Statuses.Unauthorized();
    }

    internal static UserInfo WithAuthenticated(UserInfo user) =>
        user.Name == UserInfo.Anonymous.Name || user.Groups.Contains(UserInfo.AllAuthenticated) || user.Groups.Contains(UserInfo.AllUnauthenticated)
            ? user
            : user with { Groups = [.. user.Groups, UserInfo.AllAuthenticated] };
}
