using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Weft.Jose;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration.Files;
using Weft.Proxy.Runtime;
using Weft.Proxy.Tests.Filters.Jwt;
using Weft.Proxy.Tests.Forwarding;
using Weft.Testing;

namespace Weft.Proxy.Tests.Filters;

/// <summary>API keys and passwords through a whole engine.</summary>
public sealed class CredentialTests
{
    private const string Key = "k-secret-0123456789";
    private const string Password = "open:sésame";

    [Fact]
    public async Task A_key_opens_from_each_of_its_places_and_stays_with_the_proxy()
    {
        await using var endpoint = await ProxyFixture.ServerAsync(Echo.AnswerAsync);
        await using var proxy = await ProxyFixture.StartAsync(Echo.Config(endpoint, KeyFilter with { Query = "key", Cookie = "key" }));
        (string Path, (string, string)[] Fields)[] good = [("/", [("X-Api-Key", Key)]), ($"/?a=1&key={Key}", []), ($"/?k%65y={Key}", []), ("/", [("cookie", $"a=b; key={Key}; c=d")])];
        foreach (var (path, fields) in good)
        {
            using var response = await SendAsync(proxy, path, [.. fields, ("x-client", "root"), ("x_client", "root")]);
            var seen = await Echo.SeenAsync(response);
            Assert.Equal("shop", seen["x-client"]!.ToString());
            Assert.DoesNotContain("x_client", seen);
            Assert.DoesNotContain(Key, seen.ToJsonString());
        }

        using (var response = await SendAsync(proxy, "/", [("cookie", $"a=b; key={Key}; c=d")]))
            Assert.Equal("a=b; c=d", (await Echo.SeenAsync(response))["cookie"]!.ToString());
        await Eventually.TrueAsync(() => proxy.Records().Split('\n').Length > good.Length + 1, state: proxy.Records);
        Assert.DoesNotContain(Key, proxy.Records());
    }

