using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Certificates;
using Weft.Jose;

namespace Weft.ApiServer.Tests.Access.Authentication;

public sealed class AuthenticationTests : IAsyncLifetime
{
    private SecureServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await SecureServer.StartAsync();
        await Trees.PutAsync(_server.Store, "", "serviceaccounts", "metadata: {name: robot, namespace: a, uid: sa-1}");
        await Trees.PutAsync(_server.Store, "", "nodes", "metadata: {name: n1, uid: node-1}");
        await Trees.PutAsync(_server.Store, "", "pods", "metadata: {name: p, namespace: a, uid: pod-1}\nspec: {serviceAccountName: robot, nodeName: n1, containers: [{name: c}]}");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task<string> WhoAsync(Caller caller, params (string, string)[] headers)
    {
        var answer = await caller.PostAsync("/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}", headers);
        if (answer.Code != 201)
            return answer.Code.ToString();
        var info = answer.Body["status"]!["userInfo"]!;
        return info["username"] + " " + string.Join(',', (info["groups"] as JsonArray ?? []).Select(g => g!.ToString()));
    }

    private async Task<string> TokenAsync(string spec)
    {
        using var admin = _server.As("admin", UserInfo.Masters);
        var answer = await admin.PostAsync("/api/v1/namespaces/a/serviceaccounts/robot/token", $"{{\"spec\":{spec}}}");
        return answer.Expect(201).Body["status"]!["token"]!.GetValue<string>();
    }

    private const string BoundToPod = """{"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p","uid":"pod-1"},"expirationSeconds":600}""";

    [Fact]
    public async Task A_certificate_names_user_and_groups()
    {
        using var caller = _server.As("ann", "dev", "ops");

        Assert.Equal("ann dev,ops,system:authenticated", await WhoAsync(caller));
    }

    [Fact]
    public async Task A_certificate_with_all_groups_in_one_set_is_read_as_go_writes_it()
    {
        // SEQUENCE { SET { SEQ { O "x" } SEQ { O "y" } } SET { SEQ { CN "go" } } }
        var writer = new System.Formats.Asn1.AsnWriter(System.Formats.Asn1.AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSetOf())
            {
                Attribute("2.5.4.10", "x");
                Attribute("2.5.4.10", "y");
            }

            using (writer.PushSetOf())
                Attribute("2.5.4.3", "go");
        }

        using var caller = _server.With(Issue(new X500DistinguishedName(writer.Encode())));
        Assert.Equal("go x,y,system:authenticated", await WhoAsync(caller));

