using System.Net;
using System.Text.Json.Nodes;
using Weft.Cli.Mesh;
using Weft.Cli.Objects;
using Weft.Client;
using Weft.Testing;

namespace Weft.Cli.Tests.Mesh;

public sealed class AnalyzeCommandTests : IDisposable
{
    private readonly TempDir _folder = new();
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();

    public void Dispose() => _folder.Dispose();

    private const string Service = "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{name: http, port: 80}]}}";
    private const string Good = "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: web}, spec: {hosts: [web], http: [{route: [{destination: {host: web}}]}]}}";
    private const string Bad = "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: bad, namespace: shop}, spec: {hosts: [web], gateways: [nowhere], http: [{route: [{destination: {host: web}}]}]}}";

    private string File(params string[] manifests)
    {
        var file = Path.Combine(_folder.Path, Path.GetRandomFileName() + ".yaml");
        System.IO.File.WriteAllText(file, string.Join("\n---\n", manifests));
        return file;
    }

    private Task<int> RunAsync(string file, string? @namespace = null, bool isJson = false, KubeClient? cluster = null) =>
        new AnalyzeCommand(cluster, _output, _errors).RunAsync(new([file], @namespace, isJson), CancellationToken.None);

    [Fact]
    public async Task What_is_well_is_said_and_is_no_error()
    {
        Assert.Equal(0, await RunAsync(File(Service, Good)));
        Assert.Equal("nothing to say about 2 objects\n", _output.ToString());
    }