    [Fact]
    public async Task A_wrong_key_several_or_none_are_401_and_stand_nowhere()
    {
        await using var endpoint = await ProxyFixture.ServerAsync(Echo.AnswerAsync);
        await using var proxy = await ProxyFixture.StartAsync(Echo.Config(endpoint, KeyFilter with { Query = "key" }));
        (string Path, (string, string)[] Fields)[] bad =
            [("/", []), ("/", [("x-api-key", Key + "4")]), ("/", [("x-api-key", Key[..^1])]), ($"/?key={Key}9", []), ($"/?key={Key}", [("x-api-key", Key)]), ("/", [("cookie", $"key={Key}")])];
        foreach (var (path, fields) in bad)
        {
            using var response = await SendAsync(proxy, path, fields);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("ApiKey realm=\"weft\"", response.Headers.WwwAuthenticate.ToString());
            Assert.Equal("unauthorized\n", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        await Eventually.TrueAsync(() => proxy.Records().Split('\n').Length > bad.Length, state: proxy.Records);
        Assert.Contains("api_key_refused", proxy.Records());
        Assert.DoesNotContain(Key, proxy.Records());
    }

    [Fact]
    public async Task Passwords_in_each_form_that_is_taken()
    {
        var users = $"""
            # as htpasswd -s, and two more
            one:{await HtpasswdAsync("-nbs", "one")}
            two:{"{SHA256}" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Password)))}
            three:{"{PLAIN}" + Password}
            """;
        await using var endpoint = await ProxyFixture.ServerAsync(Echo.AnswerAsync);
        var filter = new BasicAuthFilter { Realm = "office", Users = new DataSource { Inline = users }, ClientHeader = "x-client" };
        await using var proxy = await ProxyFixture.StartAsync(Echo.Config(endpoint, filter));
        foreach (var name in (string[])["one", "two", "three"])
        {
            using var response = await SendAsync(proxy, "/", [Basic(name, Password), ("x-client", "root")]);
            var seen = await Echo.SeenAsync(response);
            Assert.Equal((name, null), (seen["x-client"]!.ToString(), seen["authorization"]?.ToString()));
        }

        (string, string)[][] bad = [[], [Basic("one", Password + "x")], [Basic("nobody", Password)], [Basic("one", "")], [("authorization", "Basic !")], [("authorization", "Bearer x")], [("authorization", "Basic b25l")]];
        foreach (var fields in bad)
        {
            using var response = await SendAsync(proxy, "/", fields);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("Basic realm=\"office\", charset=\"UTF-8\"", response.Headers.WwwAuthenticate.ToString());
        }

        await Eventually.TrueAsync(() => proxy.Records().Split('\n').Length > bad.Length + 3, state: proxy.Records);
        Assert.DoesNotContain(Basic("one", Password).Value[6..], proxy.Records());
        Assert.DoesNotContain(Password, proxy.Records());
    }

    [Fact]
    public async Task A_hash_that_cannot_be_checked_is_refused_without_showing_it()
    {
        var slow = await HtpasswdAsync("-nbm", "one");
        await using var endpoint = await ProxyFixture.ServerAsync(Echo.AnswerAsync);
        await using var proxy = await ProxyFixture.StartAsync(Echo.Config(endpoint));

        var refusal = await Assert.ThrowsAsync<ProxyConfigException>(() => proxy.Engine.ApplyAsync(
            Echo.Config(endpoint, new BasicAuthFilter { Users = new DataSource { Inline = $"one:{slow}" } }, KeyFilter with { Keys = [new("shop", "abc")] })));

        Assert.Equal(2, refusal.Errors.Count);
        Assert.Contains("$apr1$ and crypt's cannot", refusal.Errors[0]);
        Assert.Contains("is no SHA-256 in hexadecimal", refusal.Errors[1]);
        Assert.DoesNotContain(slow, refusal.Message);
    }

    [Fact]
    public async Task What_would_do_nothing_or_harm_is_refused_with_its_place()
    {
        await using var endpoint = await ProxyFixture.ServerAsync(Echo.AnswerAsync);
        var provider = new JwtProviderConfig { Name = "main", Issuer = "i", JwksUri = "https://user:pass@issuer.example/keys", JwksCluster = "web", PayloadHeader = "content-length", CacheDuration = TimeSpan.Zero };
        var config = Echo.Config(endpoint, new BasicAuthFilter { Users = new DataSource { File = "/nowhere" }, Realm = "a\"b", ClientHeader = "te" }, KeyFilter with { Header = "", ClientHeader = "a b" });

        await using var proxy = await ProxyFixture.StartAsync(Echo.Config(endpoint));
        var refusal = await Assert.ThrowsAsync<ProxyConfigException>(() => proxy.Engine.ApplyAsync(config with { JwtProviders = [provider] }));

        string[] places =
        [
            "routeTables[0].hosts[0].routes[0].filters[0].realm:", "routeTables[0].hosts[0].routes[0].filters[0].clientHeader:", "routeTables[0].hosts[0].routes[0].filters[1]:",
            "routeTables[0].hosts[0].routes[0].filters[1].clientHeader:", "jwtProviders[0].jwksUri:", "jwtProviders[0].jwksCluster:", "jwtProviders[0].cacheDuration:", "jwtProviders[0]:",
        ];
        Assert.Equal(places, refusal.Errors.Select(error => error.Split(' ')[0]));
        Assert.DoesNotContain("user:pass", refusal.Message);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_refused()
    {
        await using var endpoint = await ProxyFixture.ServerAsync(Echo.AnswerAsync);
        await using var proxy = await ProxyFixture.StartAsync(Echo.Config(endpoint));
        var config = Echo.Config(endpoint, new BasicAuthFilter { Users = new DataSource { File = "/nowhere/users" } }, new ApiKeyFilter { KeyFile = new DataSource { File = "/nowhere/keys" } });

        var refusal = await Assert.ThrowsAsync<ProxyConfigException>(() => proxy.Engine.ApplyAsync(config));

        Assert.Equal(["basicAuth: users:", "apiKey: keyFile:"], refusal.Errors.Select(error => error[..(error.IndexOf(": Could", StringComparison.Ordinal) + 1)]));
        using var response = await SendAsync(proxy, "/", []);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task The_documented_gateway_lets_in_whom_it_should()
    {
        using var key = SigningKey.CreateEs256();
        await using var endpoint = await ProxyFixture.ServerAsync(Echo.AnswerAsync);
        var directory = Directory.CreateTempSubdirectory("weft-gateway-");
        try
        {
            File.WriteAllText(Path.Combine(directory.FullName, "login.jwks.json"), new KeySet([key.PublicKey]).ToJson().ToJsonString());
            File.WriteAllText(Path.Combine(directory.FullName, "partners.keys"), $"shop:{Digest(Key)}\n");
            File.WriteAllText(Path.Combine(directory.FullName, "office.users"), $"ada:{await HtpasswdAsync("-nbs", "ada")}\n");
            var page = File.ReadAllText(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../docs/proxy.md")));
            var text = Regex.Matches(page, "```yaml\n(?<text>.*?)```", RegexOptions.Singleline, TimeSpan.FromSeconds(10)).Select(m => m.Groups["text"].Value)
                .Single(t => t.StartsWith("jwtProviders:", StringComparison.Ordinal))
                .Replace("/etc/weft", directory.FullName, StringComparison.Ordinal).Replace("http://10.0.0.10:8080", endpoint.Urls.Single(), StringComparison.Ordinal);
            var (config, errors) = ProxyFile.Read(text);
            Assert.Empty(errors);
            await using var proxy = await ProxyFixture.StartAsync(config! with { Listeners = [config.Listeners[0] with { Address = "127.0.0.1", Port = 0 }] });

            var token = KeyServer.Sign(key, c => c["iss"] = "https://login.example");
            foreach (var (host, field, user) in new[] { ("api.example", ("authorization", "Bearer " + token), "u1"), ("partners.example", ("x-api-key", Key), "shop"), ("office.example", Basic("ada", Password), "ada") })
            {
                using var response = await SendAsync(proxy, "/", [("host", host), field]);
                Assert.Equal(user, (await Echo.SeenAsync(response))["x-user"]!.ToString());
                using var refused = await SendAsync(proxy, "/", [("host", host)]);
                Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
            }
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static ApiKeyFilter KeyFilter => new() { Keys = [new("other", Digest("other")), new("shop", Digest(Key)), new("third", Digest("third"))], ClientHeader = "x-client" };

    private static string Digest(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(key)));

    private static (string Name, string Value) Basic(string name, string password) => ("authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")));

    private static Task<HttpResponseMessage> SendAsync(ProxyFixture proxy, string path, (string Name, string Value)[] fields)
        => Echo.SendAsync(proxy, path, fields, TestContext.Current.CancellationToken);

    private static string ThisFile([System.Runtime.CompilerServices.CallerFilePath] string file = "") => file;

    // What Apache's tool writes, without the name.
    private static async Task<string> HtpasswdAsync(string options, string name)
    {
        using var tool = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("htpasswd", [options, name, Password]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var line = await tool.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await tool.WaitForExitAsync(TestContext.Current.CancellationToken);
        return line.Trim()[(name.Length + 1)..];
    }
}
