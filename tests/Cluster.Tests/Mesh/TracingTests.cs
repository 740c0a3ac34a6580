using System.Globalization;
using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Traces that the nodes' proxies send to a collector, by Istio's own settings.</summary>
[Collection(MeshClusterCollection.Name)]
public sealed class TracingTests(MeshCluster cluster) : IAsyncDisposable
{
    // What holds for the whole mesh is nobody else's here.
    public async ValueTask DisposeAsync() => (await cluster.KubectlAsync("-n", "istio-system", "delete", "configmap", "istio", "--ignore-not-found")).Succeeded();

    // Receives OTLP over HTTP, and prints each span in a line: service, kind, trace, span, parent.
    private const string Collector = """
        import http.server, sys
        def fields(data):
            at, found = 0, {}
            def varint():
                nonlocal at
                value = shift = 0
                while True:
                    byte = data[at]; at += 1
                    value |= (byte & 127) << shift; shift += 7
                    if byte < 128: return value
            while at < len(data):
                key = varint()
                if key & 7 == 0: value = varint()
                elif key & 7 == 1: value, at = data[at:at+8], at + 8
                elif key & 7 == 5: value, at = data[at:at+4], at + 4
                else:
                    length = varint()
                    value, at = data[at:at+length], at + length
                found.setdefault(key >> 3, []).append(value)
            return found
        class Receiver(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def log_message(self, *rest): pass
            def do_POST(self):
                for resource in fields(self.rfile.read(int(self.headers['content-length']))).get(1, []):
                    resource = fields(resource)
                    about = {fields(pair)[1][0]: fields(fields(pair)[2][0]).get(1, [b''])[0] for pair in fields(resource[1][0])[1]}
                    for scope in resource[2]:
                        for span in map(fields, fields(scope)[2]):
                            print('span', about[b'service.name'].decode(), {2: 'server', 3: 'client'}[span[6][0]], span[1][0].hex(), span[2][0].hex(), span.get(4, [b''])[0].hex() or '-', flush=True)
                self.send_response(200); self.send_header('content-length', '0'); self.end_headers()
        http.server.ThreadingHTTPServer(('', 4318), Receiver).serve_forever()
        """;

    // Calls the next one, as its caller's part of the trace.
    private const string App = """
        import http.server, os, urllib.request
        class App(http.server.BaseHTTPRequestHandler):
            def log_message(self, *rest): pass
            def do_GET(self):
                if os.environ.get('NEXT'):
                    sent = {name: value for name, value in self.headers.items() if name.lower() in ('traceparent', 'tracestate', 'b3')}
                    urllib.request.urlopen(urllib.request.Request(os.environ['NEXT'], headers=sent)).read()
                self.send_response(200); self.send_header('content-length', '0'); self.end_headers()
        http.server.ThreadingHTTPServer(('', 8080), App).serve_forever()
        """;

    private static string Workload(string name, int port, string script, string next = "") => $$"""
        apiVersion: v1
        kind: Service
        metadata: {name: {{name}} }
        spec: {selector: {app: {{name}} }, ports: [{name: http, port: {{port.ToString(CultureInfo.InvariantCulture)}} }]}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: {{name}} }
        data:
          main.py: |
        {{string.Join('\n', script.Split('\n').Select(line => "    " + line))}}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: {{name}} }
        spec:
          selector: {matchLabels: {app: {{name}} } }
          template:
            metadata: {labels: {app: {{name}} } }
            spec:
              runtimeClassName: process
              terminationGracePeriodSeconds: 1
              volumes: [{name: script, configMap: {name: {{name}} } }]
              containers:
              - name: main
                image: host
                command: [python3, /script/main.py]
                env: [{name: NEXT, value: "{{next}}"}]
                volumeMounts: [{name: script, mountPath: /script}]
                readinessProbe: {tcpSocket: {port: {{port.ToString(CultureInfo.InvariantCulture)}} }, periodSeconds: 1}
        """;

    [Fact]
    public async Task A_chain_of_three_is_one_trace_with_a_span_for_each_side()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync(string.Join("\n---\n",
            Workload("collector", 4318, Collector), Workload("front", 8080, App, "http://middle:8080/"), Workload("middle", 8080, App, "http://back:8080/"), Workload("back", 8080, App), TestNamespace.Deployment("client")));
        foreach (var name in (string[])["collector", "front", "middle", "back", "client"])
            await ns.RolledOutAsync(name);
        // The settings of Istio: the collector of this namespace is the mesh's.
        (await cluster.RunKubectlAsync(WeftCluster.Kubectls[0], $$"""
            apiVersion: v1
            kind: Namespace
            metadata: {name: istio-system}
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: istio, namespace: istio-system}
            data:
              mesh: |
                extensionProviders:
                - name: otel-{{ns.Name}}
                  opentelemetry: {service: collector.{{ns.Name}}.svc.cluster.local, port: 4318, http: {path: /v1/traces} }
            """, "apply", "-f", "-")).Succeeded();
        await ns.ApplyAsync($$"""
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: {name: traced}
            spec:
              tracing: [{providers: [{name: otel-{{ns.Name}} }], randomSamplingPercentage: 100}]
            """);
        (await ns.KubectlAsync("wait", "--for=condition=Programmed", "telemetry/traced", "--timeout=60s")).Succeeded();

        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736", Parent = "00f067aa0ba902b7";
        (await ns.KubectlAsync("exec", "deploy/client", "--", "sh", "-c", $"curl -sf -m 20 -H 'traceparent: 00-{Trace}-{Parent}-01' http://front:8080/")).Succeeded();
        IReadOnlyList<string[]> spans = [];
        await ns.EventuallyAsync("six spans", async () =>
            (spans = [.. (await ns.KubectlAsync("logs", "deploy/collector")).Succeeded().Split('\n').Where(line => line.Contains(Trace, StringComparison.Ordinal)).Select(line => line.Split(' '))]).Count >= 6);
        Assert.Equal(6, spans.Count);
        var parent = Parent;
        foreach (var (service, kind) in ((string, string)[])[("client", "client"), ("front", "server"), ("front", "client"), ("middle", "server"), ("middle", "client"), ("back", "server")])
        {
            var span = Assert.Single(spans, one => one[1] == service && one[2] == kind);
            Assert.Equal(parent, span[5]);
            parent = span[4];
        }
    }
}
