using Weft.Api.Core;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Testing;

namespace Weft.Control.Tests.Mesh.Feed;

/// <summary>From objects to units and back to statuses, with the real server, its access rules and its schemas.</summary>
public sealed class MeshFeedTests
{
    private const string Web = """
        {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{name: http, port: 80}]}}
        """;

    private const string Routes = """
        apiVersion: networking.istio.io/v1alpha3
        kind: VirtualService
        metadata: {name: web}
        spec:
          hosts: [web]
          http:
          - match: [{uri: {prefix: /old}}]
            redirect: {uri: /new}
          - route: [{destination: {host: web}}]
        """;

    private const string Host = "web.default.svc.cluster.local";

    private static string MeshConfig(string text) => $$"""
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: istio, namespace: istio-system}
        data: {mesh: "{{text}}"}
        """;

    [Fact]
    public async Task The_mesh_configuration_names_collectors_and_what_is_wrong_with_it_is_told_while_what_held_before_goes_on()
    {
        await using var world = await MeshWorld.StartAsync("{apiVersion: v1, kind: Namespace, metadata: {name: istio-system}}");
        var proxy = world.Proxy();
        await world.ApplyAsync(MeshConfig("extensionProviders: [{name: otel, opentelemetry: {service: web, port: 4317}}]"));
        await Eventually.TrueAsync(() => proxy.Find<TelemetryUnit>(UnitKind.Telemetry, "mesh") is { Collectors.Count: 1 });

        await world.ApplyAsync(MeshConfig("extensionProviders: [{name: otel}, {name: otel}]"));
        await Eventually.TrueAsync(async () => (await world.Cluster.Client.For<Event>().ListAsync("istio-system", CancellationToken.None)).Items
            .Any(told => told.Reason == "MeshConfigInvalid" && told.InvolvedObject.Name == "istio" && told.Message!.Contains("extensionProviders[1].name: 'otel' is there twice", StringComparison.Ordinal)));
        Assert.Single(proxy.Find<TelemetryUnit>(UnitKind.Telemetry, "mesh")!.Collectors);

        await world.ApplyAsync("""
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: {name: traced, namespace: default}
            spec: {tracing: [{providers: [{name: otel}], randomSamplingPercentage: 100}]}
            """);
        await world.BecomesAsync("Telemetry", "traced", "Accepted", "True Accepted 1");
        await world.BecomesAsync("Telemetry", "traced", "Programmed", "True Programmed 1");
        await world.ApplyAsync("""
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: {name: wrong, namespace: default}
            spec: {selector: {matchLabels: {app: x}}, tracing: [{providers: [{name: none}]}]}
            """);
        await world.BecomesAsync("Telemetry", "wrong", "Accepted", "False Invalid 1");
    }

    [Fact]
    public async Task A_change_becomes_units_and_they_go_with_it()
    {
        await using var world = await MeshWorld.StartAsync(Web);
        var proxy = world.Proxy();
        await Eventually.TrueAsync(() => proxy.Find<DestinationUnit>(UnitKind.Destination, Host) is { Ports.Count: 1 });
        Assert.Single(proxy.Find<RouteTableConfig>(UnitKind.Routes, Host + ":80")!.Hosts[0].Routes);

        await world.ApplyAsync(Routes);
        await Eventually.TrueAsync(() => proxy.Find<RouteTableConfig>(UnitKind.Routes, Host + ":80")!.Hosts[0].Routes.Count == 2);
        await world.DeleteAsync("VirtualService", "web");
        await Eventually.TrueAsync(() => proxy.Find<RouteTableConfig>(UnitKind.Routes, Host + ":80")!.Hosts[0].Routes.Count == 1);
        await world.DeleteAsync("Service", "web");
        await Eventually.TrueAsync(() => !proxy.Units.Keys.Any(key => key.Name.StartsWith("web.", StringComparison.Ordinal)));
        Assert.Empty(world.Cluster.Complaints);
    }

