using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Weft.Api.Joining;
using Weft.Api.Trees;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Nodes;

/// <summary>
/// A join token is good for the join and for nothing else: on every other path it is no credential. The tokens are Secrets of the cluster, with the
/// hash of their secret, so that who reads the store, or a backup of it, cannot join.
/// </summary>
public sealed class JoinTokens(StoredObjects objects, TimeProvider time) : IAuthenticator
{
    public const string Group = "system:bootstrappers";

    public ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (context.Request.Path.Value != JoinPaths.Join || context.Request.Headers.Authorization.Count == 0)
            return new((UserInfo?)null);
        var credential = JoinToken.ParseCredential(BearerToken.Of(context.Request).ToString());
        return credential is { } known && IsGood(known.Id, known.Secret)
            ? new(new UserInfo("system:bootstrap:" + known.Id, [Group]))
            : throw Statuses.Unauthorized();
    }

    internal bool IsGood(string id, string secret)
    {
        var stored = objects.Get("", "secrets", JoinToken.SecretNamespace, JoinToken.SecretPrefix + id);
        if (stored?.At("type").AsText() != JoinToken.SecretType || Decode(stored.At("data", JoinToken.HashKey).AsText()) is not { } hash)
            return false;
        var expires = Decode(stored.At("data", JoinToken.ExpiresKey).AsText());
        if (expires is not null && (!DateTimeOffset.TryParse(expires, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end) || end <= time.GetUtcNow()))
            return false;
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(hash), Encoding.ASCII.GetBytes(JoinToken.HashOfSecret(secret)));
    }

    private static string? Decode(string? base64)
    {
        if (base64 is null)
            return null;
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var length) ? Encoding.UTF8.GetString(bytes, 0, length) : null;
    }
}
