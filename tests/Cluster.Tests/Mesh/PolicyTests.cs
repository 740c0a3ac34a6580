using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Modes at every level, policies of every action, and tokens.</summary>
[Collection(MeshClusterCollection.Name)]
public sealed class PolicyTests(MeshCluster cluster)
{
    [Fact]
    public async Task The_nearest_mode_holds_for_the_mesh_a_namespace_a_workload_and_a_port()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        var pods = new Dictionary<string, string>();
        foreach (var version in new[] { "v1", "v2" })
            pods[version] = await mesh.Namespace.GetAsync("{.items[0].status.podIP}", "pods", "-l", "version=" + version);
        Task<string> HostAsync(string version) => StrangersAsync($"http://{pods[version]}:8080/");
        Assert.Equal("200 200", $"{await HostAsync("v1")} {await HostAsync("v2")}");
        try
        {
            await RootAsync();
            // The mesh: plaintext is refused everywhere.
            await ModeAsync("istio-system", "default", "mtls: {mode: STRICT}");
            Assert.Equal("000 000", $"{await HostAsync("v1")} {await HostAsync("v2")}");
            await ModeAsync(mesh.Name, "default", "mtls: {mode: PERMISSIVE}");
            Assert.Equal("200 200", $"{await HostAsync("v1")} {await HostAsync("v2")}");
            await ModeAsync(mesh.Name, "v1", "selector: {matchLabels: {version: v1} }, mtls: {mode: STRICT}");
            Assert.Equal("000 200", $"{await HostAsync("v1")} {await HostAsync("v2")}");
            await ModeAsync(mesh.Name, "v1", "selector: {matchLabels: {version: v1} }, mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: DISABLE} }");
            Assert.Equal("200 200", $"{await HostAsync("v1")} {await HostAsync("v2")}");
            await ModeAsync(mesh.Name, "v1", "selector: {matchLabels: {version: v1} }, mtls: {mode: DISABLE}, portLevelMtls: {8080: {mode: STRICT} }");
            Assert.Equal("000 200", $"{await HostAsync("v1")} {await HostAsync("v2")}");
            // Pods of the mesh are served in all of them.
            Assert.Equal(["200"], (await mesh.StatusesAsync("http://web/", 20)).Keys);
        }
        finally
        {
            (await cluster.KubectlAsync("-n", "istio-system", "delete", "peerauthentication", "default", "--ignore-not-found")).Succeeded();
        }
    }

    [Fact]
    public async Task A_policy_that_only_looks_refuses_nobody_and_one_that_denies_goes_before_one_that_allows()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await PolicyAsync(mesh, "audit", "action: AUDIT, rules: [{}]");
        await PolicyAsync(mesh, "trial", "action: DENY, rules: [{}]", "istio.io/dry-run: 'true'");
        Assert.Equal(["200"], (await mesh.StatusesAsync("http://web/", 10)).Keys);
        await PolicyAsync(mesh, "allow", "action: ALLOW, rules: [{to: [{operation: {methods: [GET]} }]}]");
        await PolicyAsync(mesh, "deny", "action: DENY, rules: [{to: [{operation: {paths: [/secret*]} }]}]");
        Assert.Equal(["200"], (await mesh.StatusesAsync("http://web/", 10)).Keys);
        Assert.Equal(["403"], (await mesh.StatusesAsync("http://web/", 10, "-X DELETE")).Keys);
        foreach (var path in new[] { "/secret", "/secrets/1", "/public/../secret", "/%73ecret", "/./secret", "/secret%2f1", "/secret?a=b", "/secret;a" })
            Assert.True((await mesh.StatusesAsync("http://web" + path, 4, "--path-as-is")).Keys.SequenceEqual(["403"]), path);
        // What is let in is what was judged: another path stays another path.
        Assert.Contains("\"path\":\"//secret\"", await mesh.ClientAsync("curl -s --path-as-is http://web//secret"), StringComparison.Ordinal);
        foreach (var path in new[] { "/%2e%2e/secret", "/a/..%2fsecret", "/%00secret", "/%c0%afsecret", "/\\\\secret" })
        {
            var seen = await mesh.ClientAsync($"curl -s --path-as-is 'http://web{path}' | grep -o '\"path\":\"/secret[^\"]*\"'; true");
            Assert.True(seen.Length == 0, $"{path} became {seen}");
        }

        await PolicyAsync(mesh, "nothing", "");
        Assert.Equal(["200"], (await mesh.StatusesAsync("http://web/", 10)).Keys);
        (await mesh.Namespace.KubectlAsync("delete", "authorizationpolicy", "allow")).Succeeded();
        await mesh.Namespace.EventuallyAsync("an empty policy lets nobody in", async () => (await mesh.StatusesAsync("http://web/", 4)).Keys.SequenceEqual(["403"]));
    }

    [Fact]
    public async Task Somebody_else_decides_by_HTTP_and_by_gRPC_and_nobody_passes_when_he_is_gone()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await Scripted.BringAsync(mesh.Namespace, "authz.py");
        await mesh.Namespace.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: authz}
            spec: {selector: {app: authz}, ports: [{name: http, port: 8000}, {name: grpc, port: 9000}]}
            ---
            {{Scripted.Deployment("authz", "v1", "exec /usr/bin/python3 /scripts/authz.py", port: 9000)}}
            """);
        await mesh.Namespace.RolledOutAsync("authz-v1");
        try
        {
            await RootAsync();
            (await cluster.InputAsync($$"""
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: istio, namespace: istio-system}
                data:
                  mesh: |
                    extensionProviders:
                    - {name: by-http, envoyExtAuthzHttp: {service: authz.{{mesh.Name}}.svc.cluster.local, port: 8000, includeRequestHeadersInCheck: [x-token], headersToUpstreamOnAllow: [x-decided-by], headersToDownstreamOnDeny: [x-refused-by]} }
                    - {name: by-grpc, envoyExtAuthzGrpc: {service: authz.{{mesh.Name}}.svc.cluster.local, port: 9000} }
                """, "apply", "-f", "-")).Succeeded();
            foreach (var provider in new[] { "by-http", "by-grpc" })
            {
                await PolicyAsync(mesh, "ask", $"action: CUSTOM, provider: {{name: {provider} }}, rules: [{{to: [{{operation: {{paths: [/admin*]}} }}]}}]");
                await mesh.Namespace.EventuallyAsync($"{provider} is asked", async () => (await mesh.StatusesAsync("http://web/admin", 4, "-H 'x-token: let-me-in'")).Keys.SequenceEqual(["200"]));
                Assert.Equal(["403"], (await mesh.StatusesAsync("http://web/admin", 4)).Keys);
                Assert.Equal(["403"], (await mesh.StatusesAsync("http://web/admin", 4, "-H 'x-token: wrong'")).Keys);
                Assert.Equal(["200"], (await mesh.StatusesAsync("http://web/", 4)).Keys);
            }

            await PolicyAsync(mesh, "ask", "action: CUSTOM, provider: {name: by-http}, rules: [{}]");
            await mesh.Namespace.EventuallyAsync("it is asked about everything", async () => (await mesh.StatusesAsync("http://web/", 2)).Keys.SequenceEqual(["403"]));
            Assert.Contains("\"x-decided-by\":\"authz\"", await mesh.ClientAsync("curl -s -H 'x-token: let-me-in' http://web/"), StringComparison.Ordinal);
            Assert.Contains("x-refused-by: authz", await mesh.ClientAsync("curl -s -i http://web/"), StringComparison.OrdinalIgnoreCase);
            (await mesh.Namespace.KubectlAsync("scale", "deployment/authz-v1", "--replicas=0")).Succeeded();
            await mesh.Namespace.EventuallyAsync("nobody passes", async () => !(await mesh.StatusesAsync("http://web/", 2, "-H 'x-token: let-me-in'")).ContainsKey("200"));
        }
        finally
        {
            (await cluster.KubectlAsync("-n", "istio-system", "delete", "configmap", "istio", "--ignore-not-found")).Succeeded();
        }
    }

    [Fact]
    public async Task Tokens_are_checked_by_the_issuers_keys_also_when_these_change()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        using var first = new Tokens("https://login.example", "one");
        using var second = new Tokens("https://login.example", "two");
        await mesh.Namespace.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: keys}
            spec: {selector: {app: keys}, ports: [{name: http, port: 80, targetPort: 8080}]}
            ---
            {{Scripted.Deployment("keys", "v1", "mkdir /tmp/keys; cd /tmp/keys; exec python3 -m http.server 8080")}}
            """);
        await mesh.Namespace.RolledOutAsync("keys-v1");
        await KeysAsync(mesh, first.KeySet);
        await mesh.ProgrammedAsync("requestauthentication/web", $$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: web}
            spec:
              selector: {matchLabels: {app: web} }
              jwtRules:
              - issuer: https://login.example
                jwksUri: http://keys.{{mesh.Name}}.svc.cluster.local/jwks.json
                outputClaimToHeaders: [{header: x-who, claim: sub}]
            """);
        await PolicyAsync(mesh, "staff", "action: ALLOW, rules: [{from: [{source: {requestPrincipals: ['https://login.example/*']} }], when: [{key: 'request.auth.claims[groups]', values: [staff]}]}]");
        Task<string> AskAsync(string token) => mesh.ClientAsync($"curl -s -o /dev/null -w '%{{http_code}}' {(token.Length > 0 ? $"-H 'Authorization: Bearer {token}'" : "")} http://web/");
        await mesh.Namespace.EventuallyAsync("a token of the group passes", async () => await AskAsync(first.Issue("ann", "staff")) == "200");
        Assert.Equal("403", await AskAsync(""));
        Assert.Equal("403", await AskAsync(first.Issue("bob", "guests")));
        Assert.Equal("401", await AskAsync(first.Issue("ann", "staff", life: TimeSpan.FromMinutes(-10))));
        Assert.Equal("401", await AskAsync(first.Issue("ann", "staff", algorithm: "none")));
        Assert.Equal("401", await AskAsync(second.Issue("ann", "staff")));
        Assert.Contains("\"x-who\":\"ann\"", await mesh.ClientAsync($"curl -s -H 'x-who: king' -H 'Authorization: Bearer {first.Issue("ann", "staff")}' http://web/"), StringComparison.Ordinal);

        await KeysAsync(mesh, second.KeySet);
        // Each node has keys of its own: both have to have met the new one.
        Task<IReadOnlyDictionary<string, int>> ManyAsync(string token) => mesh.StatusesAsync("http://web/", 20, $"-H 'Authorization: Bearer {token}'");
        await mesh.Namespace.EventuallyAsync("the new key is found", async () => (await ManyAsync(second.Issue("ann", "staff"))).Keys.SequenceEqual(["200"]));
        Assert.Equal(["401"], (await ManyAsync(first.Issue("ann", "staff"))).Keys);
        // Known keys hold while their server is away.
        (await mesh.Namespace.KubectlAsync("scale", "deployment/keys-v1", "--replicas=0")).Succeeded();
        Assert.Equal("200", await AskAsync(second.Issue("ann", "staff")));
    }

    // The front door makes it when something asks for one.
    private async Task RootAsync() =>
        (await cluster.InputAsync("{apiVersion: v1, kind: Namespace, metadata: {name: istio-system}}", "apply", "-f", "-")).Succeeded();

    private static async Task KeysAsync(MeshNamespace mesh, string keySet) =>
        (await mesh.Namespace.InputAsync(keySet, "exec", "-i", "deploy/keys-v1", "--", "sh", "-c", "cat > /tmp/keys/next && mv /tmp/keys/next /tmp/keys/jwks.json")).Succeeded();

    private async Task<string> StrangersAsync(string url) => (await cluster.RunAsync("/bin/sh", ["-c", $"curl -s -m 3 -o /dev/null -w '%{{http_code}}' {url}"])).Output;

    private async Task ModeAsync(string @namespace, string name, string spec)
    {
        (await cluster.InputAsync($$"""
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: {{name}}, namespace: {{@namespace}} }
            spec: { {{spec}} }
            """, "apply", "-f", "-")).Succeeded();
        (await cluster.KubectlAsync("-n", @namespace, "wait", "--for=condition=Programmed", "peerauthentication/" + name, "--timeout=60s")).Succeeded();
        await GenerationAsync(@namespace, "peerauthentication/" + name);
    }

    private static async Task PolicyAsync(MeshNamespace mesh, string name, string spec, string annotations = "")
    {
        await mesh.ProgrammedAsync("authorizationpolicy/" + name, $$"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: {{name}}, annotations: { {{annotations}} } }
            spec: {selector: {matchLabels: {app: web} }{{(spec.Length > 0 ? ", " + spec : "")}} }
            """);
    }

    // The condition may still be that of the object before.
    private async Task GenerationAsync(string @namespace, string what) => await Testing.Eventually.TrueAsync(async () =>
        (await cluster.KubectlAsync("-n", @namespace, "get", what, "-o", "jsonpath={.metadata.generation} {.status.observedGeneration} {.status.conditions[?(@.type=='Programmed')].status}")).Succeeded().Split(' ') is [var now, var seen, "True"] && now == seen);
}
