using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Routes beyond one host's requests: rules of another object, bytes, hosts outside, and who sees what.</summary>
[Collection(MeshClusterCollection.Name)]
public sealed class RoutingTests(MeshCluster cluster)
{
    [Fact]
    public async Task A_part_of_the_rules_is_in_another_object()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.Namespace.ApplyAsync("""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: orders}
            spec:
              http:
              - match: [{uri: {prefix: /orders/new} }]
                route: [{destination: {host: web, subset: v2} }]
              - route: [{destination: {host: web, subset: v1} }]
            """);
        await mesh.RuleAsync("""
            - match: [{uri: {prefix: /orders} }]
              delegate: {name: orders}
            - directResponse: {status: 418}
            """);
        Assert.Equal(["v2"], (await mesh.VersionsAsync("http://web/orders/new", 20)).Keys);
        Assert.Equal(["v1"], (await mesh.VersionsAsync("http://web/orders/1", 20)).Keys);
        Assert.Equal(["418"], (await mesh.StatusesAsync("http://web/other", 4)).Keys);
        (await mesh.Namespace.KubectlAsync("patch", "virtualservice/orders", "--type=json", "-p", """[{"op":"remove","path":"/spec/http/0"}]""")).Succeeded();
        await mesh.Namespace.EventuallyAsync("the delegate's change holds", async () => (await mesh.VersionsAsync("http://web/orders/new", 10)).Keys.SequenceEqual(["v1"]));
    }

    [Fact]
    public async Task A_service_without_endpoints_refuses_unless_a_rule_has_another_place()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.Namespace.ApplyAsync("""
            apiVersion: v1
            kind: Service
            metadata: {name: empty}
            spec: {selector: {app: nobody}, ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 9090, targetPort: 8080}]}
            """);
        // 7: could not connect (curl(1)).
        async Task RefusesAsync(string why)
        {
            foreach (var port in (int[])[80, 9090])
                await mesh.Namespace.EventuallyAsync($"port {port} is refused {why}", async () => (await mesh.ClientAsync($"curl -s -m 5 http://empty:{port}/; echo $?")).Trim() == "7");
        }

        await RefusesAsync("without a rule");
        await mesh.ProgrammedAsync("virtualservice/empty", """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: empty}
            spec: {hosts: [empty], http: [{route: [{destination: {host: web} }]}]}
            """);
        await mesh.Namespace.EventuallyAsync("the rule's place answers", async () => (await mesh.StatusesAsync("http://empty/", 5)).Keys.SequenceEqual(["200"]));
        (await mesh.Namespace.KubectlAsync("delete", "virtualservice", "empty")).Succeeded();
        await RefusesAsync("again");

        // A client that tries again is refused until there is an endpoint, and served from then on.
        var trying = mesh.ClientAsync("for i in $(seq 3000); do code=$(curl -s -m 5 -o /dev/null -w '%{http_code}' http://empty/); echo $code; [ $code != 200 ] || break; sleep 0.02; done");
        await mesh.Namespace.ApplyAsync(MeshNamespace.Echo("nobody", "v1"));
        Assert.Equal(["000", "200"], (await trying).Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct());
        Assert.Equal(["200"], (await mesh.StatusesAsync("http://empty/", 50)).Keys);
    }

    [Fact]
    public async Task Bytes_are_shared_out_and_TLS_goes_by_the_name_that_it_says()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.Namespace.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: db}
            spec: {selector: {app: db}, ports: [{name: tcp, port: 5000}, {name: tls, port: 443, targetPort: 5443}]}
            ---
            {{Scripted.Deployment("db", "v1", Database("one"), port: 5443)}}
            ---
            {{Scripted.Deployment("db", "v2", Database("two"), port: 5443)}}
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: db}
            spec: {host: db, subsets: [{name: v1, labels: {version: v1} }, {name: v2, labels: {version: v2} }]}
            """);
        foreach (var name in new[] { "db-v1", "db-v2" })
            await mesh.Namespace.RolledOutAsync(name);
        await mesh.ProgrammedAsync("virtualservice/db", """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: db}
            spec:
              hosts: [db, one.example.com, "*.two.example.com"]
              tcp:
              - match: [{port: 5000}]
                route:
                - {destination: {host: db, port: {number: 5000}, subset: v1}, weight: 75}
                - {destination: {host: db, port: {number: 5000}, subset: v2}, weight: 25}
              tls:
              - match: [{port: 443, sniHosts: [one.example.com]}]
                route: [{destination: {host: db, port: {number: 443}, subset: v1} }]
              - match: [{port: 443, sniHosts: ["*.two.example.com"]}]
                route: [{destination: {host: db, port: {number: 443}, subset: v2} }]
            """);
        var greetings = MeshNamespace.Counted(await mesh.ClientAsync("for i in $(seq 80); do socat -T 5 - TCP:db:5000 < /dev/null; done | sort | uniq -c"));
        Assert.Equal(80, greetings.Values.Sum());
        Assert.InRange(greetings["one"], 46, 74);
        Task<string> TlsAsync(string name) => mesh.ClientAsync($"openssl s_client -connect db:443 -servername {name} -quiet -no_ign_eof < /dev/null 2>&1 | grep -o 'CN *= *[a-z]*' | head -1; true");
        await mesh.Namespace.EventuallyAsync("TLS is served", async () => (await TlsAsync("one.example.com")).Length > 0);
        Assert.EndsWith("one\n", await TlsAsync("one.example.com"), StringComparison.Ordinal);
        Assert.EndsWith("two\n", await TlsAsync("a.two.example.com"), StringComparison.Ordinal);
        // A name that no rule has goes to the host itself.
        Assert.NotEqual("", await TlsAsync("three.example.com"));

        static string Database(string name) =>
            $"cd /tmp; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -subj /CN={name} -days 1; socat TCP-LISTEN:5000,fork,reuseaddr 'SYSTEM:echo {name}' & exec openssl s_server -accept 5443 -cert cert.pem -key key.pem -www";
    }

    [Fact]
    public async Task A_host_outside_is_called_by_its_name_and_others_are_not_where_only_known_ones_may_be()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster, clientNode: 2);
        // Outside of the mesh: a process of the machine.
        await mesh.MachineAsync("mkdir /tmp/www; cd /tmp/www; echo of the machine > index.html; exec python3 -m http.server 18999", port: 18999);
        var address = await mesh.Namespace.GetAsync("{.items[0].status.podIP}", "pods", "-l", "app=machine");
        Task<string> NamedAsync() => mesh.ClientAsync("curl -s -m 5 http://203.0.113.9/; true");
        Task<string> DirectAsync() => mesh.ClientAsync($"curl -s -m 5 http://{address}:18999/; true");
        Assert.Equal("of the machine\n", await DirectAsync());
        await mesh.ProgrammedAsync("sidecar/default", """
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: default}
            spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY} }
            """);
        Assert.Equal("", await DirectAsync());
        Assert.Equal("", await NamedAsync());
        Assert.Equal(["200"], (await mesh.StatusesAsync("http://web/", 4)).Keys);
        await mesh.ProgrammedAsync("serviceentry/api", $$"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: api}
            spec:
              hosts: [api.example.com]
              addresses: [203.0.113.9]
              location: MESH_EXTERNAL
              resolution: STATIC
              ports: [{number: 80, name: http, protocol: HTTP, targetPort: 18999}]
              endpoints: [{address: {{address}} }]
            """);
        Assert.Equal("of the machine\n", await NamedAsync());

        // The same machine as a workload that is chosen by its labels.
        await mesh.Namespace.ApplyAsync($$"""
            apiVersion: networking.istio.io/v1
            kind: WorkloadEntry
            metadata: {name: machine}
            spec: {address: {{address}}, labels: {app: legacy} }
            """);
        await mesh.ProgrammedAsync("serviceentry/api", """
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: api}
            spec:
              hosts: [api.example.com]
              addresses: [203.0.113.9]
              location: MESH_INTERNAL
              resolution: STATIC
              ports: [{number: 80, name: http, protocol: HTTP, targetPort: 18999}]
              workloadSelector: {labels: {app: legacy} }
            """);
        await mesh.Namespace.EventuallyAsync("the workload serves", async () => await NamedAsync() == "of the machine\n");
        (await mesh.Namespace.KubectlAsync("delete", "workloadentry/machine")).Succeeded();
        await mesh.Namespace.EventuallyAsync("nobody serves", async () => await NamedAsync() != "of the machine\n");
    }

    [Fact]
    public async Task Who_imports_a_host_reaches_it_and_others_do_not()
    {
        await using var mesh = await MeshNamespace.CreateAsync(cluster);
        await mesh.Namespace.ApplyAsync("""
            apiVersion: v1
            kind: Service
            metadata: {name: other}
            spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 9090}]}
            """);
        await mesh.ProgrammedAsync("sidecar/default", """
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: default}
            spec:
              workloadSelector: {labels: {app: client} }
              egress: [{hosts: ["./web.*", "istio-system/*"]}]
              outboundTrafficPolicy: {mode: REGISTRY_ONLY}
            """.Replace("./web.*", $"./web.{mesh.Name}.svc.cluster.local", StringComparison.Ordinal));
        Assert.Equal(["200"], (await mesh.StatusesAsync("http://web/", 4)).Keys);
        Assert.Equal(["502"], (await mesh.StatusesAsync("http://other/", 4)).Keys);
        Assert.Equal("", await mesh.ClientAsync("socat -T 3 - TCP:other:9090 < /dev/null; true"));
        (await mesh.Namespace.KubectlAsync("delete", "sidecar/default")).Succeeded();
        await mesh.Namespace.EventuallyAsync("the other is reached", async () => (await mesh.StatusesAsync("http://other/", 4)).Keys.SequenceEqual(["200"]));
        Assert.NotEqual("", await mesh.ClientAsync("socat -T 3 - TCP:other:9090 < /dev/null; true"));
    }
}
