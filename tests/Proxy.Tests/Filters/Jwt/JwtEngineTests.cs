using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.Jose;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Runtime;
using Weft.Proxy.Tests.Forwarding;
using Weft.Testing;

namespace Weft.Proxy.Tests.Filters.Jwt;

/// <summary>Tokens through a whole engine, with keys from a real server.</summary>
public sealed class JwtEngineTests : IDisposable
{
    private readonly SigningKey _key = SigningKey.CreateEs256();
    private readonly ShiftedTime _time = new();

    [Fact]
    public async Task A_good_token_passes_and_its_claims_are_fields_that_no_client_can_send()
    {
        await using var keys = await KeyServer.StartAsync(_key);
        await using var endpoint = await EchoAsync();
        await using var proxy = await StartAsync(endpoint, Provider(keys) with { PayloadHeader = "x-payload", ClaimHeaders = [new("x-user", "sub"), new("x-roles", "realm.roles"), new("x-none", "none")] });

        using var response = await SendAsync(proxy, KeyServer.Sign(_key), "/", ("x-user", "root"), ("x_user", "root"), ("x-none", "1"), ("x-payload", "x"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var seen = await SeenAsync(response);
        Assert.Equal(("u1", "admin,dev", null, null), (seen["x-user"]?.ToString(), seen["x-roles"]?.ToString(), seen["x-none"]?.ToString(), seen["authorization"]?.ToString()));
        Assert.DoesNotContain("x_user", seen);
        Assert.Equal("u1", JsonNode.Parse(Base64Url.DecodeFromChars(seen["x-payload"]!.ToString()))!["sub"]!.ToString());
        Assert.Equal(1, keys.Fetches);
    }

    [Fact]
    public async Task Refused_tokens_are_401_and_stand_in_no_record_and_no_answer()
    {
        await using var keys = await KeyServer.StartAsync(_key);
        await using var endpoint = await EchoAsync();
        await using var proxy = await StartAsync(endpoint, Provider(keys) with { FromHeaders = [new("authorization", "Bearer ")], FromQuery = ["access_token"] });
        using var stranger = SigningKey.CreateEs256();
        var good = KeyServer.Sign(_key);
        var (name, payload) = (Base64Url.EncodeToString("""{"alg":"none"}"""u8), good.Split('.')[1]);
        (string Token, string Reason)[] bad =
        [
            (KeyServer.Sign(_key, c => c["exp"] = 1), "the token has expired"),
            (KeyServer.Sign(_key, c => c["aud"] = "other"), "the token is meant for another audience"),
            (KeyServer.Sign(_key, c => c["iss"] = "https://evil.example"), "the token is not well-formed, or of no issuer that is known"),
            ($"{name}.{payload}.", "the token's algorithm is not accepted (ES256 and RS256 are)"),
            (KeyServer.Sign(stranger), "no key of the issuer has the token's key id"),
            ("nonsense", "the token is not well-formed, or of no issuer that is known"),
        ];

        foreach (var (token, reason) in bad)
        {
            using var byHeader = await SendAsync(proxy, token);
            using var byQuery = await SendAsync(proxy, null, $"/a?x=1&access_token={token}");
            foreach (var response in new[] { byHeader, byQuery })
            {
                Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
                Assert.Equal($"Bearer realm=\"weft\", error=\"invalid_token\", error_description=\"{reason}\"", response.Headers.WwwAuthenticate.ToString());
                Assert.Equal("unauthorized\n", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            }
        }

        using (var accepted = await SendAsync(proxy, null, $"/b?access%5Ftoken={good}&y=2"))
            Assert.Equal("/b?y=2", (await SeenAsync(accepted))["target"]!.ToString());
        using (var several = await SendAsync(proxy, good, $"/c?access_token={KeyServer.Sign(stranger)}"))
            Assert.Contains("several tokens", several.Headers.WwwAuthenticate.ToString());
        using (var none = await SendAsync(proxy, null, "/last"))
            Assert.Equal("Bearer realm=\"weft\"", none.Headers.WwwAuthenticate.ToString());

        await Eventually.TrueAsync(() => proxy.Records().Split('\n').Length > 2 * bad.Length + 3, state: proxy.Records);
        Assert.Contains("jwt_refused", proxy.Records());
        Assert.Contains("/a?x=1", proxy.Records());
        Assert.All([.. bad.Select(b => b.Token), payload], secret => Assert.DoesNotContain(secret, proxy.Records()));
    }

    [Fact]
    public async Task A_new_key_is_fetched_when_a_token_has_it_and_the_old_one_goes_with_the_set()
    {
        await using var keys = await KeyServer.StartAsync(_key);
        await using var endpoint = await EchoAsync();
        await using var proxy = await StartAsync(endpoint, Provider(keys));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(proxy, KeyServer.Sign(_key)));
        using var next = SigningKey.CreateEs256();
        keys.Publish(next);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(proxy, KeyServer.Sign(next)));
        _time.Shift = TimeSpan.FromSeconds(11);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(proxy, KeyServer.Sign(next)));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(proxy, KeyServer.Sign(_key)));
        Assert.Equal(2, keys.Fetches);
    }

    [Fact]
    public async Task Many_wait_for_one_fetch_and_a_client_that_leaves_harms_nobody()
    {
        await using var keys = await KeyServer.StartAsync(_key);
        var gate = new TaskCompletionSource();
        keys.Gate = gate.Task;
        await using var endpoint = await EchoAsync();
        await using var proxy = await StartAsync(endpoint, Provider(keys));
        using var leave = new CancellationTokenSource();
        var left = SendAsync(proxy, KeyServer.Sign(_key), "/", leave.Token);
        var waiting = Enumerable.Range(0, 20).Select(_ => StatusAsync(proxy, KeyServer.Sign(_key))).ToList();
        await Eventually.TrueAsync(() => keys.Fetches == 1 && proxy.Metrics().Contains("weft_proxy_requests_in_flight 21", StringComparison.Ordinal), state: proxy.Metrics);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        await Eventually.TrueAsync(() => proxy.Metrics().Contains("weft_proxy_requests_in_flight 20", StringComparison.Ordinal), state: proxy.Metrics);

        gate.SetResult();

        Assert.All(await Task.WhenAll(waiting), status => Assert.Equal(HttpStatusCode.OK, status));
        Assert.Equal(1, keys.Fetches);
    }

    [Fact]
    public async Task With_the_server_away_known_keys_stay_also_over_configurations()
    {
        var keys = await KeyServer.StartAsync(_key);
        await using var endpoint = await EchoAsync();
        var provider = Provider(keys);
        await using var proxy = await StartAsync(endpoint, provider);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(proxy, KeyServer.Sign(_key)));
        await keys.DisposeAsync();
        _time.Shift = TimeSpan.FromMinutes(9);

        await proxy.Engine.ApplyAsync(Config(endpoint, [provider], new JwtFilter { Providers = ["main"] }, new BodyLimitFilter(10)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(proxy, KeyServer.Sign(_key)));

        // A provider that changes takes effect, though the filter's record is the same.
        await proxy.Engine.ApplyAsync(Config(endpoint, [provider with { Audiences = ["other"] }], new JwtFilter { Providers = ["main"] }));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(proxy, KeyServer.Sign(_key)));
    }

    [Theory]
    [InlineData("redirect")]
    [InlineData("large")]
    [InlineData("error")]
    [InlineData("html")]
    public async Task An_answer_that_is_none_opens_nothing(string kind)
    {
        await using var keys = await KeyServer.StartAsync(_key);
        keys.Spoil = kind switch
        {
            "redirect" => response =>
            {
                response.Redirect("/elsewhere");
                return Task.CompletedTask;
            },
            "large" => response => response.Body.WriteAsync(new byte[300_000]).AsTask(),
            "error" => response =>
            {
                response.StatusCode = 500;
                return Task.CompletedTask;
            },
            _ => response => response.WriteAsync("<html>"),
        };
        await using var endpoint = await EchoAsync();
        await using var proxy = await StartAsync(endpoint, Provider(keys));

        using var response = await SendAsync(proxy, KeyServer.Sign(_key));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Contains("the issuer's keys are not to be had", response.Headers.WwwAuthenticate.ToString());
        Assert.Equal(1, keys.Fetches);
        keys.Spoil = null;
        _time.Shift = TimeSpan.FromSeconds(11);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(proxy, KeyServer.Sign(_key)));
    }

    [Fact]
    public async Task Without_a_token_rules_decide_where_that_is_allowed()
    {
        await using var endpoint = await EchoAsync();
        var provider = new JwtProviderConfig { Name = "main", Issuer = KeyServer.Issuer, Jwks = new DataSource { Inline = new KeySet([_key.PublicKey]).ToJson().ToJsonString() }, Forward = true };
        var rules = new AuthorizationFilter
        {
            Policies =
            [
                new AuthorizationPolicyConfig
                {
                    Name = "admins", Action = AuthorizationAction.Allow,
                    Rules = [new AuthorizationRule { When = [new AuthorizationCondition("request.auth.claims[realm][roles]", ["admin"], []), new AuthorizationCondition("request.auth.claims[scope]", ["write"], [])] }],
                },
            ],
        };
        await using var proxy = await ProxyFixture.StartAsync(Config(endpoint, [provider], new JwtFilter { Providers = ["main"], AllowMissing = true }, rules));

        using (var response = await SendAsync(proxy, KeyServer.Sign(_key)))
            Assert.StartsWith("Bearer ey", (await SeenAsync(response))["authorization"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(proxy, null));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(proxy, KeyServer.Sign(_key, c => c["scope"] = "read")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(proxy, "nonsense"));
    }

    [Fact]
    public async Task A_key_file_that_is_none_is_refused_and_the_old_configuration_stays()
    {
        await using var endpoint = await EchoAsync();
        await using var keys = await KeyServer.StartAsync(_key);
        await using var proxy = await StartAsync(endpoint, Provider(keys));
        var bad = new JwtProviderConfig { Name = "main", Issuer = KeyServer.Issuer, Jwks = new DataSource { Inline = """{"keys":[]}""" } };

        var refusal = await Assert.ThrowsAsync<ProxyConfigException>(() => proxy.Engine.ApplyAsync(Config(endpoint, [bad], new JwtFilter { Providers = ["main"] })));

        Assert.Equal(["jwtProvider main: jwks: is no JWK set with a key for ES256 or RS256"], refusal.Errors);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(proxy, KeyServer.Sign(_key)));
    }

    public void Dispose() => _key.Dispose();

    private static JwtProviderConfig Provider(KeyServer keys) => new() { Name = "main", Issuer = KeyServer.Issuer, Audiences = ["shop"], JwksUri = keys.Uri };

    private static Task<Microsoft.AspNetCore.Builder.WebApplication> EchoAsync() => ProxyFixture.ServerAsync(Echo.AnswerAsync);

    private Task<ProxyFixture> StartAsync(Microsoft.AspNetCore.Builder.WebApplication endpoint, JwtProviderConfig provider)
        => ProxyFixture.StartAsync(Config(endpoint, [provider], new JwtFilter { Providers = ["main"] }), _time);

    private static ProxyConfig Config(Microsoft.AspNetCore.Builder.WebApplication endpoint, ValueList<JwtProviderConfig> providers, params FilterConfig[] filters)
        => Echo.Config(endpoint, filters) with { JwtProviders = providers };

    private static async Task<HttpStatusCode> StatusAsync(ProxyFixture proxy, string? token)
    {
        using var response = await SendAsync(proxy, token);
        return response.StatusCode;
    }

    private static Task<HttpResponseMessage> SendAsync(ProxyFixture proxy, string? token, string path = "/", params (string Name, string Value)[] fields)
        => Echo.SendAsync(proxy, path, [.. fields, .. token is null ? [] : new[] { ("authorization", "Bearer " + token) }], TestContext.Current.CancellationToken);

    private static Task<HttpResponseMessage> SendAsync(ProxyFixture proxy, string token, string path, CancellationToken cancellationToken)
        => Echo.SendAsync(proxy, path, [("authorization", "Bearer " + token)], cancellationToken);

    private static Task<JsonObject> SeenAsync(HttpResponseMessage response) => Echo.SeenAsync(response);
}
