using System.Runtime.CompilerServices;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Whoever pretends to be somebody of the mesh, by certificate, by address or by header.</summary>
[Collection(ChangingMeshCollection.Name)]
public sealed class StrangerTests(MeshCluster cluster)
{
    [Fact]
    public async Task Only_a_certificate_of_this_mesh_that_is_good_now_opens_a_tunnel()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await StrictAsync(mesh);
        using var directory = new TempDir();
        using var authority = MeshAuthority.Of(cluster, directory);
        using var impostor = authority.Impostor();
        var pod = await mesh.Namespace.GetAsync("{.items[0].status.podIP}", "pods", "-l", "version=v1");
        var identity = $"spiffe://cluster.local/ns/{mesh.Name}/sa/default";

        // The control: what a proxy of this mesh could show.
        Assert.Equal("tunnel 200\nHTTP/1.1 200 OK\n", await TunnelAsync(authority, pod, authority.Issue("good", identity)));
        foreach (var (what, path) in new[]
        {
            ("another authority", authority.Issue("other", identity, signedBy: impostor)),
            ("expired", authority.Issue("expired", identity, from: TimeSpan.FromHours(-2), to: TimeSpan.FromMinutes(-1))),
            ("not yet good", authority.Issue("early", identity, from: TimeSpan.FromMinutes(30))),
            ("another trust domain", authority.Issue("domain", identity.Replace("cluster.local", "evil.example", StringComparison.Ordinal))),
            ("not for clients", authority.Issue("server", identity, usage: "1.3.6.1.5.5.7.3.1")),
            ("two identities", authority.Issue("two", identity + " " + identity + "-2")),
            ("nobody's", "-"),
        })
            Assert.True((await TunnelAsync(authority, pod, path)).StartsWith("refused", StringComparison.Ordinal), what);
        // A good certificate speaks for its own account's addresses alone, and opens the pod's address alone.
        var client = await mesh.Namespace.GetAsync("{.items[0].status.podIP}", "pods", "-l", "app=client");
        Assert.StartsWith("tunnel 200", await TunnelAsync(authority, pod, authority.Issue("for", identity), client), StringComparison.Ordinal);
        Assert.DoesNotContain("tunnel 200", await TunnelAsync(authority, pod, authority.Issue("foreign", identity[..identity.LastIndexOf('/')] + "/other"), client), StringComparison.Ordinal);
        Assert.DoesNotContain("tunnel 200", await TunnelAsync(authority, pod, authority.Issue("door", "spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway"), client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pod_cannot_send_in_anothers_name()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await Scripted.BringAsync(ns, "spoof.py", "heard.py");
        await ns.ApplyAsync($$"""
            {{Scripted.Deployment("attacker", "v1", "exec python3 /scripts/heard.py", "securityContext: {runAsUser: 0}").Replace("image: host", "image: host\n        securityContext: {capabilities: {add: [NET_RAW]} }", StringComparison.Ordinal)}}
            ---
            {{Scripted.Deployment("victim", "v1", "exec python3 /scripts/heard.py")}}
            ---
            {{MeshNamespace.Echo("echo", "v1")}}
            """);
        foreach (var name in new[] { "attacker-v1", "victim-v1", "echo-v1" })
            await ns.RolledOutAsync(name);
        Task<string> AddressAsync(string app) => ns.GetAsync("{.items[0].status.podIP}", "pods", "-l", "app=" + app);
        Task<CommandResult> HeardAsync(string app) => ns.KubectlAsync("exec", $"deploy/{app}-v1", "--", "cat", "/tmp/heard");
        var (attacker, victim, echo) = (await AddressAsync("attacker"), await AddressAsync("victim"), await AddressAsync("echo"));
        // Answers go to whoever sent it by the packet's own word.
        foreach (var source in new[] { victim, attacker })
            (await ns.KubectlAsync("exec", "deploy/attacker-v1", "--", "python3", "/scripts/spoof.py", source, echo, "9090")).Succeeded();
        await ns.EventuallyAsync("the answer to its own name comes", async () => (await HeardAsync("attacker")).Output.Length > 0);
        Assert.Equal("", (await HeardAsync("victim")).Output);
    }

    [Fact]
    public async Task Headers_that_claim_an_identity_are_only_headers()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.ProgrammedAsync("authorizationpolicy/web", $$"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: web}
            spec:
              selector: {matchLabels: {app: web} }
              rules: [{from: [{source: {principals: ["cluster.local/ns/{{mesh.Name}}/sa/king"]} }]}]
            """);
        var king = $"spiffe://cluster.local/ns/{mesh.Name}/sa/king";
        foreach (var header in new[]
        {
            $"x-forwarded-client-cert: URI={king}", $"X-Forwarded-Client-Cert: By=a;Hash=b;URI={king}", $"x-weft-identity: {king}", $"x-weft-source: {king}", "x-weft-principal: king", "forwarded: for=127.0.0.1",
            "x-envoy-internal: true", "x-envoy-original-path: /", "x-forwarded-for: 127.0.0.1", $"x_forwarded_client_cert: URI={king}", "x-jwt-payload: e30=", $"x-istio-attributes: source={king}",
        })
            Assert.Equal(["403"], (await mesh.StatusesAsync("http://web/", 4, $"-H '{header}'")).Keys);
    }

    private static Task StrictAsync(MeshNamespace mesh) => mesh.ProgrammedAsync("peerauthentication/default", """
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default}
        spec: {mtls: {mode: STRICT} }
        """);

    private async Task<string> TunnelAsync(MeshAuthority authority, string pod, string certificate, params string[] source)
    {
        var files = certificate == "-" ? ["-", "-"] : new[] { certificate + ".crt", certificate + ".key" };
        return (await cluster.RunAsync("/usr/bin/python3", [Script(), pod, "8080", .. files, authority.Roots, .. source])).Output;
    }

    private static string Script([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "Scripts", "hbone.py");
}
