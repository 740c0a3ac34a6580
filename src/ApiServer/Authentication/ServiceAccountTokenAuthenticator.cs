using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Authentication;

/// <summary>`Authorization: Bearer` with a token of this cluster's service accounts.</summary>
public sealed partial class ServiceAccountTokenAuthenticator(ServiceAccountTokens tokens, ILogger<ServiceAccountTokenAuthenticator> logger) : IAuthenticator
{
    public ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var presented = BearerToken.Of(context.Request);
        if (presented.IsEmpty)
            return new((UserInfo?)null);
        if (tokens.Known(presented) is { } known)
            return new(known);
        var token = presented.ToString();
        if (!tokens.IsOurs(token))
            return new((UserInfo?)null);
        var verdict = tokens.Verify(token, []);
        if (verdict.User is { } user)
            return new(user);
        // The caller learns nothing but 401, as from Kubernetes; the reason is for whoever runs the cluster.
        Log.Refused(logger, verdict.Refusal!);
        throw Statuses.Unauthorized();
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Refused a service account token: {Reason}")]
        internal static partial void Refused(ILogger logger, string reason);
    }
}