    [Fact]
    public async Task A_host_without_addresses_is_given_one_that_its_status_keeps_whatever_comes_and_goes_and_starts_anew()
    {
        static string Entry(string name) => $$"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: {{name}}}
            spec: {hosts: [{{name}}.example], resolution: DNS, ports: [{number: 5432, name: tcp, protocol: TCP}]}
            """;
        await using var world = await MeshWorld.StartAsync(Entry("one"));
        var proxy = world.Proxy();
        string? Given(string name) => proxy.Find<DestinationUnit>(UnitKind.Destination, name + ".example")?.Answer is { Allocated: true } answer ? answer.Addresses[0] : null;
        async Task<string?> WrittenAsync(string name) => (string?)(await world.GetAsync("ServiceEntry", name))["status"]?["addresses"]?[0]?["value"];

        await Eventually.TrueAsync(() => Given("one") is not null);
        var one = Given("one");
        Assert.Equal(one, await WrittenAsync("one"));
        await world.BecomesAsync("ServiceEntry", "one", "Programmed", "True Programmed 1");
        Assert.Equal(one, await WrittenAsync("one"));

        // One that claims the same, as a copy of the first would, gets another.
        await world.ApplyAsync(Entry("two"));
        await Eventually.TrueAsync(() => Given("two") is not null);
        await world.SetStatusAsync("ServiceEntry", "two", $$"""{"addresses": [{"host": "two.example", "value": "{{one}}"}]}""");
        await Eventually.TrueAsync(async () => await WrittenAsync("two") is { } two && two != one && Given("two") == two);
        Assert.Equal(one, Given("one"));

        await world.RestartAsync();
        proxy = world.Proxy("p2");
        await Eventually.TrueAsync(() => Given("one") == one);
        await world.ApplyAsync(Entry("one").Replace("resolution: DNS", "addresses: [192.0.2.1], resolution: DNS", StringComparison.Ordinal));
        await Eventually.TrueAsync(async () => await WrittenAsync("one") is null && proxy.Find<DestinationUnit>(UnitKind.Destination, "one.example") is { Answer: { Allocated: false } });
        Assert.Empty(world.Cluster.Complaints);
    }

    [Fact]
    public async Task Conditions_follow_what_proxies_acknowledge()
    {
        await using var world = await MeshWorld.StartAsync(Web);
        var slow = world.Proxy("slow", answers: false);
        world.Proxy("quick");
        await world.ApplyAsync(Routes);
        await world.BecomesAsync("VirtualService", "web", "Programmed", "False Pending 1");
        Assert.Equal("True Accepted 1", await world.ConditionAsync("VirtualService", "web", "Accepted"));
        slow.Answer();
        await world.BecomesAsync("VirtualService", "web", "Programmed", "True Programmed 1");

        // Each generation anew; one that comes later makes nothing undone.
        world.Proxy("new", answers: false);
        Assert.Equal("True Programmed 1", await world.ConditionAsync("VirtualService", "web", "Programmed"));
        await world.ApplyAsync(Routes.Replace("/new", "/newer", StringComparison.Ordinal));
        await world.BecomesAsync("VirtualService", "web", "Programmed", "False Pending 2");
        Assert.Equal(2, (long)(await world.GetAsync("VirtualService", "web"))["status"]!["observedGeneration"]!);
    }

    [Fact]
    public async Task What_a_proxy_refuses_is_told_to_the_objects_it_was_made_of_and_to_no_other()
    {
        await using var world = await MeshWorld.StartAsync(Web);
        var proxy = world.Proxy();
        proxy.Refused = new(UnitKind.Routes, Host + ":80");
        await world.ApplyAsync(Routes);
        await world.ApplyAsync("{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: out}, spec: {hosts: [out.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}}");
        await world.BecomesAsync("VirtualService", "web", "Programmed", "False Rejected 1");
        Assert.Contains("proxy p1 does not use Routes/web.default.svc.cluster.local:80: hosts[0] not by me", (string)MeshWorld.Condition(await world.GetAsync("VirtualService", "web"), "Programmed")!["message"]!, StringComparison.Ordinal);
        await world.BecomesAsync("ServiceEntry", "out", "Programmed", "True Programmed 1");

        proxy.Refused = null;
        await world.ApplyAsync(Routes.Replace("/new", "/newer", StringComparison.Ordinal));
        await world.BecomesAsync("VirtualService", "web", "Programmed", "True Programmed 2");
    }

    [Fact]
    public async Task A_bad_object_is_told_so_and_the_others_stay()
    {
        await using var world = await MeshWorld.StartAsync(Web + "\n---\n" + Routes);
        var proxy = world.Proxy();
        await world.BecomesAsync("VirtualService", "web", "Programmed", "True Programmed 1");
        await world.ApplyAsync("""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: bad}
            spec:
              hosts: [other]
              gateways: [nowhere]
              http: [{route: [{destination: {host: nobody}}]}]
            """);
        await world.BecomesAsync("VirtualService", "bad", "Accepted", "False Invalid 1");
        var bad = await world.GetAsync("VirtualService", "bad");
        Assert.Contains("spec.gateways[0]: there is no Gateway default/nowhere", (string)MeshWorld.Condition(bad, "Accepted")!["message"]!, StringComparison.Ordinal);
        Assert.Equal("False", (string)MeshWorld.Condition(bad, "Programmed")!["status"]!);
        var message = bad["status"]!["validationMessages"]!.AsArray().First(message => (string)message!["field"]! == "spec.gateways[0]")!;
        Assert.Equal(("ERROR", "WEFT0001"), ((string)message["level"]!, (string)message["type"]!["code"]!));
        Assert.Equal("True Programmed 1", await world.ConditionAsync("VirtualService", "web", "Programmed"));
        Assert.Equal(2, proxy.Find<RouteTableConfig>(UnitKind.Routes, Host + ":80")!.Hosts[0].Routes.Count);

        // What was missing comes: nothing of the object itself has changed.
        await world.ApplyAsync("{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: nowhere}, spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}}");
        await world.ApplyAsync("{apiVersion: v1, kind: Service, metadata: {name: nobody}, spec: {ports: [{port: 80}]}}");
        await world.BecomesAsync("VirtualService", "bad", "Accepted", "True Accepted 1");
        await world.BecomesAsync("VirtualService", "bad", "Programmed", "True Programmed 1");
        Assert.Empty((await world.GetAsync("VirtualService", "bad"))["status"]!["validationMessages"] as System.Text.Json.Nodes.JsonArray ?? []);
    }

    [Fact]
    public async Task A_start_anew_writes_nothing_where_nothing_has_changed()
    {
        await using var world = await MeshWorld.StartAsync(Web + "\n---\n" + Routes);
        world.Proxy();
        await world.ApplyAsync("{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: web}, spec: {host: web, trafficPolicy: {loadBalancer: {simple: RANDOM}, tunnel: {targetHost: a.example, targetPort: 80}}}}");
        await world.ApplyAsync("{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: none}, spec: {host: web, workloadSelector: {matchLabels: {a: b}}}}");
        await world.BecomesAsync("VirtualService", "web", "Programmed", "True Programmed 1");
        await world.BecomesAsync("DestinationRule", "web", "Programmed", "True Programmed 1");
        await world.BecomesAsync("DestinationRule", "web", "PartiallyInvalid", "True UnsupportedValue 1");
        await world.BecomesAsync("DestinationRule", "none", "Accepted", "False Unsupported 1");
        await world.BecomesAsync("DestinationRule", "none", "Programmed", "False Unsupported 1");
        var before = ((await world.GetAsync("VirtualService", "web"))["metadata"]!["resourceVersion"]!, (await world.GetAsync("DestinationRule", "web"))["metadata"]!["resourceVersion"]!, (await world.GetAsync("DestinationRule", "none"))["metadata"]!["resourceVersion"]!);
        await world.RestartAsync();
        // A later object has its status, so the earlier ones have been looked at, too.
        var proxy = world.Proxy();
        await world.ApplyAsync("{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {name: last}, spec: {egress: [{hosts: ['*/*']}]}}");
        await world.BecomesAsync("Sidecar", "last", "Programmed", "True Programmed 1");
        Assert.NotEmpty(proxy.Units);
        Assert.Equal(before.Item1.ToString(), (await world.GetAsync("VirtualService", "web"))["metadata"]!["resourceVersion"]!.ToString());
        Assert.Equal(before.Item2.ToString(), (await world.GetAsync("DestinationRule", "web"))["metadata"]!["resourceVersion"]!.ToString());
        Assert.Equal(before.Item3.ToString(), (await world.GetAsync("DestinationRule", "none"))["metadata"]!["resourceVersion"]!.ToString());
    }

    [Fact]
    public async Task Labels_of_pods_and_namespaces_and_places_of_nodes_become_workloads()
    {
        await using var world = await MeshWorld.StartAsync("""
            {apiVersion: v1, kind: Node, metadata: {name: n1, annotations: {weft.dev/mesh: "on"}, labels: {topology.kubernetes.io/region: eu, topology.kubernetes.io/zone: eu-1}}}
            ---
            {apiVersion: v1, kind: ServiceAccount, metadata: {name: default}}
            ---
            {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {publishNotReadyAddresses: true, selector: {app: web}, ports: [{name: http, port: 80}]}}
            ---
            {apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {nodeName: n1, tolerations: [{operator: Exists}], containers: [{name: main, image: web}]}}
            """);
        var proxy = world.Proxy();
        await world.SetStatusAsync("Pod", "web", """{"phase":"Running","podIP":"10.244.0.7","podIPs":[{"ip":"10.244.0.7"}],"conditions":[{"type":"Ready","status":"True"}]}""");
        await Eventually.TrueAsync(() => proxy.Find<WorkloadUnit>(UnitKind.Workload, "default/web") is { Node: "n1", Identity: "spiffe://cluster.local/ns/default/sa/default" });
        await Eventually.TrueAsync(() => Endpoint(proxy) is { Locality: { Region: "eu", Zone: "eu-1" }, Identity: not null });

        await world.ApplyAsync("{apiVersion: v1, kind: Namespace, metadata: {name: default, labels: {istio-injection: disabled}}}");
        await Eventually.TrueAsync(() => proxy.Find<WorkloadUnit>(UnitKind.Workload, "default/web") is { Identity: null });
        await world.ApplyAsync("{apiVersion: v1, kind: Node, metadata: {name: n1, annotations: {weft.dev/mesh: 'on'}, labels: {topology.kubernetes.io/region: eu, topology.kubernetes.io/zone: eu-2}}}");
        await Eventually.TrueAsync(() => proxy.Find<NodeUnit>(UnitKind.Node, "n1") is { Locality: { Region: "eu", Zone: "eu-2" } });
        await Eventually.TrueAsync(() => Endpoint(proxy) is { Locality.Zone: "eu-2", Identity: null }, state: () => $"{Endpoint(proxy)} of {string.Join(' ', proxy.Units.Keys)}");
        await world.DeleteAsync("Pod", "web");

        static EndpointConfig? Endpoint(FakeProxy proxy) => proxy.Units.Values.Where(unit => unit.Key.Kind == UnitKind.Backends)
            .Select(unit => (BackendsUnit)UnitCodec.Read(unit)).SelectMany(unit => unit.Ports).SelectMany(port => port.Endpoints).FirstOrDefault(endpoint => endpoint.Address == "10.244.0.7");
    }

    [Fact]
    public async Task A_pod_is_in_the_mesh_as_long_as_its_node_says_that_it_captures()
    {
        const string Node = "{apiVersion: v1, kind: Node, metadata: {name: n1}}";
        await using var world = await MeshWorld.StartAsync(Node + """

