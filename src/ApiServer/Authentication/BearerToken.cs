using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Authentication;

internal static class BearerToken
{
    // RFC 6750 2.1; longer than any token that Jose would look at is not read further.
    private const int MaxHeaderLength = 20 * 1024;

    /// <summary>The token of the request, or empty without one. Two Authorization headers are a 401: which one counts would be anyone's guess.</summary>
    internal static ReadOnlySpan<char> Of(HttpRequest request)
    {
        var headers = request.Headers.Authorization;
        if (headers.Count == 0)
            return [];
        if (headers.Count > 1 || headers[0] is not { Length: <= MaxHeaderLength } header)
            throw Statuses.Unauthorized();
        const string scheme = "Bearer ";
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            return [];
        var token = header.AsSpan(scheme.Length).Trim(' ');
        return token.Length == 0 ? throw Statuses.Unauthorized() : token;
    }
}
