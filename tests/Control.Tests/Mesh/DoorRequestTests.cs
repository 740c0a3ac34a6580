using System.Text;
using System.Text.Json.Nodes;
using Weft.Jose;

namespace Weft.Control.Tests.Mesh;

/// <summary>Requests through an engine that serves what was compiled from manifests.</summary>
public sealed class DoorRequestTests
{
    private static readonly string BasicAnna = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("anna:open-sesame"));

    [Fact]
    public async Task The_ingress_of_the_seed_leads_its_host_to_its_service_and_no_other_host()
    {
        await using var door = await DoorBed.StartAsync(await File.ReadAllTextAsync(Path.Combine(MeshCase.Folder(), "seed-004-my-app.yaml"), TestContext.Current.CancellationToken));
        Assert.StartsWith("web GET /any/path?q=1\n", (await door.GetAsync("http://my-app.example.com/any/path?q=1")).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await door.GetAsync("http://other.example.com/")).Status);
    }

    [Fact]
    public async Task Paths_hosts_and_the_default_backend_are_chosen_as_kubernetes_says()
    {
        await using var door = await DoorBed.StartAsync(await File.ReadAllTextAsync(Path.Combine(MeshCase.Folder(), "ingress-paths.yaml"), TestContext.Current.CancellationToken));
        Assert.StartsWith("web GET /reviews\n", (await door.GetAsync("http://a.example/reviews")).Text, StringComparison.Ordinal);
        Assert.StartsWith("reviews GET /reviews/1\n", (await door.GetAsync("http://a.example/reviews/1")).Text, StringComparison.Ordinal);
        Assert.StartsWith("web GET /reviewsX\n", (await door.GetAsync("http://a.example/reviewsX")).Text, StringComparison.Ordinal);
        Assert.StartsWith("reviews GET /anywhere\n", (await door.GetAsync("http://nobodys.example/anywhere")).Text, StringComparison.Ordinal);
        Assert.StartsWith("web GET /else\n", (await door.GetAsync("http://nobodys.example/else")).Text, StringComparison.Ordinal);
        Assert.StartsWith("web GET /other\n", (await door.GetAsync("http://b.example/other")).Text, StringComparison.Ordinal);
        Assert.StartsWith("web GET /w\n", (await door.GetAsync("http://one.wild.example/w")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wildcard_is_one_label()
    {
        await using var door = await DoorBed.StartAsync(Ingress("a", "*.wild.example"));
        Assert.Equal(200, (await door.GetAsync("http://one.wild.example/")).Status);
        Assert.Equal(404, (await door.GetAsync("http://two.one.wild.example/")).Status);
        Assert.Equal(404, (await door.GetAsync("http://wild.example/")).Status);
    }

    [Fact]
    public async Task Paths_are_rewritten_by_groups_and_redirected()
    {
        await using var door = await DoorBed.StartAsync(await File.ReadAllTextAsync(Path.Combine(MeshCase.Folder(), "ingress-traffic.yaml"), TestContext.Current.CancellationToken));
        var (_, text, response) = await door.GetAsync("http://a.example/api/v1/items?x=1");
        Assert.StartsWith("web GET /v1/items?x=1\n", text, StringComparison.Ordinal);
        Assert.Contains("host: inside.example\n", text, StringComparison.Ordinal);
        Assert.Contains("x-forwarded-prefix: /api\n", text, StringComparison.Ordinal);
        Assert.Equal("100%", response.Headers.GetValues("X-Percent").Single());
        Assert.StartsWith("web GET /\n", (await door.GetAsync("http://www.a.example/API")).Text, StringComparison.Ordinal);
        Assert.Equal("http://a.example/home", (await door.GetAsync("http://a.example/")).Response.Headers.Location?.ToString());
        Assert.StartsWith("web GET /other\n", (await door.GetAsync("http://whole.example/x/y")).Text, StringComparison.Ordinal);
        Assert.Equal((308, "https://new.example/a?b=1"), await LocationAsync(door, "http://gone.example/a?b=1"));
        Assert.Equal((302, "https://new.example:8443/sale?x=1"), await LocationAsync(door, "http://away.example/a?b=1"));
        Assert.StartsWith("route=", (await door.GetAsync("http://https.example/")).Response.Headers.TryGetValues("set-cookie", out var cookies) ? cookies.Single() : "route=", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Https_is_by_server_name_and_http_is_sent_there()
    {
        await using var door = await DoorBed.StartAsync(await File.ReadAllTextAsync(Path.Combine(MeshCase.Folder(), "ingress-tls.yaml"), TestContext.Current.CancellationToken));
        Assert.Equal((308, "https://a.example/x?y=1"), await LocationAsync(door, "http://a.example/x?y=1"));
        Assert.StartsWith("reviews GET /.well-known/", (await door.GetAsync("http://a.example/.well-known/acme-challenge/token")).Text, StringComparison.Ordinal);
        Assert.Equal(200, (await door.GetAsync("http://both.example/")).Status);
        Assert.Equal(200, (await door.GetAsync("http://plain.example/")).Status);
        var (status, text, _) = await door.GetAsync("https://a.example/x");
        Assert.Equal((200, "CN=shop/a-cert"), (status, door.Shown));
        Assert.Contains("x-forwarded-proto: https\n", text, StringComparison.Ordinal);
        await using var other = await DoorBed.StartAsync(await File.ReadAllTextAsync(Path.Combine(MeshCase.Folder(), "ingress-tls.yaml"), TestContext.Current.CancellationToken));
        Assert.Equal(404, (await other.GetAsync("https://b.example/")).Status);
        Assert.Equal("CN=shop/b-cert", other.Shown);
    }

    /// <summary>Certificates for *.any.example alone; *.open.example and what an Ingress has are without, and names that belong to nobody's rules are not served by those of others.</summary>
    [Fact]
    public async Task A_host_that_asks_for_certificates_shares_its_port_and_is_not_reached_around()
    {
        await using var door = await DoorBed.StartAsync(await File.ReadAllTextAsync(Path.Combine(MeshCase.Folder(), "gateway-kinds-of-tls.yaml"), TestContext.Current.CancellationToken));
        Assert.Equal((200, "CN=istio-system/open-cert"), ((await door.GetAsync("https://a.open.example/")).Status, door.Shown));
        Assert.Equal(200, (await door.GetAsync("https://in.example/")).Status);
        await Assert.ThrowsAsync<HttpRequestException>(() => door.GetAsync("https://b.any.example/"));
        await Assert.ThrowsAsync<HttpRequestException>(() => door.GetAsync("https://hello.any.example/"));
        // Exact by a server without client certificates, and no rules of its own: those of *.any.example are not for it.
        Assert.Equal(404, (await door.GetAsync("https://bare.any.example/")).Status);
        Assert.Equal(404, (await door.GetAsync("https://x.deep.any.example/")).Status);
        door.Client = DoorBed.GoodClient;
        Assert.Equal((200, "CN=istio-system/any-cert"), ((await door.GetAsync("https://b.any.example/")).Status, door.Shown));
        Assert.StartsWith("reviews ", (await door.GetAsync("https://hello.any.example/")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_canary_takes_by_field_and_by_cookie()
    {
        await using var door = await DoorBed.StartAsync(await File.ReadAllTextAsync(Path.Combine(MeshCase.Folder(), "ingress-canary.yaml"), TestContext.Current.CancellationToken));
        Assert.StartsWith("reviews ", (await door.GetAsync("http://a.example/", ("X-Canary", "always"))).Text, StringComparison.Ordinal);
        Assert.StartsWith("web ", (await door.GetAsync("http://a.example/", ("X-Canary", "never"), ("Cookie", "canary=always"))).Text, StringComparison.Ordinal);
        Assert.StartsWith("reviews ", (await door.GetAsync("http://a.example/", ("Cookie", "a=b; canary=always; c=d"))).Text, StringComparison.Ordinal);
        Assert.StartsWith("web ", (await door.GetAsync("http://a.example/", ("Cookie", "canary=never"))).Text, StringComparison.Ordinal);
        Assert.StartsWith("reviews ", (await door.GetAsync("http://a.example/same")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_passwords_and_limits_hold_and_their_consumers_are_told_to_the_service()
    {
        await using var door = await DoorBed.StartAsync(await File.ReadAllTextAsync(Path.Combine(MeshCase.Folder(), "door-policies.yaml"), TestContext.Current.CancellationToken));
        Assert.Equal(401, (await door.GetAsync("http://in.example/")).Status);
        Assert.Equal(401, (await door.GetAsync("http://in.example/", ("x-partner", "another"))).Status);
        var (status, text, _) = await door.GetAsync("http://in.example/", ("x-partner", "key-of-acme"), ("x-consumer", "root"));
        Assert.Equal(200, status);
        Assert.Contains("x-consumer: acme\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("key-of-acme", text, StringComparison.Ordinal);
        // Key and password, and a limit of the gateway: 20 at once.
        Assert.Equal(401, (await door.GetAsync("http://a.shop.example/reviews", ("x-partner", "key-of-globex"))).Status);
        (status, text, _) = await door.GetAsync("http://a.shop.example/reviews", ("x-partner", "key-of-globex"), ("authorization", BasicAnna));
        Assert.Equal(200, status);
        Assert.Contains("x-user: anna\n", text, StringComparison.Ordinal);
        var statuses = new List<int>();
        for (var i = 0; i < 30; i++)
            statuses.Add((await door.GetAsync("http://a.shop.example/", ("x-partner", "key-of-globex"))).Status);
        Assert.Equal([200, 429], statuses.Distinct());
    }

    [Fact]
    public async Task Addresses_are_let_in_and_kept_out()
    {
        await using var door = await DoorBed.StartAsync(
            Ingress("in", "in.example", ("nginx.ingress.kubernetes.io/whitelist-source-range", "127.0.0.0/8")) + "---\n" + Ingress("out", "out.example", ("nginx.ingress.kubernetes.io/whitelist-source-range", "10.0.0.0/8"))
            + "---\n" + Ingress("denied", "denied.example", ("nginx.ingress.kubernetes.io/denylist-source-range", "127.0.0.1")) + "---\n" + Ingress("snippet", "snippet.example", ("nginx.ingress.kubernetes.io/configuration-snippet", "deny all;")));
        Assert.Equal(200, (await door.GetAsync("http://in.example/")).Status);
        // What a client says of its address is not believed.
        Assert.Equal(403, (await door.GetAsync("http://out.example/", ("x-forwarded-for", "10.1.2.3"))).Status);
        Assert.Equal(403, (await door.GetAsync("http://denied.example/")).Status);
        Assert.Equal(500, (await door.GetAsync("http://snippet.example/")).Status);
    }

    [Fact]
    public async Task Another_server_is_asked_by_its_own_path_and_says_who_it_is()
    {
        await using var door = await DoorBed.StartAsync(Ingress("asked", "asked.example",
            ("nginx.ingress.kubernetes.io/auth-url", "http://reviews.shop.svc.cluster.local:9080/check?x=1"), ("nginx.ingress.kubernetes.io/auth-response-headers", "X-User")));
        var (status, text, _) = await door.GetAsync("http://asked.example/page?p=2", ("x-original-method", "DELETE"));
        Assert.Equal((401, "asked about GET http://asked.example/page?p=2 by GET?x=1"), (status, text));
        (status, text, _) = await door.GetAsync("http://asked.example/page?p=2", ("x-ticket", "good"), ("x-user", "root"));
        Assert.Equal(200, status);
        Assert.StartsWith("web GET /page?p=2\n", text, StringComparison.Ordinal);
        Assert.Contains("x-user: anna\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_clients_say_of_themselves_is_taken_off()
    {
        await using var door = await DoorBed.StartAsync(Ingress("a", "a.example"));
        var text = (await door.GetAsync("http://a.example/", ("x-forwarded-client-cert", "By=spiffe://x"), ("x-weft-identity", "root"), ("x-forwarded-for", "192.0.2.9"), ("x-forwarded-proto", "https"), ("x-real-ip", "192.0.2.9"))).Text;
        Assert.DoesNotContain("x-forwarded-client-cert", text, StringComparison.Ordinal);
        Assert.DoesNotContain("x-weft-identity", text, StringComparison.Ordinal);
        Assert.DoesNotContain("192.0.2.9", text, StringComparison.Ordinal);
        Assert.Contains("x-forwarded-for: 127.0.0.1\n", text, StringComparison.Ordinal);
        Assert.Contains("x-forwarded-proto: http\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_trusted_proxy_in_front_is_believed_and_ends_tls()
    {
        const string Class = """
            apiVersion: networking.k8s.io/v1
            kind: IngressClass
            metadata: {name: weft, annotations: {weft.dev/trusted-proxies: 127.0.0.0/8}}
            spec: {controller: weft.dev/front-door}
            ---

            """;
        await using var door = await DoorBed.StartAsync(Class + Ingress("a", "a.example", ("nginx.ingress.kubernetes.io/force-ssl-redirect", "true"), ("nginx.ingress.kubernetes.io/whitelist-source-range", "192.0.2.0/24")));
        Assert.Equal(308, (await door.GetAsync("http://a.example/", ("x-forwarded-for", "192.0.2.9"))).Status);
        Assert.Equal(200, (await door.GetAsync("http://a.example/", ("x-forwarded-for", "192.0.2.9"), ("x-forwarded-proto", "https"))).Status);
        Assert.Equal(403, (await door.GetAsync("http://a.example/", ("x-forwarded-for", "198.51.100.1"), ("x-forwarded-proto", "https"))).Status);
    }

    [Fact]
    public async Task A_request_authentication_of_the_gateway_holds_at_the_door()
    {
        using var key = SigningKey.CreateEs256();
        var keys = new KeySet([key.PublicKey]).ToJson().ToJsonString();
        await using var door = await DoorBed.StartAsync(Ingress("a", "a.example") + """
            ---
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: tokens, namespace: istio-system}
            spec:
              selector: {matchLabels: {istio: ingressgateway}}
              jwtRules:
              - issuer: https://login.example
                jwks: 'KEYS'
                outputClaimToHeaders: [{header: x-user, claim: sub}]
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: with-token, namespace: istio-system}
            spec:
              selector: {matchLabels: {istio: ingressgateway}}
              rules:
              - to: [{operation: {paths: [/public]}}]
              - from: [{source: {requestPrincipals: ["https://login.example/*"]}}]
            """.Replace("KEYS", keys, StringComparison.Ordinal));
        var token = Jwt.Sign(new JsonObject { ["iss"] = "https://login.example", ["sub"] = "anna", ["exp"] = TimeProvider.System.GetUtcNow().AddMinutes(10).ToUnixTimeSeconds() }, key);
        Assert.Equal(403, (await door.GetAsync("http://a.example/")).Status);
        Assert.Equal(401, (await door.GetAsync("http://a.example/public", ("authorization", "Bearer nonsense"))).Status);
        var (status, text, _) = await door.GetAsync("http://a.example/", ("authorization", $"Bearer {token}"), ("x-user", "root"));
        Assert.Equal(200, status);
        Assert.Contains("x-user: anna\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("root", (await door.GetAsync("http://a.example/public", ("x-user", "root"))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tenants_policy_for_tokens_guards_its_own_ingress_and_no_other()
    {
        using var key = SigningKey.CreateEs256();
        using var stranger = SigningKey.CreateEs256();
        await using var door = await DoorBed.StartAsync(Ingress("a", "a.example") + "---\n" + Ingress("staff", "staff.example", ("weft.dev/jwt-policy", "staff")) + "---\n" + Ingress("gone", "gone.example", ("weft.dev/jwt-policy", "gone")) + "---\n"
            + Ingress("open", "open.example") + "---\n" + Ingress("shut", "shut.example") + """
            ---
            apiVersion: weft.dev/v1
            kind: JwtPolicy
            metadata: {name: users, namespace: shop}
            spec:
              targetRefs: [{kind: Ingress, name: a}]
              issuers:
              - issuer: https://login.example
                audiences: [shop]
                jwks: 'KEYS'
                fromHeaders: [{name: authorization, prefix: "Bearer "}]
                fromParams: [token]
                fromCookies: [session]
                outputClaimToHeaders: [{header: x-user, claim: sub}]
            ---
            apiVersion: weft.dev/v1
            kind: JwtPolicy
            metadata: {name: staff, namespace: shop}
            spec:
              issuers: [{issuer: "https://login.example", jwksFrom: {secretRef: {name: keys}}, forwardOriginalToken: true}]
              requiredClaims: [{claim: groups, values: [staff]}]
              requiredScopes: [read]
            ---
            apiVersion: weft.dev/v1
            kind: JwtPolicy
            metadata: {name: others, namespace: tools}
            spec: {targetRefs: [{kind: Ingress, name: open}], issuers: [{issuer: "https://login.example"}]}
            ---
            apiVersion: weft.dev/v1
            kind: JwtPolicy
            metadata: {name: nobody, namespace: shop}
            spec: {targetRefs: [{kind: Ingress, name: shut}], issuers: [{issuer: "https://login.example", jwksFrom: {secretRef: {name: none}}}]}
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: keys, namespace: shop}
            stringData: {jwks: 'KEYS'}
            """.Replace("KEYS", new KeySet([key.PublicKey]).ToJson().ToJsonString(), StringComparison.Ordinal));
        string Token(SigningKey by, params (string Name, JsonNode Value)[] claims)
        {
            var all = new JsonObject { ["iss"] = "https://login.example", ["sub"] = "anna", ["aud"] = "shop", ["exp"] = TimeProvider.System.GetUtcNow().AddMinutes(10).ToUnixTimeSeconds() };
            foreach (var (name, value) in claims)
                all[name] = value;
            return Jwt.Sign(all, by);
        }

        var good = Token(key);
        var (status, _, response) = await door.GetAsync("http://a.example/");
        Assert.Equal((401, "Bearer realm=\"weft\""), (status, response.Headers.WwwAuthenticate.ToString()));
        (status, _, response) = await door.GetAsync("http://a.example/", ("authorization", $"Bearer {Token(stranger)}"));
        Assert.Equal(401, status);
        Assert.StartsWith("Bearer realm=\"weft\", error=\"invalid_token\"", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Equal(401, (await door.GetAsync("http://a.example/", ("authorization", $"Bearer {Token(key, ("aud", "other"))}"))).Status);
        foreach (var (url, field) in new[] { ("http://a.example/", ("authorization", $"Bearer {good}")), ($"http://a.example/?token={good}", ("x-none", "1")), ("http://a.example/", ("cookie", $"session={good}")) })
        {
            (status, var text, _) = await door.GetAsync(url, field, ("x-user", "root"));
            Assert.Equal(200, status);
            Assert.Contains("x-user: anna\n", text, StringComparison.Ordinal);
            Assert.DoesNotContain(good, text, StringComparison.Ordinal);
        }

        (status, _, response) = await door.GetAsync("http://staff.example/", ("authorization", $"Bearer {good}"));
        Assert.Equal(403, status);
        Assert.Contains("error=\"insufficient_scope\"", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.EndsWith("scope=\"read\"", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Equal(403, (await door.GetAsync("http://staff.example/", ("authorization", $"Bearer {Token(key, ("scope", "read"))}"))).Status);
        (status, var staff, _) = await door.GetAsync("http://staff.example/", ("authorization", $"Bearer {Token(key, ("scope", "write read"), ("groups", new JsonArray("users", "staff")))}"));
        Assert.Equal(200, status);
        Assert.Contains("authorization: Bearer ey", staff, StringComparison.Ordinal);

        // What is named and not there, or has no keys, lets nobody in; another namespace's policy is none of this one's.
        Assert.Equal(500, (await door.GetAsync("http://gone.example/", ("authorization", $"Bearer {good}"))).Status);
        Assert.Equal(401, (await door.GetAsync("http://shut.example/", ("authorization", $"Bearer {good}"))).Status);
        Assert.Equal(200, (await door.GetAsync("http://open.example/")).Status);
    }

    private static async Task<(int, string?)> LocationAsync(DoorBed door, string url) => await door.GetAsync(url) is var (status, _, response) ? (status, response.Headers.Location?.ToString()) : default;

    private static string Ingress(string name, string host, params (string Name, string Value)[] annotations) => $"""
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata:
          name: {name}
          namespace: shop
          annotations:
            for: tests
        {string.Join('\n', annotations.Select(pair => $"    {pair.Name}: \"{pair.Value}\""))}
        spec:
          rules:
          - host: "{host}"
            http:
              paths:
              - path: /
                pathType: Prefix
                backend:
                  service:
                    name: web
                    port:
                      number: 80

        """;
}
