using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Joining;
using Weft.ApiServer.Authentication;

namespace Weft.ApiServer.Tests.Access.Authentication;

/// <summary>Who becomes a node, and which: a join token gives a free name, and nothing else gives any.</summary>
public sealed class JoinTests
{
    // Of a token's form; made up for these tests.
    private const string Id = "0a1b2c3d", Secret = "abcdefghijklmnopqrstuvwxyz012345";
    private const string Credential = Id + "." + Secret;

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static async Task<SecureServer> StartAsync(string? expires = null)
    {
        var server = await SecureServer.StartAsync();
        using var admin = server.As("admin", UserInfo.Masters);
        foreach (var name in (string[])["kube-system", "kube-node-lease"])
            await admin.PostAsync("/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{name}}}"}}""");
        var data = new JsonObject { [JoinToken.HashKey] = Base64(JoinToken.HashOfSecret(Secret)) };
        if (expires is not null)
            data[JoinToken.ExpiresKey] = Base64(expires);
        var secret = new JsonObject { ["metadata"] = new JsonObject { ["name"] = JoinToken.SecretPrefix + Id }, ["type"] = JoinToken.SecretType, ["data"] = data };
        Assert.Equal(201, (await admin.PostAsync($"/api/v1/namespaces/{JoinToken.SecretNamespace}/secrets", secret.ToJsonString())).Code);
        return server;
    }

    // Asks for more than it may have: another name, a group, an authority's rights.
    private static string Body(string node)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=admin, O=system:masters", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return new JsonObject { ["nodeName"] = node, ["signingRequest"] = request.CreateSigningRequestPem() }.ToJsonString();
    }

    [Fact]
    public async Task A_token_gives_a_free_name_and_of_the_request_only_the_key_counts()
    {
        await using var server = await StartAsync();
        using var joining = server.With(null, Credential);
        var answer = await joining.PostAsync(JoinPaths.Join, Body("b"));

        Assert.Equal(200, answer.Code);
        using var certificate = X509Certificate2.CreateFromPem((string)JsonNode.Parse(answer.Text)!["certificate"]!);
        Assert.Contains("CN=system:node:b", certificate.Subject, StringComparison.Ordinal);
        Assert.Contains("O=system:nodes", certificate.Subject, StringComparison.Ordinal);
        Assert.DoesNotContain("masters", certificate.Subject, StringComparison.Ordinal);
        Assert.DoesNotContain(certificate.Extensions, extension => extension is X509BasicConstraintsExtension { CertificateAuthority: true });
    }

    [Theory]
    [InlineData("system:node:a", "system:nodes")]
    [InlineData("weft:proxy:a", "weft:proxies")]
    [InlineData("admin", UserInfo.Masters)]
    public async Task A_certificate_becomes_no_other_node(string user, string group)
    {
        await using var server = await StartAsync();
        using var caller = server.As(user, group);
        Assert.Equal(403, (await caller.PostAsync(JoinPaths.Join, Body("b"))).Code);
        foreach (var path in (string[])[JoinPaths.Renew, JoinPaths.Proxy])
            Assert.Equal(user.StartsWith("system:node:", StringComparison.Ordinal) ? 200 : 403, (await caller.PostAsync(path, Body("ignored"))).Code);
    }

    [Fact]
    public async Task Whether_there_is_a_mesh_is_told_to_nodes_and_to_nobody_else()
    {
        await using var server = await StartAsync();
        using var node = server.As("system:node:a", "system:nodes");
        var answer = await node.GetAsync(JoinPaths.Cluster);
        Assert.Equal((200, """{"mesh":false}"""), (answer.Code, answer.Text));
        foreach (var (user, group) in ((string, string)[])[("weft:proxy:a", "weft:proxies"), ("somebody", "people")])
        {
            using var other = server.As(user, group);
            Assert.Equal(403, (await other.GetAsync(JoinPaths.Cluster)).Code);
        }
    }

    [Fact]
    public async Task A_wrong_token_and_one_that_has_ended_are_no_credentials()
    {
        await using var server = await StartAsync();
        foreach (var token in (string[])[Id + "." + Secret[..31] + "6", "ffffffff." + Secret, Secret, Id + ".", "x"])
        {
            using var stranger = server.With(null, token);
            Assert.Equal(401, (await stranger.PostAsync(JoinPaths.Join, Body("b"))).Code);
        }

        await using var late = await StartAsync("2020-01-01T00:00:00Z");
        using var joining = late.With(null, Credential);
        Assert.Equal(401, (await joining.PostAsync(JoinPaths.Join, Body("b"))).Code);
    }

    [Fact]
    public async Task A_token_opens_nothing_but_the_join()
    {
        await using var server = await StartAsync();
        using var joining = server.With(null, Credential);
        foreach (var path in (string[])["/api/v1/nodes", "/api/v1/namespaces/kube-system/secrets", "/weft.dev/tunnel/v1", "/weft.dev/config/v1", "/weft.dev/certificates/v1", JoinPaths.Renew, "/weft.dev/join/v1/"])
            Assert.True((await joining.GetAsync(path)).Code is 400 or 401, path);
        Assert.Equal(401, (await joining.PostAsync(JoinPaths.Renew, Body("b"))).Code);
    }

    [Fact]
    public async Task The_name_of_a_living_node_and_that_of_the_servers_own_are_not_given()
    {
        await using var server = await StartAsync();
        using var living = server.As("system:node:a", "system:nodes");
        Assert.Equal(201, (await living.PostAsync("/api/v1/nodes", """{"metadata":{"name":"a"}}""")).Code);
        var lease = $$$"""{"metadata":{"name":"a"},"spec":{"holderIdentity":"a","leaseDurationSeconds":40,"renewTime":"{{{TimeProvider.System.GetUtcNow():yyyy-MM-ddTHH:mm:ss.ffffffZ}}}"}}""";
        Assert.Equal(201, (await living.PostAsync("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", lease)).Code);

        using var joining = server.With(null, Credential);
        Assert.Equal(409, (await joining.PostAsync(JoinPaths.Join, Body("a"))).Code);
        Assert.Equal(409, (await joining.PostAsync(JoinPaths.Join, Body(SecureServer.ServersNode))).Code);
        foreach (var name in (string[])["", "../x", "a,O=system:masters", "A", "a\nb"])
            Assert.Equal(400, (await joining.PostAsync(JoinPaths.Join, Body(name))).Code);
    }
}
