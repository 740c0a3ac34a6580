using Weft.Cluster.Tests.Kit;
using Weft.Cluster.Tests.Mesh;
using Weft.Cluster.Tests.Proxies;
using Weft.Testing;

namespace Weft.Cluster.Tests.Door;

/// <summary>What a tenant asks of requests at the front door, and an issuer whose server is in a namespace that takes mutual TLS alone.</summary>
[Collection(MeshClusterCollection.Name)]
public sealed class TokenPolicyTests(MeshCluster cluster)
{
    [Fact]
    public async Task Tokens_keys_and_passwords_are_asked_for_and_keys_are_found_at_an_issuer_that_is_strict()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        var issuer = $"http://keys.{mesh.Name}.svc.cluster.local";
        using var tokens = new Tokens(issuer, "one");
        using var others = new Tokens(issuer, "two");
        await mesh.Namespace.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: keys}
            spec: {selector: {app: keys}, ports: [{name: http, port: 80, targetPort: 8080}]}
            ---
            {{Scripted.Deployment("keys", "v1", "mkdir -p /tmp/keys/.well-known; cd /tmp/keys; exec python3 -m http.server 8080")}}
            """);
        await mesh.Namespace.RolledOutAsync("keys-v1");
        await WriteAsync(mesh, "jwks.json", tokens.KeySet);
        await WriteAsync(mesh, ".well-known/openid-configuration", $$"""{"issuer": "{{issuer}}", "jwks_uri": "{{issuer}}/jwks.json"}""");
        await mesh.ProgrammedAsync("peerauthentication/strict", """
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: strict}
            spec: {mtls: {mode: STRICT} }
            """);
        await mesh.ProgrammedAsync("jwtpolicy/users", $$"""
            apiVersion: weft.dev/v1
            kind: JwtPolicy
            metadata: {name: users}
            spec:
              issuers: [{issuer: "{{issuer}}", outputClaimToHeaders: [{header: x-who, claim: sub}]}]
              requiredClaims: [{claim: groups, values: [staff]}]
            """);
        (await mesh.Namespace.KubectlAsync("create", "secret", "generic", "partners", "--from-literal=acme=key-of-acme")).Succeeded();
        (await mesh.Namespace.KubectlAsync("create", "secret", "generic", "users", "--from-literal=auth=anna:{PLAIN}open-sesame")).Succeeded();
        await mesh.ProgrammedAsync("apikeypolicy/partners", """
            apiVersion: weft.dev/v1
            kind: ApiKeyPolicy
            metadata: {name: partners}
            spec: {targetRefs: [{kind: Ingress, name: keys}], secretRefs: [{name: partners}]}
            """);
        await mesh.Namespace.ApplyAsync(string.Join("\n---\n", Ingress(mesh, "tokens", "weft.dev/jwt-policy: users"), Ingress(mesh, "keys"), Ingress(mesh, "passwords", "nginx.ingress.kubernetes.io/auth-type: basic, nginx.ingress.kubernetes.io/auth-secret: users"), Ingress(mesh, "open")));
        await Eventually.TrueAsync(async () => (await mesh.Namespace.GetAsync("{.status.loadBalancer.ingress[0].ip}", "ingress/open")).Length > 0, "the door has an address");
        var door = await mesh.Namespace.GetAsync("{.status.loadBalancer.ingress[0].ip}", "ingress/open");
        async Task<string> AskAsync(string host, string options = "", string show = "-o /dev/null -w '%{http_code}'") =>
            (await cluster.RunAsync("/bin/sh", ["-c", $"curl -sS -m 15 {show} -H 'Host: {host}.{mesh.Name}.example' {options} http://{door}/ 2>&1"])).Output;

        await mesh.Namespace.EventuallyAsync("the door leads there", async () => await AskAsync("open") == "200");
        await mesh.Namespace.EventuallyAsync("a good token passes", async () => await AskAsync("tokens", $"-H 'Authorization: Bearer {tokens.Issue("ann", "staff")}'") == "200");
        Assert.Contains("\"x-who\":\"ann\"", (await AskAsync("tokens", $"-H 'x-who: king' -H 'Authorization: Bearer {tokens.Issue("ann", "staff")}'", "")).Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal("401", await AskAsync("tokens"));
        Assert.Equal("401", await AskAsync("tokens", $"-H 'Authorization: Bearer {others.Issue("ann", "staff")}'"));
        Assert.Equal("403", await AskAsync("tokens", $"-H 'Authorization: Bearer {tokens.Issue("bob", "guests")}'"));
        await mesh.Namespace.EventuallyAsync("a key passes", async () => await AskAsync("keys", "-H 'x-api-key: key-of-acme'") == "200");
        Assert.Equal("401", await AskAsync("keys"));
        await mesh.Namespace.EventuallyAsync("a password passes", async () => await AskAsync("passwords", "-u anna:open-sesame") == "200");
        Assert.Equal("401", await AskAsync("passwords", "-u anna:wrong"));
        Assert.Equal("200", await AskAsync("open"));

        await ByClaimsAsync(mesh, issuer, tokens, AskAsync);
        await BehindTheDoorAsync(mesh, door, AskAsync);
        await BehindABalancerAsync(mesh, AskAsync);
    }

    // An issuer that everybody reaches through the front door, and its own cluster does, too.
    private static async Task BehindTheDoorAsync(MeshNamespace mesh, string door, Func<string, string, string, Task<string>> ask)
    {
        using var tokens = new Tokens("https://login.example", "behind");
        await WriteAsync(mesh, $"{mesh.Name}.json", tokens.KeySet);
        await mesh.Namespace.ApplyAsync($$"""
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: {name: keys-of-all}
            spec: {rules: [{http: {paths: [{path: /{{mesh.Name}}.json, pathType: Exact, backend: {service: {name: keys, port: {number: 80} } } }]} }]}
            """);
        await mesh.ProgrammedAsync("jwtpolicy/behind", $$"""
            apiVersion: weft.dev/v1
            kind: JwtPolicy
            metadata: {name: behind}
            spec: {issuers: [{issuer: "https://login.example", jwksUri: "http://{{door}}/{{mesh.Name}}.json"}]}
            """);
        await mesh.Namespace.ApplyAsync(Ingress(mesh, "behind", "weft.dev/jwt-policy: behind"));
        await mesh.Namespace.EventuallyAsync("keys are found behind the door", async () => await ask("behind", $"-H 'Authorization: Bearer {tokens.Issue("ann", "staff")}'", "-o /dev/null -w '%{http_code}'") == "200");
    }

    // And one with a load balancer of its own, whose address every node has, too.
    private static async Task BehindABalancerAsync(MeshNamespace mesh, Func<string, string, string, Task<string>> ask)
    {
        using var tokens = new Tokens("https://balanced.example", "balanced");
        await WriteAsync(mesh, "balanced.json", tokens.KeySet);
        await mesh.Namespace.ApplyAsync("""
            apiVersion: v1
            kind: Service
            metadata: {name: balanced}
            spec: {type: LoadBalancer, selector: {app: keys}, ports: [{name: http, port: 8088, targetPort: 8080}]}
            """);
        await Eventually.TrueAsync(async () => (await mesh.Namespace.GetAsync("{.status.loadBalancer.ingress[0].ip}", "service/balanced")).Length > 0, "the service has an address");
        var address = await mesh.Namespace.GetAsync("{.status.loadBalancer.ingress[0].ip}", "service/balanced");
        await mesh.ProgrammedAsync("jwtpolicy/balanced", $$"""
            apiVersion: weft.dev/v1
            kind: JwtPolicy
            metadata: {name: balanced}
            spec: {issuers: [{issuer: "https://balanced.example", jwksUri: "http://{{address}}:8088/balanced.json"}]}
            """);
        await mesh.Namespace.ApplyAsync(Ingress(mesh, "balanced", "weft.dev/jwt-policy: balanced"));
        await mesh.Namespace.EventuallyAsync("keys are found at the balancer's address", async () => await ask("balanced", $"-H 'Authorization: Bearer {tokens.Issue("ann", "staff")}'", "-o /dev/null -w '%{http_code}'") == "200");
    }

    private async Task ByClaimsAsync(MeshNamespace mesh, string issuer, Tokens tokens, Func<string, string, string, Task<string>> ask)
    {
        const string Code = "-o /dev/null -w '%{http_code}'";
        (await cluster.InputAsync("{apiVersion: v1, kind: Namespace, metadata: {name: istio-system}}", "apply", "-f", "-")).Succeeded();
        try
        {
            (await cluster.InputAsync($$"""
                apiVersion: networking.istio.io/v1
                kind: Gateway
                metadata: {name: claims, namespace: {{mesh.Name}} }
                spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [claims.{{mesh.Name}}.example]}]}
                ---
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: claims, namespace: {{mesh.Name}} }
                spec:
                  hosts: [claims.{{mesh.Name}}.example]
                  gateways: [claims]
                  http:
                  - {match: [{headers: {"@request.auth.claims.groups": {exact: staff} } }], directResponse: {status: 202} }
                  - {route: [{destination: {host: web} }]}
                ---
                apiVersion: security.istio.io/v1
                kind: RequestAuthentication
                metadata: {name: claims, namespace: istio-system}
                spec: {selector: {matchLabels: {istio: ingressgateway} }, jwtRules: [{issuer: "{{issuer}}"}]}
                """, "apply", "-f", "-")).Succeeded();
            (await cluster.KubectlAsync("-n", mesh.Name, "wait", "--for=condition=Programmed", "gateway.networking.istio.io/claims", "virtualservice/claims", "--timeout=60s")).Succeeded();
            (await cluster.KubectlAsync("-n", "istio-system", "wait", "--for=condition=Programmed", "requestauthentication/claims", "--timeout=60s")).Succeeded();
            await mesh.Namespace.EventuallyAsync("the claim chooses", async () => await ask("claims", $"-H 'Authorization: Bearer {tokens.Issue("ann", "staff")}'", Code) == "202");
            Assert.Equal("200", await ask("claims", $"-H 'Authorization: Bearer {tokens.Issue("bob", "guests")}'", Code));
            Assert.Equal("200", await ask("claims", "", Code));
            Assert.Equal("401", await ask("claims", "-H 'Authorization: Bearer no.such.token'", Code));
        }
        finally
        {
            (await cluster.KubectlAsync("-n", "istio-system", "delete", "requestauthentication/claims", "--ignore-not-found")).Succeeded();
        }
    }

    private static string Ingress(MeshNamespace mesh, string name, string annotations = "") => $$"""
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: {{name}}, annotations: { {{annotations}} } }
        spec: {rules: [{host: {{name}}.{{mesh.Name}}.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80} } } }]} }]}
        """;

    private static async Task WriteAsync(MeshNamespace mesh, string file, string text) =>
        (await mesh.Namespace.InputAsync(text, "exec", "-i", "deploy/keys-v1", "--", "sh", "-c", $"cat > /tmp/keys/next && mv /tmp/keys/next /tmp/keys/{file}")).Succeeded();
}
