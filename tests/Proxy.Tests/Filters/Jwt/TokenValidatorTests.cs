using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Jose;
using Weft.Proxy.Filters.Jwt;
using Weft.Proxy.Http;
using Weft.Testing;
using Token = Weft.Jose.Jwt;

namespace Weft.Proxy.Tests.Filters.Jwt;

/// <summary>Checklist 40 to 42, as far as it is the proxy's; what of it is the token's own is in Jose.Tests.</summary>
public sealed class TokenValidatorTests : IDisposable
{
    private const string Issuer = "https://issuer.example";
    private readonly ManualTime _time = new();
    private readonly SigningKey _key = SigningKey.CreateEs256();
    private readonly Fetcher _fetcher = new();

    [Fact]
    public async Task A_good_token_of_a_fetched_key()
    {
        _fetcher.Publish(_key);
        var (validator, source) = Fetched();
        var first = Check(validator, Sign(_key));
        Assert.Equal(TokenVerdict.Pending, first.Verdict);
        await first.Fetch!;

        var second = Check(validator, Sign(_key));

        Assert.Equal((TokenVerdict.Good, "main"), (second.Verdict, second.Provider));
        Assert.Equal(["admin", "dev"], ClaimText.Values(second.Claims!.Root, "realm.roles"));
        Assert.NotNull(source.Keys);
    }

    [Theory]
    [InlineData("aud", "other", "the token is meant for another audience")]
    [InlineData("exp", 1, "the token has expired")]
    [InlineData("nbf", 2000000000, "the token is not valid yet")]
    [InlineData("iss", "https://evil.example", "the token is not well-formed, or of no issuer that is known")]
    public void What_is_wrong_is_named(string claim, object value, string reason)
    {
        var outcome = Check(Fixed(), Sign(_key, c => c[claim] = value is int number ? JsonValue.Create(number) : JsonValue.Create((string)value)));
        Assert.Equal((TokenVerdict.Refused, reason), (outcome.Verdict, outcome.Reason));
    }

