using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.Cluster.Tests.Kit;
using Weft.Jose;
using Weft.Testing;

namespace Weft.Cluster.Tests.Proxies;

/// <summary>docs/proxy.md, the configurations about who may: each does what the text beside it says.</summary>
public sealed class DocumentedSecurityTests : IDisposable
{
    private readonly TempDir _directory = new();
    private readonly Certificates _certificates;

    public DocumentedSecurityTests() => _certificates = new Certificates(_directory);

    public void Dispose()
    {
        _certificates.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Example_3_sends_everybody_to_tls()
    {
        _certificates.Issue("site", "site.example");
        await using var web = await Endpoint.StartAsync("web");
        await using var proxy = await ProxyExample.StartAsync(3, _directory, new Dictionary<string, string> { ["/etc/weft"] = _directory.Path, ["127.0.0.1:9000"] = web.Address });
        string[] names = ["--connect-to", $"site.example:80:127.0.0.1:{proxy.Port(80)}", "--connect-to", $"site.example:443:127.0.0.1:{proxy.Port(443)}", "--cacert", _certificates.Authority];

        var plain = await Curl.AskAsync([.. names, "http://site.example/a?b=c"]);
        Assert.InRange(plain.Status, 301, 308);
        Assert.Equal("https://site.example/a?b=c", plain.Field("location"));
        Assert.Equal(0, web.Requests);

        var followed = await Curl.AskAsync([.. names, "-L", "http://site.example/a?b=c"]);
        Assert.Equal((200, "HTTP/2"), (followed.Status, followed.Version));
        Assert.Equal("max-age=31536000", followed.Field("strict-transport-security"));
        Assert.StartsWith("web GET /a?b=c\n", followed.Body, StringComparison.Ordinal);
        Assert.Contains("\nx-forwarded-proto: https\n", followed.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Example_5_lets_in_who_has_a_token_a_key_or_a_password_and_limits_them()
    {
        using var key = SigningKey.CreateEs256();
        await File.WriteAllTextAsync(_directory.File("login.jwks.json"), new KeySet([key.PublicKey]).ToJson().ToJsonString());
        await File.WriteAllTextAsync(_directory.File("partners.keys"), $"acme:{Convert.ToHexStringLower(SHA256.HashData("k-0123456789"u8))}\n");
        (await Shell.RunAsync("htpasswd", ["-cbs", _directory.File("office.users"), "ada", "open:sesame"])).Succeeded();
        await using var api = await Endpoint.StartAsync("api");
        await using var proxy = await ProxyExample.StartAsync(5, _directory, new Dictionary<string, string> { ["/etc/weft"] = _directory.Path, ["10.0.0.10:8080"] = api.Address });
        foreach (var (host, good, user) in new[] { ("api.example", $"Authorization: Bearer {Token(key, "u1")}", "u1"), ("partners.example", "X-Api-Key: k-0123456789", "acme"), ("office.example", Basic("ada:open:sesame"), "ada") })
        {
            var seen = await Curl.AskAsync("-H", $"Host: {host}", "-H", "x-user: root", "-H", good, proxy.Url(8080, "/"));
            Assert.Equal(200, seen.Status);
            Assert.Contains($"\nx-user: {user}\n", seen.Body, StringComparison.Ordinal);
            foreach (var bad in new[] { "x-other: 1", good + "x" })
                Assert.Equal(401, (await Curl.AskAsync("-H", $"Host: {host}", "-H", bad, proxy.Url(8080, "/"))).Status);
        }

        foreach (var (origin, allowed) in new[] { ("https://shop.example", true), ("https://abc.preview.example", true), ("https://evil.example", false), ("https://abc.preview.example.evil", false) })
        {
            var preflight = await Curl.AskAsync("-X", "OPTIONS", "-H", "Host: api.example", "-H", $"Origin: {origin}", "-H", "Access-Control-Request-Method: DELETE", proxy.Url(8080, "/"));
            Assert.Equal(allowed ? origin : null, preflight.Field("access-control-allow-origin"));
            Assert.Equal(allowed ? "600" : null, preflight.Field("access-control-max-age"));
        }

        await File.WriteAllBytesAsync(_directory.File("large"), new byte[1_100_000]);
        var large = await Curl.AskAsync("-H", "Host: api.example", "-H", "Expect:", "-H", $"Authorization: Bearer {Token(key, "u3")}", "--data-binary", $"@{_directory.File("large")}", proxy.Url(8080, "/"));
        Assert.Equal(413, large.Status);

        // A hundred a minute for each identity; a token comes back every 600 ms.
        var before = TimeProvider.System.GetTimestamp();
        var many = await Curl.AskManyAsync("-H", "Host: api.example", "-H", $"Authorization: Bearer {Token(key, "u2")}", proxy.Url(8080, "/[1-120]"));
        var most = 101 + (int)(TimeProvider.System.GetElapsedTime(before).TotalSeconds / 0.6);
        Assert.InRange(many.Count(answer => answer.Status == 200), 100, most);
        Assert.Equal("1", many.Last(answer => answer.Status == 429).Field("retry-after"));
        Assert.Equal(200, (await Curl.AskAsync("-H", "Host: api.example", "-H", $"Authorization: Bearer {Token(key, "u1")}", proxy.Url(8080, "/"))).Status);
    }

    [Fact]
    public async Task Example_6_refuses_what_no_rule_allows()
    {
        _certificates.Issue("site", "site.example");
        File.Copy(_certificates.Authority, _directory.File("clients-ca.pem"));
        await using var web = await Endpoint.StartAsync("web");
        await using var proxy = await ProxyExample.StartAsync(6, _directory, new Dictionary<string, string> { ["/etc/weft"] = _directory.Path, ["127.0.0.1:9000"] = web.Address });
        var reader = As("reader", "spiffe://mesh.example/ns/web/sa/front");
        var other = As("other", "spiffe://mesh.example/ns/batch/sa/job");

        Assert.Equal(200, (await AskAsync(reader, "/any")).Status);
        Assert.Equal(403, (await AskAsync(reader, "/any", "-X", "POST")).Status);
        Assert.Equal(403, (await AskAsync(reader, "/admin")).Status);
        Assert.Equal(403, (await AskAsync(reader, "/%61dmin/users")).Status);
        Assert.Equal(403, (await AskAsync(reader, "/x/..//admin", "--path-as-is")).Status);
        Assert.Equal(403, (await AskAsync(other, "/any")).Status);
        Assert.Equal(200, (await AskAsync(other, "/tenants/acme/public/a/b", "-X", "POST")).Status);
        Assert.Equal(403, (await AskAsync(other, "/tenants/acme/x/public/a")).Status);
        await Curl.FailAsync("--cacert", _certificates.Authority, "--connect-to", $"site.example:8443:127.0.0.1:{proxy.Port(8443)}", "https://site.example:8443/any");
        Assert.Equal(2, web.Requests);

        Task<CurlAnswer> AskAsync(string[] client, string path, params string[] more) =>
            Curl.AskAsync([.. client, .. more, "--cacert", _certificates.Authority, "--connect-to", $"site.example:8443:127.0.0.1:{proxy.Port(8443)}", $"https://site.example:8443{path}"]);
    }

    [Fact]
    public async Task Example_7_asks_the_login_server()
    {
        await using var web = await Endpoint.StartAsync("web");
        var login = await Endpoint.StartAsync("login");
        var asked = "";
        login.Handle = async context =>
        {
            asked = context.Request.Path;
            if (context.Request.Headers.Authorization == "Bearer good")
            {
                context.Response.Headers["x-user"] = "ada";
                await context.Response.CompleteAsync();
                return true;
            }

            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"login\"";
            await context.Response.WriteAsync("who are you?");
            return true;
        };
        await using var proxy = await ProxyExample.StartAsync(7, _directory, new Dictionary<string, string> { ["127.0.0.1:9000"] = web.Address, ["127.0.0.1:9100"] = login.Address });

        Assert.Equal(200, (await Curl.AskAsync(proxy.Url(8080, "/public/a"))).Status);
        Assert.Equal(0, login.Requests);
        var seen = await Curl.AskAsync("-H", "Authorization: Bearer good", "-H", "x-user: root", "-H", "x-groups: admins", proxy.Url(8080, "/a"));
        Assert.Contains("\nx-user: ada\n", seen.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("x-groups", seen.Body, StringComparison.Ordinal);
        Assert.Equal("/verify/a", asked);
        var refused = await Curl.AskAsync(proxy.Url(8080, "/a"));
        Assert.Equal((401, "who are you?", "Bearer realm=\"login\""), (refused.Status, refused.Body, refused.Field("www-authenticate")));
        Assert.Equal(2, web.Requests);

        await login.DisposeAsync();
        Assert.Equal(403, (await Curl.AskAsync("-H", "Authorization: Bearer good", proxy.Url(8080, "/a"))).Status);
        Assert.Equal(2, web.Requests);
    }

    private string[] As(string name, string identity)
    {
        var path = _certificates.Issue(name, identity);
        return ["--cert", path + ".crt", "--key", path + ".key"];
    }

    private static string Basic(string credentials) => $"Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))}";

    private static string Token(SigningKey key, string subject) => Jwt.Sign(
        new JsonObject { ["iss"] = "https://login.example", ["aud"] = "shop", ["sub"] = subject, ["exp"] = TimeProvider.System.GetUtcNow().AddMinutes(10).ToUnixTimeSeconds() }, key);
}
