using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Hosts by names: those of service entries without addresses, and headless services.</summary>
[Collection(MeshClusterCollection.Name)]
public sealed class NamedHostsTests(MeshCluster cluster)
{
    [Fact]
    public async Task Hosts_without_addresses_are_found_and_told_apart_by_meshed_pods_and_nobody_else()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        // Outside of the mesh: a process of the machine.
        await mesh.MachineAsync("socat TCP-LISTEN:18997,fork,reuseaddr SYSTEM:'echo one' & socat TCP-LISTEN:18998,fork,reuseaddr SYSTEM:'echo two' & exec python3 -m http.server 18996", port: 18996);
        await mesh.Namespace.ApplyAsync(Scripted.Deployment("stranger", "v1", "exec python3 -m http.server 8080", port: 8080).Replace("labels: {app: stranger, version: v1", "labels: {weft.dev/mesh: disabled, app: stranger, version: v1", StringComparison.Ordinal));
        await mesh.Namespace.RolledOutAsync("stranger-v1");
        var address = await mesh.Namespace.GetAsync("{.items[0].status.podIP}", "pods", "-l", "app=machine");
        foreach (var (name, port) in new[] { ("one", 18997), ("two", 18998) })
        {
            await mesh.ProgrammedAsync($"serviceentry/{name}", $$"""
                apiVersion: networking.istio.io/v1
                kind: ServiceEntry
                metadata: {name: {{name}} }
                spec:
                  hosts: [{{name}}.internal]
                  resolution: STATIC
                  ports: [{number: 5432, name: tcp, protocol: TCP}]
                  endpoints: [{address: {{address}}, ports: {tcp: {{port}} } }]
                """);
        }

        Task<string> SpeakAsync(string name) => mesh.ClientAsync($"socat -T 5 - TCP:{name}.internal:5432 < /dev/null; true");
        await mesh.Namespace.EventuallyAsync("the first is found", async () => await SpeakAsync("one") == "one\n");
        await mesh.Namespace.EventuallyAsync("the second is found", async () => await SpeakAsync("two") == "two\n");
        Assert.Equal("one\n", await SpeakAsync("one"));
        var given = await mesh.Namespace.GetAsync("{.status.addresses[0].value}", "serviceentry", "one");
        Assert.StartsWith("240.240.", given, StringComparison.Ordinal);
        Assert.Contains(given, await mesh.ClientAsync("getent ahostsv4 one.internal"), StringComparison.Ordinal);
        // Who is not captured would find nobody there.
        Assert.DoesNotContain("240.240", (await mesh.Namespace.KubectlAsync("exec", "deploy/stranger-v1", "--", "sh", "-c", "getent ahostsv4 one.internal; true")).Succeeded(), StringComparison.Ordinal);
        Assert.DoesNotContain("240.240", (await mesh.Namespace.KubectlAsync("exec", "deploy/machine-v1", "--", "sh", "-c", "getent ahostsv4 one.internal; true")).Succeeded(), StringComparison.Ordinal);
        // UDP is not the mesh's, and nobody is there: the client hears it.
        Assert.Contains("refused", await mesh.ClientAsync("echo x | socat -t 5 - UDP:one.internal:5432 2>&1; true"), StringComparison.Ordinal);
        // A port that the host has not is closed at once: 7 is "could not connect", 56 a reset (curl(1)).
        Assert.Contains((await mesh.ClientAsync("curl -s -m 20 http://one.internal/; echo $?")).Trim(), (string[])["7", "56"]);
    }

    [Fact]
    public async Task A_headless_service_has_rules_and_a_pod_that_is_dialled_is_the_one_that_answers()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.Namespace.ApplyAsync("""
            apiVersion: v1
            kind: Service
            metadata: {name: peers}
            spec: {clusterIP: None, selector: {app: web}, ports: [{name: http, port: 8080}]}
            """);
        var first = await mesh.Namespace.GetAsync("{.items[0].status.podIP}", "pods", "-l", "app=web,version=v1");
        await mesh.Namespace.EventuallyAsync("it is named", async () => (await mesh.VersionsAsync("http://peers:8080/", 2)).Count == 1);
        Assert.Equal(["v1"], (await mesh.VersionsAsync($"http://{first}:8080/", 20)).Keys);
        await mesh.ProgrammedAsync("destinationrule/peers", """
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: peers}
            spec: {host: peers, subsets: [{name: v2, labels: {version: v2} }]}
            """);
        await mesh.ProgrammedAsync("virtualservice/peers", """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: peers}
            spec:
              hosts: [peers]
              http:
              - match: [{uri: {prefix: /refused} }]
                directResponse: {status: 418}
              - route: [{destination: {host: peers, subset: v2} }]
            """);
        await mesh.Namespace.EventuallyAsync("the rule holds", async () => (await mesh.VersionsAsync("http://peers:8080/", 10)).Keys.SequenceEqual(["v2"]));
        Assert.Equal(["418"], (await mesh.StatusesAsync("http://peers:8080/refused", 5)).Keys);
        Assert.Equal(["v2"], (await mesh.VersionsAsync($"http://{first}:8080/", 10, $"-H 'Host: peers.{mesh.Name}'")).Keys);
        Assert.Equal(["v1"], (await mesh.VersionsAsync($"http://{first}:8080/", 20)).Keys);
        // Whoever asks has its identity there, and policies hold.
        await mesh.ProgrammedAsync("authorizationpolicy/none", """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: none}
            spec: {selector: {matchLabels: {version: v1} }, action: DENY, rules: [{to: [{operation: {paths: ["/secret*"]} }]}]}
            """);
        await mesh.ProgrammedAsync("peerauthentication/default", """
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: default}
            spec: {mtls: {mode: STRICT} }
            """);
        await mesh.Namespace.EventuallyAsync("the policy holds", async () => (await mesh.StatusesAsync($"http://{first}:8080/secret", 5)).Keys.SequenceEqual(["403"]));
        Assert.Equal(["200"], (await mesh.StatusesAsync($"http://{first}:8080/", 5)).Keys);
    }
}
