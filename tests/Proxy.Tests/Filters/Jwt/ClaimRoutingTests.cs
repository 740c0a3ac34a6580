using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Jose;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Forwarding;
using Weft.Proxy.Tests.Support;

namespace Weft.Proxy.Tests.Filters.Jwt;

/// <summary>Routes that are chosen by what a token says that the listener has verified.</summary>
public sealed class ClaimRoutingTests : IDisposable
{
    private readonly SigningKey _key = SigningKey.CreateEs256();
    private readonly SigningKey _stranger = SigningKey.CreateEs256();

    public void Dispose()
    {
        _key.Dispose();
        _stranger.Dispose();
    }

    [Fact]
    public async Task Lists_words_nested_names_and_whether_a_claim_is_there_choose_the_route()
    {
        await using var proxy = await StartAsync(
            To("group", new ClaimMatch(["groups"], StringMatch.Exact("beta"))),
            To("nested", new ClaimMatch(["realm", "roles"], StringMatch.Prefix("adm"))),
            To("dotted", new ClaimMatch(["a.b"], StringMatch.Regex("[0-9]+"))),
            To("scope", new ClaimMatch(["scope"], StringMatch.Exact("write"))),
            To("words", new ClaimMatch(["teams"], StringMatch.Exact("red"))),
            To("there", new ClaimMatch(["plan"])),
            To("nobody", new ClaimMatch(["sub"], Invert: true)),
            To("rest"));

        Assert.Equal("group", await RouteAsync(proxy, claims => claims["groups"] = new JsonArray("alpha", "beta")));
        Assert.Equal("group", await RouteAsync(proxy, claims => claims["groups"] = "beta"));
        Assert.Equal("rest", await RouteAsync(proxy, claims => claims["groups"] = "beta alpha"));
        Assert.Equal("nested", await RouteAsync(proxy, claims => claims["realm"] = new JsonObject { ["roles"] = new JsonArray("dev", "admin") }));
        Assert.Equal("dotted", await RouteAsync(proxy, claims => claims["a.b"] = 12));
        Assert.Equal("rest", await RouteAsync(proxy, claims => claims["a"] = new JsonObject { ["b"] = 12 }));
        Assert.Equal("scope", await RouteAsync(proxy, claims => claims["scope"] = "read write"));
        Assert.Equal("words", await RouteAsync(proxy, claims => claims["teams"] = "blue red"));
        Assert.Equal("there", await RouteAsync(proxy, claims => claims["plan"] = false));
        Assert.Equal("rest", await RouteAsync(proxy, _ => { }));
        Assert.Equal("nobody", await (await SendAsync(proxy, null)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Only_a_token_that_was_verified_has_claims_and_no_field_has_any()
    {
        await using var proxy = await StartAsync(To("beta", new ClaimMatch(["groups"], StringMatch.Exact("beta"))), To("rest"));
        static void Beta(JsonObject claims) => claims["groups"] = "beta";
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(proxy, KeyServer.Sign(_stranger, Beta))).StatusCode);
        Assert.Equal("beta", await RouteAsync(proxy, Beta));

        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        await socket.ConnectAsync(proxy.Address, TestContext.Current.CancellationToken);
        var answer = EngineBed.Ask(socket, "GET / HTTP/1.1\r\nHost: any\r\n@request.auth.claims.groups: beta\r\n\r\n");
        Assert.DoesNotContain("beta", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_that_waits_for_keys_is_routed_by_them_and_passes_the_filters_of_its_route_alone()
    {
        await using var keys = await KeyServer.StartAsync(_key);
        var gate = new TaskCompletionSource();
        keys.Gate = gate.Task;
        static HeaderFilter Says(string route) => new() { Response = new HeaderEdits { Add = [new HeaderValue("x-route", route)] } };
        await using var proxy = await StartAsync(
            new JwtProviderConfig { Name = "main", Issuer = KeyServer.Issuer, JwksUri = keys.Uri },
            To("beta", new ClaimMatch(["groups"], StringMatch.Exact("beta"))) with { Filters = [Says("beta")] },
            To("alone", new ClaimMatch(["groups"], StringMatch.Exact("alone"))) with { Filters = [Says("alone")], OwnFiltersOnly = true },
            To("rest") with { Filters = [Says("rest")] });

        var waiting = SendAsync(proxy, KeyServer.Sign(_key, claims => claims["groups"] = "beta"));
        gate.SetResult();
        var response = await waiting;
        Assert.Equal("beta", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["beta"], response.Headers.GetValues("x-route"));
        Assert.Equal(["yes"], response.Headers.GetValues("x-listener"));

        response = await SendAsync(proxy, KeyServer.Sign(_key, claims => claims["groups"] = "alone"));
        Assert.Equal(["alone"], response.Headers.GetValues("x-route"));
        Assert.Equal(["rest"], (await SendAsync(proxy, null)).Headers.GetValues("x-route"));
    }

    private static RouteConfig To(string name, params ClaimMatch[] claims) => new()
    {
        Name = name, Action = new DirectResponse { Status = 200, Body = name }, Matches = claims.Length == 0 ? [] : [new RouteMatch { Claims = [.. claims] }],
    };

    private Task<ProxyFixture> StartAsync(params RouteConfig[] routes)
        => StartAsync(new JwtProviderConfig { Name = "main", Issuer = KeyServer.Issuer, Jwks = new DataSource { Inline = new KeySet([_key.PublicKey]).ToJson().ToJsonString() }, SpaceDelimitedClaims = ["teams"] }, routes);

    private static Task<ProxyFixture> StartAsync(JwtProviderConfig provider, params RouteConfig[] routes)
    {
        var config = ProxyFixture.Config([.. routes]);
        return ProxyFixture.StartAsync(config with
        {
            JwtProviders = [provider],
            Listeners = config.Listeners.Select(listener => listener with
            {
                Filters = [new JwtFilter { Providers = ["main"], AllowMissing = true }, new HeaderFilter { Response = new HeaderEdits { Add = [new HeaderValue("x-listener", "yes")] } }],
            }).ToValueList(),
        });
    }

    private async Task<string> RouteAsync(ProxyFixture proxy, Action<JsonObject> change)
    {
        var token = KeyServer.Sign(_key, claims =>
        {
            claims.Remove("scope");
            claims.Remove("realm");
            change(claims);
        });
        return await (await SendAsync(proxy, token)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    private static Task<HttpResponseMessage> SendAsync(ProxyFixture proxy, string? token)
        => Echo.SendAsync(proxy, "/", token is null ? [] : [("authorization", "Bearer " + token)], TestContext.Current.CancellationToken);
}
