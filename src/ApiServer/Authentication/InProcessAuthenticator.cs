using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Authentication;

/// <summary>A part of this process. Only code can set a feature on a request; nothing that arrives over a socket can.</summary>
public sealed class InProcessAuthenticator : IAuthenticator
{
    public ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken) =>
        new(context.Features.Get<InProcessCaller>()?.User);
}
