using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Authentication;

/// <summary>
/// One way to prove an identity: client certificate, token, the in-process caller. Null means "these credentials are not mine";
/// credentials that are mine but bad throw a 401 (<see cref="Http.ApiException"/>), so that a bad token never falls through to anonymous.
/// </summary>
public interface IAuthenticator
{
    ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken);
}

/// <summary>Set on a request by the in-memory handler of `Client`: the caller is a part of this process with this identity.</summary>
public sealed record InProcessCaller(UserInfo User);
