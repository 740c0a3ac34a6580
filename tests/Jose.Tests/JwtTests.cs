using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Weft.Jose.Tests;

public sealed class JwtTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    private readonly SigningKey _key = SigningKey.CreateEs256();
    private readonly KeySet _keys;
    private readonly JwtRules _rules = new() { Issuer = "https://issuer", Audiences = ["api"] };

    public JwtTests() => _keys = new KeySet([_key.PublicKey]);

    public void Dispose() => _key.Dispose();

    private static JsonObject Claims() => new()
    {
        ["iss"] = "https://issuer", ["sub"] = "someone", ["aud"] = new JsonArray("api", "other"),
        ["exp"] = Now.ToUnixTimeSeconds() + 60, ["nbf"] = Now.ToUnixTimeSeconds() - 1, ["iat"] = Now.ToUnixTimeSeconds() - 1, ["jti"] = "1",
    };

    private static string B64(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    [Fact]
    public void A_signed_token_is_read_back()
    {
        var result = Jwt.Verify(Jwt.Sign(Claims(), _key), _keys, _rules, Now);

        Assert.True(result.Succeeded);
        Assert.Equal("someone", result.Claims!.Subject);
        Assert.Equal(["api", "other"], result.Claims.Audiences);
    }

    [Theory]
    [InlineData(60, TokenError.Expired)]
    [InlineData(59, TokenError.None)]
    [InlineData(-2, TokenError.NotYetValid)]
    public void The_time_decides(int seconds, TokenError expected) =>
        Assert.Equal(expected, Jwt.Verify(Jwt.Sign(Claims(), _key), _keys, _rules, Now.AddSeconds(seconds)).Error);

    [Theory]
    [InlineData("iss", "\"https://evil\"", TokenError.WrongIssuer)]
    [InlineData("iss", null, TokenError.WrongIssuer)]
    [InlineData("iss", "7", TokenError.Malformed)]
    [InlineData("aud", "\"other\"", TokenError.WrongAudience)]
    [InlineData("aud", "[]", TokenError.WrongAudience)]
    [InlineData("aud", null, TokenError.WrongAudience)]
    [InlineData("aud", "[\"api\",7]", TokenError.Malformed)]
    [InlineData("exp", null, TokenError.Expired)]
    [InlineData("exp", "\"9999999999\"", TokenError.Malformed)]
    [InlineData("exp", "1e300", TokenError.Malformed)]
    [InlineData("exp", "-1", TokenError.Malformed)]
    [InlineData("exp", "true", TokenError.Malformed)]
    [InlineData("nbf", "\"x\"", TokenError.Malformed)]
    [InlineData("sub", "{}", TokenError.Malformed)]
    public void A_claim_of_a_wrong_value_or_type_is_refused(string claim, string? json, TokenError expected)
    {
        var claims = Claims();
        claims.Remove(claim);
        if (json is not null)
            claims[claim] = JsonNode.Parse(json);

        Assert.Equal(expected, Jwt.Verify(Jwt.Sign(claims, _key), _keys, _rules, Now).Error);
    }

    [Theory]
    [InlineData("""{"alg":"none"}""", TokenError.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"None"}""", TokenError.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"nOnE","kid":"KID"}""", TokenError.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"","kid":"KID"}""", TokenError.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"HS256","kid":"KID"}""", TokenError.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"ES384","kid":"KID"}""", TokenError.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"ECDH-ES+A256KW","enc":"A256GCM","zip":"DEF","kid":"KID"}""", TokenError.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2c":2147483647,"p2s":"AAAA","kid":"KID"}""", TokenError.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"es256","kid":"KID"}""", TokenError.UnsupportedAlgorithm)]
    [InlineData("""{"alg":["ES256"],"kid":"KID"}""", TokenError.Malformed)]
    [InlineData("""{"kid":"KID"}""", TokenError.Malformed)]
    [InlineData("""{"alg":"RS256","kid":"KID"}""", TokenError.BadSignature)]
    [InlineData("""{"alg":"ES256","kid":"../../etc/passwd"}""", TokenError.UnknownKey)]
    [InlineData("""{"alg":"ES256","kid":"' OR 1=1 --"}""", TokenError.UnknownKey)]
    [InlineData("""{"alg":"ES256","kid":7}""", TokenError.Malformed)]
    [InlineData("""{"alg":"ES256","kid":null}""", TokenError.Malformed)]
    [InlineData("""{"alg":"ES256","kid":""}""", TokenError.UnknownKey)]
    [InlineData("""{"alg":"ES256","kid":"KID","crit":["exp"],"exp":1}""", TokenError.CriticalHeader)]
    [InlineData("""{"alg":"ES256","kid":"KID","crit":[]}""", TokenError.CriticalHeader)]
    [InlineData("""{"alg":"ES256","kid":"KID","b64":false}""", TokenError.CriticalHeader)]
    [InlineData("""{"alg":"none","alg":"ES256","kid":"KID"}""", TokenError.DuplicateMember)]
    [InlineData("""{"alg":"ES256","kid":"KID","kid":"other"}""", TokenError.DuplicateMember)]
    [InlineData("""{"alg":"ES256","kid":"KID"} {}""", TokenError.Malformed)]
    [InlineData("""["ES256"]""", TokenError.Malformed)]
    [InlineData("", TokenError.Malformed)]
    public void A_header_that_attacks_is_refused(string header, TokenError expected)
    {
        var token = B64(header.Replace("KID", _key.KeyId, StringComparison.Ordinal)) + "." + B64(Claims().ToJsonString()) + "." + Base64Url.EncodeToString(new byte[64]);

        Assert.Equal(expected, Jwt.Verify(token, _keys, _rules, Now).Error);
    }

    [Theory]
    [InlineData("""{"alg":"ES256","kid":"evil","jwk":JWK}""", TokenError.UnknownKey)]
    [InlineData("""{"alg":"ES256","jwk":JWK}""", TokenError.BadSignature)]
    [InlineData("""{"alg":"ES256","kid":"GOOD","jwk":JWK,"jku":"http://127.0.0.1:1/","x5u":"http://127.0.0.1:1/"}""", TokenError.BadSignature)]
    public void A_key_that_the_token_brings_along_is_never_used(string header, TokenError expected)
    {
        using var evil = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var evilPublic = VerificationKey.Es256("evil", evil.ExportParameters(false));
        var signed = B64(header.Replace("JWK", evilPublic.ToJwk().ToJsonString(), StringComparison.Ordinal).Replace("GOOD", _key.KeyId, StringComparison.Ordinal))
            + "." + B64(Claims().ToJsonString());
        var token = signed + "." + Base64Url.EncodeToString(evil.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256));

        Assert.Equal(expected, Jwt.Verify(token, _keys, _rules, Now).Error);
    }

    [Fact]
    public void A_public_key_is_no_shared_secret()
    {
        using var rsa = RSA.Create(2048);
        using var keys = new KeySet([VerificationKey.Rs256("r", rsa.ExportParameters(false))]);
        var signed = B64("""{"alg":"HS256","kid":"r"}""") + "." + B64(Claims().ToJsonString());
        var token = signed + "." + Base64Url.EncodeToString(HMACSHA256.HashData(rsa.ExportSubjectPublicKeyInfo(), Encoding.ASCII.GetBytes(signed)));

        Assert.Equal(TokenError.UnsupportedAlgorithm, Jwt.Verify(token, keys, _rules, Now).Error);
    }

    [Fact]
    public void An_rs256_token_verifies_and_its_key_survives_the_key_set_document()
    {
        using var rsa = RSA.Create(2048);
        using var keys = new KeySet([VerificationKey.Rs256("r", rsa.ExportParameters(false)), _key.PublicKey]);
        using var parsed = KeySet.Parse(Encoding.UTF8.GetBytes(keys.ToJson().ToJsonString()))!;
        var signed = B64("""{"alg":"RS256","kid":"r","typ":"JWT"}""") + "." + B64(Claims().ToJsonString());
        var token = signed + "." + Base64Url.EncodeToString(rsa.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

        Assert.True(Jwt.Verify(token, parsed, _rules, Now).Succeeded);
        Assert.True(Jwt.Verify(Jwt.Sign(Claims(), _key), parsed, _rules, Now).Succeeded);
    }

    [Fact]
    public void Signatures_that_fool_careless_verifiers_are_refused()
    {
        var parts = Jwt.Sign(Claims(), _key).Split('.');
        var signature = Base64Url.DecodeFromChars(parts[2]);
        var sZero = (byte[])signature.Clone();
        sZero.AsSpan(32).Clear();
        byte[] flipped = [.. signature];
        flipped[5] ^= 1;
        byte[][] bad = [new byte[64], sZero, flipped, signature[..63], [.. signature, 0], Enumerable.Repeat((byte)0xFF, 64).ToArray()];

        foreach (var candidate in bad)
            Assert.Equal(TokenError.BadSignature, Jwt.Verify($"{parts[0]}.{parts[1]}.{Base64Url.EncodeToString(candidate)}", _keys, _rules, Now).Error);
    }

    [Fact]
    public void A_token_has_one_spelling()
    {
        var token = Jwt.Sign(Claims(), _key);
        string[] spellings =
        [
            token + "=", token + "==", token + "\n", " " + token, token + ".", "." + token, token.Replace(".", ". ", StringComparison.Ordinal),
            token[..^1], "", ".", "..", "a.b", token[..^1] + LastCharacterWithLooseBits(token[^1]), token.Replace('.', ','),
        ];

        foreach (var spelling in spellings)
            Assert.Equal(TokenError.Malformed, Jwt.Verify(spelling, _keys, _rules, Now).Error);
    }

    // 64 bytes end in a character of which only the first two bits count.
    private static char LastCharacterWithLooseBits(char last) => (char)(last + 1);

    [Fact]
    public void Huge_and_deep_tokens_are_refused_before_any_work()
    {
        Assert.Equal(TokenError.TooLarge, Jwt.Verify(new string('a', 20_000), _keys, _rules, Now).Error);
        Assert.Equal(TokenError.TooLarge, Jwt.Verify(B64("{\"alg\":\"ES256\",\"x\":\"" + new string('x', 6_000) + "\"}") + ".e30.AA", _keys, _rules, Now).Error);
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 200)) + "1" + new string('}', 200);
        Assert.Equal(TokenError.Malformed, Jwt.Verify(B64(deep) + ".e30.AA", _keys, _rules, Now).Error);
    }

    [Theory]
    [InlineData("""{"iss":"https://evil","iss":"https://issuer","aud":"api","exp":4000000000}""", TokenError.DuplicateMember)]
    [InlineData("""{"iss":"https://issuer","aud":"api","exp":4000000000,"x":{"a":1,"a":2}}""", TokenError.DuplicateMember)]
    [InlineData("""{"iss":"https://issuer","aud":"api","exp":4000000000,}""", TokenError.Malformed)]
    [InlineData("not json", TokenError.Malformed)]
    [InlineData("[]", TokenError.Malformed)]
    public void A_signed_payload_that_reads_two_ways_is_refused(string payload, TokenError expected) =>
        Assert.Equal(expected, Jwt.Verify(Jws.Sign(Encoding.UTF8.GetBytes(payload), _key), _keys, _rules, Now).Error);

    [Fact]
    public void A_token_of_another_purpose_is_refused() =>
        Assert.Equal(TokenError.WrongType, Jwt.Verify(Jws.Sign(Encoding.UTF8.GetBytes(Claims().ToJsonString()), _key, "logout+jwt"), _keys, _rules, Now).Error);

    [Fact]
    public void A_token_without_a_key_id_is_tried_with_each_key()
    {
        using var other = SigningKey.CreateEs256();
        using var keys = new KeySet([other.PublicKey, _key.PublicKey]);
        using var key = ECDsa.Create();
        key.ImportFromPem(_key.ExportPem());
        var signed = B64("""{"alg":"ES256"}""") + "." + B64(Claims().ToJsonString());
        var token = signed + "." + Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256));

        Assert.True(Jwt.Verify(token, keys, _rules, Now).Succeeded);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"keys\":{}}")]
    [InlineData("{\"keys\":[],\"keys\":[]}")]
    public void A_document_that_is_no_key_set_is_null(string json) => Assert.Null(KeySet.Parse(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}""")]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}""")]
    [InlineData("""{"kty":"RSA","n":"AQAB","e":"AQAB"}""")]
    [InlineData("""{"kty":"oct","k":"AQAB"}""")]
    [InlineData("""{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"}""")]
    [InlineData("""7""")]
    public void An_unusable_key_is_passed_over(string jwk) =>
        Assert.Empty(KeySet.Parse(Encoding.UTF8.GetBytes("{\"keys\":[" + jwk + "]}"))!.Keys);

    [Fact]
    public void The_key_id_survives_the_key_file()
    {
        using var loaded = SigningKey.FromPem(_key.ExportPem());

        Assert.Equal(_key.KeyId, loaded.KeyId);
        Assert.True(Jwt.Verify(Jwt.Sign(Claims(), loaded), _keys, _rules, Now).Succeeded);
    }
}
