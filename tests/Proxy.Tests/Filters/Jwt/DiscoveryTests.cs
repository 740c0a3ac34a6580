using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Weft.Jose;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Jwt;
using Weft.Proxy.Tests.Forwarding;

namespace Weft.Proxy.Tests.Filters.Jwt;

/// <summary>Issuers of which nothing but their name is known: their own document says where their keys are.</summary>
public sealed class DiscoveryTests : IAsyncLifetime
{
    private readonly SigningKey _key = SigningKey.CreateEs256();
    private readonly ShiftedTime _time = new();
    private readonly List<string> _asked = [];
    private Func<string> _document = () => "";
    private WebApplication _server = null!;

    private string Address => _server.Urls.Single();

    private string Issuer => $"{Address}/realms/shop/";

    public async ValueTask InitializeAsync() => _server = await ProxyFixture.ServerAsync(AnswerAsync);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _key.Dispose();
    }

    private Task AnswerAsync(HttpContext context)
    {
        lock (_asked)
            _asked.Add(context.Request.Path);
        return context.Request.Path.Value switch
        {
            "/realms/shop/.well-known/openid-configuration" => context.Response.WriteAsync(_document()),
            "/moved" => Task.Run(() => context.Response.Redirect("/keys")),
            "/keys" => context.Response.WriteAsync(new KeySet([_key.PublicKey]).ToJson().ToJsonString()),
            _ => Task.Run(() => context.Response.StatusCode = 404),
        };
    }

    private Task<ProxyFixture> StartAsync() => ProxyFixture.StartAsync(
        ProxyFixture.Config([ProxyFixture.Everything(new DirectResponse { Status = 200, Body = "in" }) with { Filters = [new JwtFilter { Providers = ["main"] }] }]) with { JwtProviders = [new JwtProviderConfig { Name = "main", Issuer = Issuer }] },
        _time);

    private async Task<HttpStatusCode> StatusAsync(ProxyFixture proxy)
    {
        using var response = await Echo.SendAsync(proxy, "/", [("authorization", "Bearer " + KeyServer.Sign(_key, claims => claims["iss"] = Issuer))], TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    [Fact]
    public async Task The_document_leads_to_the_keys_and_both_are_asked_for_again_when_they_are_old()
    {
        _document = () => $$"""{"issuer": "{{Issuer}}", "jwks_uri": "{{Address}}/keys", "authorization_endpoint": "x"}""";
        await using var proxy = await StartAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(proxy));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(proxy));
        Assert.Equal(["/realms/shop/.well-known/openid-configuration", "/keys"], _asked);

        // Old keys stay good while the issuer says something else.
        _document = () => "{}";
        _time.Shift = TimeSpan.FromMinutes(21);
        using var proof = await Echo.SendAsync(proxy, "/", [("authorization", "Bearer " + KeyServer.Sign(_key, claims =>
        {
            claims["iss"] = Issuer;
            claims["exp"] = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds();
        }))], TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, proof.StatusCode);
    }

    [Theory]
    [InlineData("""{"issuer": "https://other.example", "jwks_uri": "ADDRESS/keys"}""")]
    [InlineData("""{"issuer": "ADDRESS/realms/shop", "jwks_uri": "ADDRESS/keys"}""")]
    [InlineData("""{"issuer": "ISSUER", "issuer": "ISSUER", "jwks_uri": "ADDRESS/keys"}""")]
    [InlineData("""{"issuer": "ISSUER"}""")]
    [InlineData("""{"issuer": "ISSUER", "jwks_uri": "/keys"}""")]
    [InlineData("""{"issuer": "ISSUER", "jwks_uri": "file:///etc/passwd"}""")]
    [InlineData("""{"issuer": "ISSUER", "jwks_uri": "http://user:pass@127.0.0.1/keys"}""")]
    [InlineData("""{"issuer": "ISSUER", "jwks_uri": "ADDRESS/moved"}""")]
    [InlineData("<html>")]
    public async Task A_document_that_is_none_opens_nothing_until_there_is_a_good_one(string document)
    {
        _document = () => document.Replace("ISSUER", Issuer, StringComparison.Ordinal).Replace("ADDRESS", Address, StringComparison.Ordinal);
        await using var proxy = await StartAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(proxy));
        Assert.DoesNotContain("/keys", _asked);

        _document = () => $$"""{"issuer": "{{Issuer}}", "jwks_uri": "{{Address}}/keys"}""";
        _time.Shift = TimeSpan.FromSeconds(11);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(proxy));
    }

    [Fact]
    public void What_came_by_TLS_leads_to_nothing_without_and_the_document_stands_below_the_issuer()
    {
        static byte[] Document(string keys) => Encoding.UTF8.GetBytes($$"""{"issuer": "https://a.example/x", "jwks_uri": "{{keys}}"}""");
        Assert.Equal("https://b.example/k", DiscoveryDocument.KeysOf(Document("https://b.example/k"), "https://a.example/x", out _)?.ToString());
        Assert.Null(DiscoveryDocument.KeysOf(Document("http://a.example/k"), "https://a.example/x", out var why));
        Assert.Equal("names keys at a place without TLS", why);
        Assert.Equal("https://a.example/x/.well-known/openid-configuration", DiscoveryDocument.AddressOf("https://a.example/x/")?.ToString());
        Assert.All(new[] { "login", "https://a.example/?x", "https://a.example/#x", "ftp://a.example", "https://me@a.example", "https://a.example/?" }, issuer => Assert.Null(DiscoveryDocument.AddressOf(issuer)));
    }
}