    [Fact]
    public async Task An_error_is_told_with_object_field_and_advice()
    {
        Assert.Equal(1, await RunAsync(File(Service, Good, Bad)));
        Assert.Contains("error       VirtualService shop/bad  spec.gateways[0]\n            there is no Gateway shop/nowhere\n            -> create it, or name another as namespace/name\n", _output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("default/web", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ingresses_and_policies_of_the_front_door_are_looked_at_and_a_Secret_that_was_not_given_is_not_missed()
    {
        const string Ingress = "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, annotations: {weft.dev/jwt-policy: NAME}}, spec: {rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}}";
        const string Policy = "{apiVersion: weft.dev/v1, kind: JwtPolicy, metadata: {name: users}, spec: {issuers: [{issuer: login, jwksFrom: {secretRef: {name: keys}}}]}}";
        Assert.Equal(0, await RunAsync(File(Service, Ingress.Replace("NAME", "users", StringComparison.Ordinal), Policy)));
        Assert.Equal("nothing to say about 3 objects\n", _output.ToString());
        Assert.Equal(1, await RunAsync(File(Service, Ingress.Replace("NAME", "gone", StringComparison.Ordinal), Policy)));
        Assert.Contains("error       Ingress default/web  metadata.annotations[weft.dev/jwt-policy]\n            there is no JwtPolicy 'gone'", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, await RunAsync(File(Policy.Replace("jwksFrom: {secretRef: {name: keys}}", "jwks: none, jwksUri: \"https://a.example\"", StringComparison.Ordinal))));
        Assert.Contains("has one of jwks, jwksUri and jwksFrom", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_has_the_same()
    {
        Assert.Equal(1, await RunAsync(File(Bad), isJson: true));
        var found = JsonNode.Parse(_output.ToString())!.AsArray().Single(item => (string)item!["field"]! == "spec.gateways[0]")!;
        Assert.Equal("""{"severity":"error","object":"VirtualService shop/bad","kind":"VirtualService","namespace":"shop","name":"bad","field":"spec.gateways[0]","message":"there is no Gateway shop/nowhere","advice":"create it, or name another as namespace/name"}""", found.ToJsonString());
    }

    [Fact]
    public async Task A_namespace_is_told_of_alone()
    {
        Assert.Equal(0, await RunAsync(File(Service, Good, Bad), @namespace: "default"));
        Assert.Equal("nothing to say about 3 objects\n", _output.ToString());
    }

    [Theory]
    [InlineData("{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: web}, spec: {hosts: [web], htp: []}}", "warning", "spec.htp", 1)]
    [InlineData("{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: web}, spec: {hosts: web}}", "error", "spec.hosts", 1)]
    [InlineData("{apiVersion: networking.istio.io/v2, kind: VirtualService, metadata: {name: web}, spec: {hosts: [web]}}", "error", "apiVersion", 1)]
    [InlineData("{apiVersion: networking.istio.io/v1alpha3, kind: EnvoyFilter, metadata: {name: web}, spec: {}}", "error", "kind", 1)]
    [InlineData("{apiVersion: linkerd.io/v1alpha1, kind: ServiceMesh, metadata: {name: mesh}, spec: {config: {service: {discovery: {enabled: true, dns: {enabled: true, domain: local}}}}}}", "error", "spec.config.service.discovery.dns.domain", 1)]
    [InlineData("{apiVersion: security.istio.io/v1beta1, kind: Policy, metadata: {name: p}, spec: {peers: [{mtls: null, mode: STRICT}]}}", "warning", "", 0)]
    [InlineData("{apiVersion: telemetry.istio.io/v1, kind: Telemetry, metadata: {name: t}, spec: {metrics: [{reportingInterval: 5s, providers: [{name: prometheus}]}]}}", "unsupported", "spec.metrics[0].reportingInterval", 0)]
    [InlineData("{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: d}, spec: {host: '*', workloadSelector: {matchLabels: {a: b}}}}", "error", "spec.workloadSelector", 1)]
    [InlineData("{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: a}, spec: {targetRefs: [{kind: Service, name: nobody}], rules: [{}]}}", "error", "spec.targetRefs[0].name", 1)]
    [InlineData("{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: g}, spec: {selector: {istio: ingress}, servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ['*']}]}}", "error", "spec.selector", 1)]
    public async Task Each_kind_of_mistake_is_found(string manifest, string severity, string field, int code)
    {
        Assert.Equal(code, await RunAsync(File(manifest), isJson: true));
        Assert.Contains(JsonNode.Parse(_output.ToString())!.AsArray(), item => (string)item!["severity"]! == severity && (string)item["field"]! == field);
    }

    // It was not looked at: a mesh that only knows its own hosts was analyzed as one that lets all pass, and providers were missing.
    [Fact]
    public async Task The_configuration_of_the_mesh_counts_and_what_is_wrong_in_it_is_told()
    {
        const string Traced = "{apiVersion: telemetry.istio.io/v1, kind: Telemetry, metadata: {name: t}, spec: {tracing: [{providers: [{name: otel}]}]}}";
        static string Config(string mesh) => $"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata:\n  mesh: |\n    {mesh}\n";
        Assert.Equal(1, await RunAsync(File(Traced)));
        Assert.Contains("otel", _output.ToString(), StringComparison.Ordinal);
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, await RunAsync(File(Traced, Config("extensionProviders: [{name: otel, opentelemetry: {service: otel.default.svc.cluster.local, port: 4317}}]"))));
        Assert.Equal("nothing to say about 2 objects\n", _output.ToString());
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, await RunAsync(File(Config("ingressClass: istio"))));
        Assert.Contains("warning     ConfigMap istio-system/istio  data.mesh\n            ingressClass has no effect", _output.ToString(), StringComparison.Ordinal);
        _output.GetStringBuilder().Clear();
        Assert.Equal(1, await RunAsync(File(Config("outboundTrafficPolicy: [mode"))));
        Assert.Contains("error       ConfigMap istio-system/istio  data.mesh\n            cannot be read, and what held before stays", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_none_is_one_sentence() =>
        Assert.Contains("cannot read", (await Assert.ThrowsAsync<CommandException>(() => RunAsync(Path.Combine(_folder.Path, "none.yaml")))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task The_clusters_objects_are_there_and_files_take_their_places()
    {
        // In the cluster: the service, and an object of the same name that is wrong.
        var served = new Dictionary<string, JsonObject>
        {
            ["/api/v1/services"] = Tree("""{"metadata":{"name":"web","namespace":"shop"},"spec":{"ports":[{"name":"http","port":80}]}}"""),
            ["/apis/networking.istio.io/v1beta1/virtualservices"] = Tree("""{"metadata":{"name":"web","namespace":"shop"},"spec":{"hosts":["web"],"gateways":["nowhere"]}}"""),
            ["/apis/networking.istio.io/v1/gateways"] = Tree("""{"metadata":{"name":"door","namespace":"shop"},"spec":{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":443,"name":"https","protocol":"HTTPS"},"hosts":["*"],"tls":{"mode":"SIMPLE","credentialName":"cert"}}]}}"""),
        };
        served["/api/v1/namespaces/istio-system/configmaps/istio"] = Tree("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"istio","namespace":"istio-system"},"data":{"mesh":"ingressClass: istio"}}""");
        using var client = new KubeClient(new Lists(served), TimeProvider.System);
        Assert.Equal(1, await new AnalyzeCommand(client, _output, _errors).RunAsync(new([], null, true), CancellationToken.None));
        Assert.Contains("there is no Gateway shop/nowhere", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("Secret istio-system/cert does not exist", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("ingressClass has no effect", _output.ToString(), StringComparison.Ordinal);

        _output.GetStringBuilder().Clear();
        await RunAsync(File(Good), @namespace: "shop", cluster: client);
        Assert.DoesNotContain("VirtualService", _output.ToString(), StringComparison.Ordinal);
    }

    private static JsonObject Tree(string json) => JsonNode.Parse(json)!.AsObject();

    /// <summary>A server with one object of a few kinds; it serves no others, and VirtualService in an older version only.</summary>
    private sealed class Lists(Dictionary<string, JsonObject> served) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var isServed = served.TryGetValue(request.RequestUri!.AbsolutePath, out var item);
            var body = isServed && item!["kind"] is not null ? item.DeepClone() : isServed
                ? new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = "1" }, ["items"] = new JsonArray(item!.DeepClone()) }
                : Tree("""{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"not served"}""");
            return Task.FromResult(new HttpResponseMessage(isServed ? HttpStatusCode.OK : HttpStatusCode.NotFound) { Content = new StringContent(body.ToJsonString()) });
        }
    }
}
