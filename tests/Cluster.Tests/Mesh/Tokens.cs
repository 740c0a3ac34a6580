using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>An issuer of tokens with one key, by ES256.</summary>
internal sealed class Tokens(string issuer, string keyId) : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>As a JWK set.</summary>
    public string KeySet
    {
        get
        {
            var point = _key.ExportParameters(includePrivateParameters: false).Q;
            return $$"""{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"{{keyId}}","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}]}""";
        }
    }

    public string Issue(string subject, string? group = null, TimeSpan? life = null, string algorithm = "ES256")
    {
        var claims = new JsonObject { ["iss"] = issuer, ["sub"] = subject, ["exp"] = (TimeProvider.System.GetUtcNow() + (life ?? TimeSpan.FromMinutes(10))).ToUnixTimeSeconds() };
        if (group is not null)
            claims["groups"] = new JsonArray(group);
        var signed = $"{Part(new JsonObject { ["alg"] = algorithm, ["kid"] = keyId })}.{Part(claims)}";
        return signed + "." + (algorithm == "none" ? "" : Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256)));
    }

    private static string Part(JsonObject value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));

    public void Dispose() => _key.Dispose();
}
