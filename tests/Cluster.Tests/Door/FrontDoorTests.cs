using System.Text.Json;
using Weft.Cluster.Tests.Kit;
using Weft.Cluster.Tests.Mesh;
using Weft.Cluster.Tests.Proxies;
using Weft.Testing;

namespace Weft.Cluster.Tests.Door;

/// <summary>Real clients through the front door, and who is let through it.</summary>
[Collection(MeshClusterCollection.Name)]
public sealed class FrontDoorTests(MeshCluster cluster)
{
    [Fact]
    public async Task A_browser_opens_a_page_that_fetches_hears_events_and_speaks_by_a_socket()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        using var directory = new TempDir();
        await SiteAsync(ns, directory, "site.py", "exec python3 /scripts/site.py", "http", "");
        var door = await DoorAsync();
        using var profile = new TempDir();
        // As root it has no sandbox; the certificate's authority is of this test alone. It ends when it is told to.
        var browser = cluster.RunAsync("/bin/sh", [
            "-c", "echo $$ > \"$0\"; exec timeout 90 \"$@\"", profile.File("pid"), "chromium-headless-shell", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--ignore-certificate-errors", "--no-proxy-server", $"--user-data-dir={profile.Path}",
            $"--host-resolver-rules=MAP * {door}", "--remote-debugging-port=0", $"https://site.{ns.Name}.example/"]);
        try
        {
            var report = "";
            await ns.EventuallyAsync("the page reports", async () => (report = (await ns.KubectlAsync("exec", "deploy/site-v1", "--", "sh", "-c", "cat /tmp/report 2>/dev/null")).Output).Length > 0);
            Assert.Equal("""{"fetched":"hello","events":["one","two","three"],"socket":"ping pong","protocol":"h2"}""", report);
        }
        finally
        {
            await Shell.RunAsync("kill", [(await File.ReadAllTextAsync(profile.File("pid"))).Trim()]);
            await browser;
        }
    }

    [Fact]
    public async Task GRPC_passes_through_the_door_and_within_the_mesh()
    {
        const string Said = "word for me\n200\nNOT_FOUND no such word\n";
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        using var directory = new TempDir();
        await SiteAsync(ns, directory, "words.py", "exec /usr/bin/python3 /scripts/words.py serve", "grpc", "nginx.ingress.kubernetes.io/backend-protocol: GRPC");
        await ns.ApplyAsync(Scripted.Deployment("client", "v1", "exec /usr/bin/python3 /scripts/words.py serve"));
        await ns.RolledOutAsync("client-v1");
        var script = Path.Combine(WeftCluster.Checkout, "tests", "Cluster.Tests", "Mesh", "Scripts", "words.py");
        var door = await DoorAsync();
        var outside = await cluster.RunAsync("/usr/bin/python3", [script, "call", $"{door}:443", directory.File("ca.pem"), $"site.{ns.Name}.example"]);
        Assert.Equal((Said, ""), (outside.Output, outside.ExitCode == 0 ? "" : outside.Error));
        var inside = await ns.KubectlAsync("exec", "deploy/client-v1", "--", "/usr/bin/python3", "/scripts/words.py", "call", "site:80");
        Assert.Equal((Said, ""), (inside.Output, inside.ExitCode == 0 ? "" : inside.Error));
    }

    [Fact]
    public async Task Whoever_has_no_token_stays_outside_and_what_clients_say_of_themselves_is_taken_off()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        using var issuer = new Tokens("https://login.example", "one");
        var host = $"web.{mesh.Name}.example";
        (await cluster.InputAsync("{apiVersion: v1, kind: Namespace, metadata: {name: istio-system}}", "apply", "-f", "-")).Succeeded();
        try
        {
            (await cluster.InputAsync($$"""
                apiVersion: networking.istio.io/v1
                kind: Gateway
                metadata: {name: door, namespace: {{mesh.Name}} }
                spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [{{host}}]}]}
                ---
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: door, namespace: {{mesh.Name}} }
                spec: {hosts: [{{host}}], gateways: [door], http: [{route: [{destination: {host: web} }]}]}
                ---
                apiVersion: security.istio.io/v1
                kind: RequestAuthentication
                metadata: {name: login, namespace: istio-system}
                spec:
                  selector: {matchLabels: {istio: ingressgateway} }
                  jwtRules: [{issuer: "https://login.example", jwks: '{{issuer.KeySet}}', outputClaimToHeaders: [{header: x-who, claim: sub}]}]
                ---
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: login, namespace: istio-system}
                spec:
                  selector: {matchLabels: {istio: ingressgateway} }
                  action: DENY
                  rules: [{from: [{source: {notRequestPrincipals: ["*"]} }], to: [{operation: {hosts: [{{host}}], notPaths: [/public*]} }]}]
                """, "apply", "-f", "-")).Succeeded();
            // By both nodes: a connection to the door may end at either.
            (await cluster.KubectlAsync("-n", mesh.Name, "wait", "--for=condition=Programmed", "gateway.networking.istio.io/door", "virtualservice/door", "--timeout=60s")).Succeeded();
            (await cluster.KubectlAsync("-n", "istio-system", "wait", "--for=condition=Programmed", "requestauthentication/login", "authorizationpolicy/login", "--timeout=60s")).Succeeded();
            var door = await DoorAsync();
            Task<string> AskAsync(string path, string options = "") => OutsideAsync($"curl -sS -m 5 -o /dev/null -w '%{{http_code}}' -H 'Host: {host}' {options} http://{door}{path} 2>&1");
            await mesh.Namespace.EventuallyAsync("the door leads to it", async () => await AskAsync("/public") == "200" && await AskAsync("/") == "403");
            Assert.Equal("401", await AskAsync("/public", "-H 'Authorization: Bearer no.such.token'"));
            Assert.Equal("401", await AskAsync("/", $"-H 'Authorization: Bearer {issuer.Issue("ann", algorithm: "none")}'"));
            Assert.Equal("403", await AskAsync("/public/../private", "--path-as-is"));
            var king = $"-H 'x-who: king' -H 'x-forwarded-client-cert: URI=spiffe://cluster.local/ns/a/sa/king' -H 'x-weft-identity: king' -H 'x-forwarded-for: 10.0.0.9' -H 'x_who: king'";
            var seen = JsonDocument.Parse(await OutsideAsync($"curl -s -m 5 -H 'Host: {host}' -H 'Authorization: Bearer {issuer.Issue("ann")}' {king} http://{door}/")).RootElement.GetProperty("headers");
            Assert.Equal("ann", seen.GetProperty("x-who").GetString());
            Assert.DoesNotContain("king", seen.GetRawText(), StringComparison.Ordinal);
            Assert.DoesNotContain("10.0.0.9", seen.GetRawText(), StringComparison.Ordinal);
        }
        finally
        {
            (await cluster.KubectlAsync("-n", "istio-system", "delete", "requestauthentication/login", "authorizationpolicy/login", "--ignore-not-found")).Succeeded();
        }
    }

    private async Task<string> OutsideAsync(string script) => (await cluster.RunAsync("/bin/sh", ["-c", script])).Output;

    private Task<string> DoorAsync() => Eventually.ValueAsync<string>(async () =>
        (await cluster.KubectlAsync("-n", "istio-system", "get", "service/istio-ingressgateway", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")).Output is { Length: > 0 } address ? address : null);

    /// <summary>A service behind the door under https://site.NAMESPACE.example, whose certificate is of ca.pem in the directory.</summary>
    private static async Task SiteAsync(TestNamespace ns, TempDir directory, string script, string command, string port, string annotations)
    {
        var host = $"site.{ns.Name}.example";
        using var certificates = new Certificates(directory);
        var certificate = certificates.Issue("site", host);
        await Scripted.BringAsync(ns, script);
        (await ns.KubectlAsync("create", "secret", "tls", "site", $"--cert={certificate}.crt", $"--key={certificate}.key")).Succeeded();
        await ns.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: site}
            spec: {selector: {app: site}, ports: [{name: {{port}}, port: 80, targetPort: 8080}]}
            ---
            {{Scripted.Deployment("site", "v1", command)}}
            ---
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: {name: site, annotations: { {{annotations}} } }
            spec:
              tls: [{hosts: [{{host}}], secretName: site}]
              rules: [{host: {{host}}, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: site, port: {number: 80} } } }]} }]
            """);
        await ns.RolledOutAsync("site-v1");
        await Eventually.TrueAsync(async () => (await ns.GetAsync("{.status.loadBalancer.ingress[0].ip}", "ingress/site")).Length > 0, "the door has an address");
    }
}