            ---
            {apiVersion: v1, kind: ServiceAccount, metadata: {name: default}}
            ---
            {apiVersion: v1, kind: Pod, metadata: {name: web, labels: {weft.dev/mesh: enabled}}, spec: {nodeName: n1, tolerations: [{operator: Exists}], containers: [{name: main, image: web}]}}
            """);
        var proxy = world.Proxy();
        await world.SetStatusAsync("Pod", "web", """{"phase":"Running","podIP":"10.244.0.7","podIPs":[{"ip":"10.244.0.7"}],"conditions":[{"type":"Ready","status":"True"}]}""");
        await Eventually.TrueAsync(() => proxy.Find<WorkloadUnit>(UnitKind.Workload, "default/web") is { Identity: null });

        foreach (var (said, isMeshed) in ((string, bool)[])[("on", true), ("off", false), ("on", true)])
        {
            await world.ApplyAsync(Node.Replace("name: n1", $"name: n1, annotations: {{weft.dev/mesh: '{said}'}}", StringComparison.Ordinal));
            await Eventually.TrueAsync(() => proxy.Find<WorkloadUnit>(UnitKind.Workload, "default/web") is { } unit && unit.Identity is not null == isMeshed);
        }
    }

    [Fact]
    public async Task What_holds_for_the_whole_mesh_is_in_a_config_map_and_a_broken_one_changes_nothing()
    {
        await using var world = await MeshWorld.StartAsync("""
            {apiVersion: v1, kind: Namespace, metadata: {name: istio-system}}
            ---
            {apiVersion: v1, kind: Service, metadata: {name: authz}, spec: {ports: [{name: http, port: 8000}]}}
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: ask}
            spec: {action: CUSTOM, provider: {name: guard}, rules: [{}]}
            """);
        var proxy = world.Proxy();
        await Eventually.TrueAsync(() => proxy.Find<PolicyUnit>(UnitKind.Policy, "default/ask") is { Authorization.Action: AuthorizationAction.Deny });
        await world.ApplyAsync(Mesh("extensionProviders: [{name: guard, envoyExtAuthzHttp: {service: authz.default.svc.cluster.local, port: 8000}}]"));
        await Eventually.TrueAsync(() => proxy.Find<PolicyUnit>(UnitKind.Policy, "default/ask") is { External.Cluster: "authz.default.svc.cluster.local:8000" });
        await world.BecomesAsync("AuthorizationPolicy", "ask", "Accepted", "True Accepted 1");

        await world.ApplyAsync(Mesh("{"));
        await world.ApplyAsync("{apiVersion: v1, kind: Service, metadata: {name: later}, spec: {ports: [{port: 80}]}}");
        await Eventually.TrueAsync(() => proxy.Find<DestinationUnit>(UnitKind.Destination, "later.default.svc.cluster.local") is not null);
        Assert.NotNull(proxy.Find<PolicyUnit>(UnitKind.Policy, "default/ask")!.External);
        await world.DeleteAsync("ConfigMap", "istio", "istio-system");
        await Eventually.TrueAsync(() => proxy.Find<PolicyUnit>(UnitKind.Policy, "default/ask") is { Authorization.Action: AuthorizationAction.Deny });

        static string Mesh(string text) => $"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: istio, namespace: istio-system}}, data: {{mesh: \"{text}\"}}}}";
    }

    [Fact]
    public async Task The_seeds_are_served_as_they_stand()
    {
        await using var world = await MeshWorld.StartAsync();
        var proxy = world.Proxy();
        foreach (var file in Directory.EnumerateFiles(Seeds.Folder()).Order(StringComparer.Ordinal))
            await world.ApplyAsync(File.ReadAllText(file));
        await world.BecomesAsync("DestinationRule", "hello-world", "Programmed", "True Programmed 1");
        await world.BecomesAsync("Policy", "nginx", "Programmed", "True Programmed 1");
        await world.BecomesAsync("VirtualService", "nginx", "Accepted", "False Invalid 1");
        var nginx = MeshWorld.Condition(await world.GetAsync("VirtualService", "nginx"), "Accepted")!["message"]!.ToString();
        Assert.Contains("spec.gateways[0]: there is no Gateway default/nginx-gateway; create it", nginx, StringComparison.Ordinal);
        Assert.Contains("spec.http[0].rewrite.regex: is an old form", nginx, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_definition_that_lacks_the_newest_version_is_followed_in_an_older_one()
    {
        await using var world = await MeshWorld.StartAsync(Web);
        var proxy = world.Proxy();
        var path = new Weft.Client.ApiResource(new("apiextensions.k8s.io", "v1", "customresourcedefinitions"), "CustomResourceDefinition", false);
        var definitions = world.Cluster.Client.Raw(path);
        const string Name = "virtualservices.networking.istio.io";
        var own = await definitions.GetAsync(new("", Name), CancellationToken.None);
        await definitions.DeleteAsync(new("", Name), CancellationToken.None);
        await Eventually.TrueAsync(async () => await definitions.FindAsync(new("", Name), CancellationToken.None) is null);
        // As installations before 1.22 have it.
        own["metadata"] = new System.Text.Json.Nodes.JsonObject { ["name"] = Name };
        var versions = own["spec"]!["versions"]!.AsArray();
        versions.RemoveAt(0);
        versions[0]!["storage"] = true;
        await definitions.CreateAsync(null, own, CancellationToken.None);
        await Eventually.TrueAsync(async () => (await definitions.GetAsync(new("", Name), CancellationToken.None))["status"]?["conditions"]?.AsArray().Any(condition => (string)condition!["type"]! == "Established" && (string)condition["status"]! == "True") == true);

        await world.ApplyAsync(Routes);
        await Eventually.TrueAsync(() => proxy.Find<RouteTableConfig>(UnitKind.Routes, Host + ":80")!.Hosts[0].Routes.Count == 2);
        await world.BecomesAsync("VirtualService", "web", "Programmed", "True Programmed 1", "v1beta1");
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{hosts: web}")]
    [InlineData("{hosts: null}")]
    [InlineData("{hosts: [web], http: null, tls: null, tcp: null}")]
    [InlineData("{hosts: [web], http: [{route: [{destination: {host: web}, weight: 99999999999}]}]}")]
    public async Task What_a_users_definition_lets_in_costs_only_itself(string spec)
    {
        await using var world = await MeshWorld.StartAsync(Web);
        var proxy = world.Proxy();
        var definitions = world.Cluster.Client.Raw(new(new("apiextensions.k8s.io", "v1", "customresourcedefinitions"), "CustomResourceDefinition", false));
        var key = new Weft.Api.ObjectKey("", "virtualservices.networking.istio.io");
        var open = System.Text.Json.Nodes.JsonNode.Parse("""[{"op":"replace","path":"/spec/versions/0/schema/openAPIV3Schema","value":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}]""")!.AsArray();
        await definitions.PatchAsync(key, Weft.Client.Patch.Json(open), CancellationToken.None);
        // Until the server lets anything in.
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                await world.ApplyAsync("{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: odd}, spec: " + spec + "}");
                return true;
            }
            catch (Weft.Client.ApiStatusException)
            {
                return false;
            }
        });
        await world.ApplyAsync(Routes.Replace("v1alpha3", "v1", StringComparison.Ordinal));
        await world.BecomesAsync("VirtualService", "web", "Programmed", "True Programmed 1");
        Assert.Contains(proxy.Find<RouteTableConfig>(UnitKind.Routes, Host + ":80")!.Hosts[0].Routes, route => route.Action is RedirectAction);
        await Eventually.TrueAsync(async () => (await world.ConditionAsync("VirtualService", "odd", "Accepted")).Length > 0);
    }

    [Fact]
    public async Task A_service_mesh_adds_a_zone_and_takes_it_away()
    {
        await using var world = await MeshWorld.StartAsync();
        var proxy = world.Proxy();
        await world.ApplyAsync(File.ReadAllText(Path.Combine(Seeds.Folder(), "001-servicemesh-linkerd.yaml")));
        await Eventually.TrueAsync(() => proxy.Find<ZoneUnit>(UnitKind.Zone, "linkerd.local") is not null);
        await Eventually.TrueAsync(async () => MeshWorld.Condition(await world.GetAsync("ServiceMesh", "linkerd", ""), "Programmed")?["status"]?.ToString() == "True");
        await world.DeleteAsync("ServiceMesh", "linkerd", "");
        await Eventually.TrueAsync(() => proxy.Find<ZoneUnit>(UnitKind.Zone, "linkerd.local") is null);
    }

    // As Istio's own are, applied over the program's while the mesh runs.
    [Fact]
    public async Task Definitions_of_others_leave_the_routes_as_they_are_and_the_statuses_whole()
    {
        await using var world = await MeshWorld.StartAsync(Web);
        var proxy = world.Proxy();
        await world.ApplyAsync(Routes);
        await world.BecomesAsync("VirtualService", "web", "Programmed", "True Programmed 1");
        var before = proxy.Units;
        var definitions = world.Cluster.Client.Raw(new(new("apiextensions.k8s.io", "v1", "customresourcedefinitions"), "CustomResourceDefinition", false));
        foreach (var definition in Api.Istio.MeshKinds.All().Select(StrictDefinitions.Of))
            await definitions.ApplyAsync(new("", (string)definition["metadata"]!["name"]!), definition, "helm", CancellationToken.None);

        await world.ApplyAsync("""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: other}
            spec: {hosts: [other], http: [{rewrite: {regex: (.*), replacement: $1}, route: [{destination: {host: web, subset: none}}]}]}
            """);
        await world.BecomesAsync("VirtualService", "other", "Accepted", "False Invalid 1");
        await Eventually.TrueAsync(async () => (await world.GetAsync("VirtualService", "other"))["status"]?["validationMessages"] is System.Text.Json.Nodes.JsonArray { Count: > 0 } messages
            && messages.All(message => message!["message"] is not null && message["field"] is not null));
        await world.BecomesAsync("VirtualService", "web", "Programmed", "True Programmed 1");
        Assert.All(before, unit => Assert.Equal(unit.Value.Hash, proxy.Units.GetValueOrDefault(unit.Key)?.Hash));
    }
}
