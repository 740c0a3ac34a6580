using System.Text.Json.Nodes;
using Weft.Jose;

namespace Weft.Cli.Demo.Tour;

/// <summary>Who signs the tokens of the shop's customers: a key of this tour alone.</summary>
internal sealed class Login(TimeProvider time) : IDisposable
{
    internal const string Issuer = "https://login.shop.example";
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(8);
    private readonly SigningKey _key = SigningKey.CreateEs256();

    /// <summary>The public half, as a JSON Web Key Set (RFC 7517).</summary>
    internal string KeySet => new JsonObject { ["keys"] = new JsonArray(_key.PublicKey.ToJwk()) }.ToJsonString();

    internal string Token(string subject) => Sign(_key, subject);

    /// <summary>One that says the same, signed by somebody else.</summary>
    internal string Forged(string subject)
    {
        using var other = SigningKey.CreateEs256();
        return Sign(other, subject);
    }

    private string Sign(SigningKey key, string subject)
    {
        var now = time.GetUtcNow();
        var claims = new JsonObject { ["iss"] = Issuer, ["sub"] = subject, ["iat"] = now.ToUnixTimeSeconds(), ["exp"] = (now + Lifetime).ToUnixTimeSeconds() };
        return Jws.Sign(System.Text.Encoding.UTF8.GetBytes(claims.ToJsonString()), key, "JWT");
    }

    public void Dispose() => _key.Dispose();
}