        void Attribute(string oid, string value)
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(oid);
                writer.WriteCharacterString(System.Formats.Asn1.UniversalTagNumber.PrintableString, value);
            }
        }
    }

    private X509Certificate2 Issue(X500DistinguishedName subject, string? usage = "1.3.6.1.5.5.7.3.2", X509Certificate2? authority = null, TimeSpan? ends = null)
    {
        authority ??= _server.Pki.Authority;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        if (usage is not null)
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.Create(authority, authority.NotBefore, now + (ends ?? TimeSpan.FromHours(1)), [1, 2, 3]);
        return certificate.CopyWithPrivateKey(key);
    }

    [Fact]
    public async Task Certificates_that_are_not_good_are_unauthorized()
    {
        using var stranger = CertificateIssuer.CreateAuthority("weft-ca", TimeProvider.System.GetUtcNow(), TimeSpan.FromDays(1));
        X509Certificate2[] bad =
        [
            Issue(new("CN=admin,O=system:masters"), authority: stranger),
            Issue(new("CN=admin"), usage: null),
            Issue(new("CN=admin"), usage: "1.3.6.1.5.5.7.3.1"),
            Issue(new("O=system:masters")),
            Issue(new("CN=late"), ends: TimeSpan.FromSeconds(-1)),
        ];
        foreach (var certificate in bad)
        {
            using var caller = _server.With(certificate);
            Assert.Equal("401", await WhoAsync(caller));
        }
    }

    [Fact]
    public async Task Without_credentials_the_caller_is_anonymous_and_may_see_health_alone()
    {
        using var caller = _server.With(null);

        Assert.Equal(200, (await caller.GetAsync("/healthz")).Code);
        Assert.Equal(401, (await caller.GetAsync("/api/v1/namespaces")).Code);
        Assert.Equal(401, (await caller.GetAsync("/apis")).Code);
    }

    [Theory]
    [InlineData("Bearer abc")]
    [InlineData("Bearer ")]
    [InlineData("Bearer a.b.c")]
    [InlineData("Basic YWRtaW46YWRtaW4=")]
    [InlineData("nonsense")]
    public async Task Credentials_that_nobody_knows_are_unauthorized_and_never_anonymous(string header)
    {
        using var caller = _server.With(null);

        Assert.Equal(401, (await caller.GetAsync("/healthz", ("Authorization", header))).Code);
    }

    [Fact]
    public async Task A_pods_token_is_its_service_account_until_the_pod_is_gone()
    {
        using var pod = _server.With(null, await TokenAsync(BoundToPod));
        Assert.Equal("system:serviceaccount:a:robot system:serviceaccounts,system:serviceaccounts:a,system:authenticated", await WhoAsync(pod));
        var extra = (await pod.PostAsync("/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}")).Body["status"]!["userInfo"]!["extra"]!;
        Assert.Equal("p", extra["authentication.kubernetes.io/pod-name"]![0]!.ToString());
        Assert.Equal("n1", extra["authentication.kubernetes.io/node-name"]![0]!.ToString());

        // Another life of the same name.
        await Trees.PutAsync(_server.Store, "", "pods", "metadata: {name: p, namespace: a, uid: pod-2}\nspec: {serviceAccountName: robot}");
        Assert.Equal("401", await WhoAsync(pod));
    }

    [Fact]
    public async Task A_deleted_service_account_takes_its_tokens_along()
    {
        using var robot = _server.With(null, await TokenAsync("{}"));
        Assert.StartsWith("system:serviceaccount:a:robot", await WhoAsync(robot), StringComparison.Ordinal);

        await Trees.DeleteAsync(_server.Store, "/registry/core/serviceaccounts/a/robot");
        Assert.Equal("401", await WhoAsync(robot));
    }

    [Fact]
    public async Task A_pod_past_its_deadline_has_no_token()
    {
        using var pod = _server.With(null, await TokenAsync(BoundToPod));
        await Trees.PutAsync(_server.Store, "", "pods", "metadata: {name: p, namespace: a, uid: pod-1, deletionTimestamp: \"2020-01-01T00:00:00Z\"}\nspec: {serviceAccountName: robot}");

        Assert.Equal("401", await WhoAsync(pod));
    }

    [Fact]
    public async Task A_token_for_another_audience_does_not_log_in_but_reviews_there()
    {
        var token = await TokenAsync("""{"audiences":["vault"]}""");
        using var robot = _server.With(null, token);
        Assert.Equal("401", await WhoAsync(robot));

        using var admin = _server.As("admin", UserInfo.Masters);
        var good = await admin.PostAsync("/apis/authentication.k8s.io/v1/tokenreviews", "{\"spec\":{\"token\":\"" + token + "\",\"audiences\":[\"vault\",\"x\"]}}");
        var status = good.Expect(201).Body["status"]!;
        Assert.True(status["authenticated"]!.GetValue<bool>());
        Assert.Equal("system:serviceaccount:a:robot", status["user"]!["username"]!.ToString());
        Assert.Equal("sa-1", status["user"]!["uid"]!.ToString());
        Assert.Equal("vault", Assert.Single((JsonArray)status["audiences"]!)!.ToString());

        var bad = await admin.PostAsync("/apis/authentication.k8s.io/v1/tokenreviews", "{\"spec\":{\"token\":\"" + token + "\"}}");
        Assert.Null(bad.Expect(201).Body["status"]!["authenticated"]);
        Assert.Contains("audience", bad.Body["status"]!["error"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Forged_tokens_are_unauthorized()
    {
        var token = await TokenAsync("{}");
        var parts = token.Split('.');
        using var other = SigningKey.CreateEs256();
        var claims = (JsonObject)JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!;
        claims["sub"] = "system:serviceaccount:kube-system:root";
        string[] forged =
        [
            Jwt.Sign((JsonObject)JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!, other),
            $"{parts[0]}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}.{parts[2]}",
            $"{Base64Url.EncodeToString("""{"alg":"none"}"""u8)}.{parts[1]}.",
            $"{Base64Url.EncodeToString("""{"alg":"none"}"""u8)}.{parts[1]}.AA",
        ];
        foreach (var candidate in forged)
        {
            using var caller = _server.With(null, candidate);
            Assert.Equal("401", await WhoAsync(caller));
        }
    }

    [Theory]
    [InlineData("""{"expirationSeconds":599}""", 422)]
    [InlineData("""{"expirationSeconds":4294967297}""", 422)]
    [InlineData("""{"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p","uid":"other"}}""", 409)]
    [InlineData("""{"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"gone"}}""", 404)]
    [InlineData("""{"boundObjectRef":{"kind":"ConfigMap","apiVersion":"v1","name":"c"}}""", 400)]
    public async Task A_token_request_that_makes_no_sense_is_refused(string spec, int code)
    {
        using var admin = _server.As("admin", UserInfo.Masters);

        Assert.Equal(code, (await admin.PostAsync("/api/v1/namespaces/a/serviceaccounts/robot/token", $"{{\"spec\":{spec}}}")).Code);
    }

    [Fact]
    public async Task A_node_gets_tokens_for_its_own_pods_alone()
    {
        await Trees.PutAsync(_server.Store, "", "pods", "metadata: {name: far, namespace: a, uid: pod-9}\nspec: {serviceAccountName: robot, nodeName: n2, containers: []}");
        const string path = "/api/v1/namespaces/a/serviceaccounts/robot/token";
        using var n1 = _server.As("system:node:n1", "system:nodes");
        using var n3 = _server.As("system:node:n3", "system:nodes");

        Assert.Equal(201, (await n1.PostAsync(path, $"{{\"spec\":{BoundToPod}}}")).Code);
        Assert.Equal(403, (await n1.PostAsync(path, """{"spec":{}}""")).Code);
        Assert.Equal(403, (await n1.PostAsync(path, """{"spec":{"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"far"}}}""")).Code);
        Assert.Equal(403, (await n3.PostAsync(path, $"{{\"spec\":{BoundToPod}}}")).Code);
    }

    [Fact]
    public async Task Impersonation_needs_the_right_on_each_thing_it_names()
    {
        await Trees.PutRbacAsync(_server.Store, "clusterroles", """
            metadata: {name: imp}
            rules:
            - {apiGroups: [""], resources: [users], resourceNames: [bob], verbs: [impersonate]}
            - {apiGroups: [""], resources: [groups], resourceNames: [dev], verbs: [impersonate]}
            """);
        await Trees.PutRbacAsync(_server.Store, "clusterrolebindings", "metadata: {name: imp}\nroleRef: {kind: ClusterRole, name: imp}\nsubjects: [{kind: User, name: ann}]");
        using var ann = _server.As("ann");

        Assert.Equal("bob dev,system:authenticated", await WhoAsync(ann, ("Impersonate-User", "bob"), ("Impersonate-Group", "dev")));
        Assert.Equal("403", await WhoAsync(ann, ("Impersonate-User", "eve")));
        Assert.Equal("403", await WhoAsync(ann, ("Impersonate-User", "bob"), ("Impersonate-Group", "system:masters")));
        Assert.Equal("403", await WhoAsync(ann, ("Impersonate-User", "bob"), ("Impersonate-Uid", "1")));
        Assert.Equal("403", await WhoAsync(ann, ("Impersonate-User", "bob"), ("Impersonate-Extra-scopes", "x")));
        Assert.Equal("403", await WhoAsync(ann, ("Impersonate-User", "system:serviceaccount:a:robot")));
        Assert.Equal("400", await WhoAsync(ann, ("Impersonate-Group", "dev")));
        using var admin = _server.As("admin", UserInfo.Masters);
        Assert.Equal(
            "system:serviceaccount:a:robot system:serviceaccounts,system:serviceaccounts:a,system:authenticated",
            await WhoAsync(admin, ("Impersonate-User", "system:serviceaccount:a:robot")));
    }

    [Fact]
    public async Task The_issuer_publishes_what_verifies_its_tokens()
    {
        using var robot = _server.With(null, await TokenAsync("{}"));
        var configuration = (await robot.GetAsync("/.well-known/openid-configuration")).Expect(200).Body;
        var keys = (await robot.GetAsync("/openid/v1/jwks")).Expect(200);

        Assert.Equal("https://kubernetes.default.svc.cluster.local", configuration["issuer"]!.ToString());
        using var set = KeySet.Parse(Encoding.UTF8.GetBytes(keys.Text))!;
        var token = await TokenAsync("""{"audiences":["x"]}""");
        Assert.True(Jwt.Verify(token, set, new JwtRules { Issuer = configuration["issuer"]!.ToString(), Audiences = ["x"] }, TimeProvider.System.GetUtcNow()).Succeeded);
    }
}