    [Fact]
    public void The_clocks_may_differ_by_the_skew()
    {
        var token = Sign(_key);
        _time.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(59));
        Assert.Equal(TokenVerdict.Good, Check(Fixed(), token).Verdict);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(TokenVerdict.Refused, Check(Fixed(), token).Verdict);
    }

    [Theory]
    [InlineData("""{"alg":"none"}""", "the token's algorithm is not accepted (ES256 and RS256 are)")]
    [InlineData("""{"alg":"HS256"}""", "the token's algorithm is not accepted (ES256 and RS256 are)")]
    [InlineData("""{"alg":"ES256","crit":["x"],"x":1}""", "the token demands an extension that is not supported")]
    [InlineData("""{"alg":"ES256","jwk":{"kty":"EC"}}""", "the token's signature is not valid")]
    [InlineData("""{"alg":"ES256","kid":"../../etc/passwd"}""", "no key of the issuer has the token's key id")]
    public void Hostile_headers(string header, string reason)
    {
        var parts = Sign(_key).Split('.');
        var outcome = Check(Fixed(), $"{Base64Url.EncodeToString(Encoding.ASCII.GetBytes(header))}.{parts[1]}.{parts[2]}");
        Assert.Equal((TokenVerdict.Refused, reason), (outcome.Verdict, outcome.Reason));
    }

    [Fact]
    public async Task Rotation_is_met_by_one_fetch_and_unknown_keys_do_not_hammer_the_issuer()
    {
        _fetcher.Publish(_key);
        var (validator, source) = Fetched();
        await source.Refresh()!;
        using var next = SigningKey.CreateEs256();
        _fetcher.Publish(_key, next);
        _time.Advance(TimeSpan.FromSeconds(10));

        var unknown = Check(validator, Sign(next));
        Assert.Equal(TokenVerdict.Pending, unknown.Verdict);
        await unknown.Fetch!;
        Assert.Equal(TokenVerdict.Good, Check(validator, Sign(next)).Verdict);

        using var stranger = SigningKey.CreateEs256();
        for (var i = 0; i < 1000; i++)
            Assert.Equal(TokenVerdict.Refused, Check(validator, Sign(stranger)).Verdict);
        Assert.Equal(2, _fetcher.Fetches);
    }

    [Fact]
    public async Task With_the_issuer_away_known_keys_stay_good_and_unknown_ones_bad()
    {
        _fetcher.Publish(_key);
        var (validator, source) = Fetched();
        await source.Refresh()!;
        foreach (var answer in (byte[]?[])[null, "<html>"u8.ToArray(), """{"keys":[]}"""u8.ToArray()])
        {
            _fetcher.Answer = answer;
            _time.Advance(TimeSpan.FromMinutes(1));
            await source.RefreshForUnknownKey()!;
            Assert.Equal(TokenVerdict.Good, Check(validator, Sign(_key)).Verdict);
            using var stranger = SigningKey.CreateEs256();
            Assert.Equal(TokenVerdict.Refused, Check(validator, Sign(stranger)).Verdict);
        }
    }

    [Fact]
    public async Task Without_any_key_the_door_is_closed()
    {
        var (validator, source) = Fetched();
        await source.Refresh()!;
        var outcome = Check(validator, Sign(_key));
        Assert.Equal((TokenVerdict.Refused, "the issuer's keys are not to be had"), (outcome.Verdict, outcome.Reason));
    }

    [Fact]
    public void Places_of_tokens()
    {
        var locations = new TokenLocations { Headers = [("authorization", "Bearer "), ("x-token", "")], QueryParameters = ["access_token"], Cookies = ["session"] };
        Assert.Equal((TokenCount.One, "abc"), Find(("Authorization", "bEARER abc")));
        Assert.Equal((TokenCount.One, "abc"), Find(("x-token", "abc")));
        Assert.Equal((TokenCount.One, "abc"), Find(("cookie", "a=b; session=abc")));
        Assert.Equal((TokenCount.One, "abc"), FindAt("/x?y=1&access_token=abc"));
        Assert.Equal((TokenCount.None, ""), Find(("authorization", "Basic abc")));
        Assert.Equal((TokenCount.Several, ""), Find(("authorization", "Bearer abc"), ("authorization", "Bearer def")));
        Assert.Equal((TokenCount.Several, ""), Find(("authorization", "Bearer abc"), ("cookie", "session=def")));

        (TokenCount, string) Find(params (string, string)[] fields) => (locations.Find(Head("/", fields), out var token), token);
        (TokenCount, string) FindAt(string target) => (locations.Find(Head(target), out var token), token);
    }

    [Fact]
    public void A_claim_breaks_out_of_no_field()
    {
        var outcome = Check(Fixed(), Sign(_key, c => c["name"] = "a\r\nx-admin: 1"));
        Assert.Null(ClaimText.FieldValue(outcome.Claims!.Root, "name"));
        Assert.Equal("admin,dev", ClaimText.FieldValue(outcome.Claims.Root, "realm.roles"));
        Assert.Null(ClaimText.FieldValue(outcome.Claims.Root, "none.such"));
    }

    public void Dispose() => _key.Dispose();

    private TokenOutcome Check(TokenValidator validator, string token) => validator.Check(Head("/", ("authorization", "Bearer " + token)), _time.GetUtcNow());

    private static JwtRules Rules => new() { Issuer = Issuer, Audiences = ["shop"], Skew = TimeSpan.FromSeconds(60) };

    private TokenValidator Fixed() => new([new("main", Rules, TokenLocations.Bearer) { FixedKeys = new KeySet([_key.PublicKey]) }]);

    private (TokenValidator, KeySource) Fetched()
    {
        var source = new KeySource(_fetcher, _time, TimeSpan.FromMinutes(20), TimeSpan.FromSeconds(10));
        return (new([new("main", Rules, TokenLocations.Bearer) { Source = source }]), source);
    }

    private string Sign(SigningKey key, Action<JsonObject>? change = null)
    {
        var claims = new JsonObject
        {
            ["iss"] = Issuer, ["aud"] = "shop", ["sub"] = "u1", ["exp"] = _time.GetUtcNow().AddMinutes(10).ToUnixTimeSeconds(),
            ["realm"] = new JsonObject { ["roles"] = new JsonArray("admin", "dev") },
        };
        change?.Invoke(claims);
        return Token.Sign(claims, key);
    }

    private static RequestHead Head(string target, params (string Name, string Value)[] fields)
    {
        var head = new RequestHead { Target = Encoding.ASCII.GetBytes(target) };
        foreach (var (name, value) in fields)
            head.Headers.Add(Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value));
        return head;
    }

    private sealed class Fetcher : IKeySetFetcher
    {
        public byte[]? Answer { get; set; }

        public int Fetches { get; private set; }

        public void Publish(params SigningKey[] keys) => Answer = Encoding.UTF8.GetBytes(new KeySet(keys.Select(k => k.PublicKey)).ToJson().ToJsonString());

        public Task<byte[]?> FetchAsync(CancellationToken cancellationToken)
        {
            Fetches++;
            return Task.FromResult(Answer);
        }
    }
}
