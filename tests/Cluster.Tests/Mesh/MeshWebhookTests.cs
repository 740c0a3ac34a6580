using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>What the server and the node ask of pods that ask everybody for mutual TLS.</summary>
[Collection(MeshClusterCollection.Name)]
public sealed class MeshWebhookTests(MeshCluster cluster)
{
    // Refuses whatever is called `bad`.
    private const string Server = """
        import http.server, json, os, ssl
        class Review(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers['content-length'])))['request']
                good = asked['name'] != 'bad'
                answer = json.dumps({'apiVersion': 'admission.k8s.io/v1', 'kind': 'AdmissionReview', 'response': {'uid': asked['uid'], 'allowed': good, 'status': {'message': 'the webhook says no'}}}).encode()
                self.send_response(200)
                self.send_header('content-type', 'application/json')
                self.send_header('content-length', str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
        server = http.server.ThreadingHTTPServer(('', 8443), Review)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain('/hook/tls.crt', '/hook/tls.key')
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.serve_forever()
        """;

    // The server asks from the first node.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_strict_namespace_serves_the_servers_webhooks_probes_and_port_forwards_and_no_process_of_the_machine(int node)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        var (certificate, key) = Certificate($"hook.{ns.Name}.svc");
        var machine = (await ns.GetAsync("{.items[*].metadata.name}", "nodes")).Split(' ').Order(StringComparer.Ordinal).ElementAt(node);
        await ns.ApplyAsync($$"""
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: default}
            spec: {mtls: {mode: STRICT} }
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: hook}
            stringData:
              tls.crt: {{JsonText(certificate)}}
              tls.key: {{JsonText(key)}}
              server.py: {{JsonText(Server)}}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: hook}
            spec: {selector: {app: hook}, ports: [{port: 443, targetPort: 8443}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: hook, labels: {app: hook} }
            spec:
              runtimeClassName: process
              terminationGracePeriodSeconds: 1
              nodeSelector: {kubernetes.io/hostname: {{machine}} }
              containers:
              - name: main
                image: host
                command: [python3, /hook/server.py]
                readinessProbe: {tcpSocket: {port: 8443}, periodSeconds: 1}
                volumeMounts: [{name: hook, mountPath: /hook}]
              volumes: [{name: hook, secret: {secretName: hook} }]
            """);
        (await ns.KubectlAsync("wait", "--for=condition=Programmed", "peerauthentication/default", "--timeout=60s")).Succeeded();
        (await ns.KubectlAsync("wait", "--for=condition=Ready", "pod/hook", "--timeout=60s")).Succeeded();
        await ns.ApplyAsync($$"""
            apiVersion: admissionregistration.k8s.io/v1
            kind: ValidatingWebhookConfiguration
            metadata: {name: {{ns.Name}} }
            webhooks:
            - name: hook.example.com
              admissionReviewVersions: [v1]
              sideEffects: None
              failurePolicy: Fail
              namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ns.Name}} } }
              rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
              clientConfig:
                caBundle: {{Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(certificate))}}
                service: {name: hook, namespace: {{ns.Name}} }
            """);
        try
        {
            await ns.EventuallyAsync("the webhook is asked", async () => (await ns.KubectlAsync("create", "configmap", "bad")).Error.Contains("the webhook says no", StringComparison.Ordinal));
            (await ns.KubectlAsync("create", "configmap", "good")).Succeeded();
            var pod = await ns.GetAsync("{.status.podIP}", "pod/hook");
            Assert.Equal("200", await ForwardedAsync(ns));
            Assert.Equal("000", (await cluster.RunAsync("/bin/sh", ["-c", $"curl -sk -m 3 -o /dev/null -w '%{{http_code}}' -d '{{}}' https://{pod}:8443/"])).Output);
        }
        finally
        {
            (await ns.KubectlAsync("delete", "validatingwebhookconfiguration", ns.Name)).Succeeded();
        }
    }

    private async Task<string> ForwardedAsync(TestNamespace ns) => (await cluster.RunAsync("/bin/sh", ["-c", $$$"""
        {{{WeftCluster.Kubectls[0]}}} -n {{{ns.Name}}} port-forward pod/hook 18443:8443 >/dev/null 2>&1 &
        for i in $(seq 100); do
          status=$(curl -sk -m 5 -o /dev/null -w '%{http_code}' -d '{"request":{"uid":"1","name":"good"}}' https://127.0.0.1:18443/)
          [ "$status" = 000 ] || break
          sleep 0.1
        done
        kill $!
        echo "$status"
        """], new Dictionary<string, string> { ["KUBECONFIG"] = cluster.Kubeconfig })).Succeeded().Trim();

    private static string JsonText(string text) => System.Text.Json.JsonSerializer.Serialize(text);

    private static (string Certificate, string Key) Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddHours(1));
        return (certificate.ExportCertificatePem(), key.ExportECPrivateKeyPem());
    }
}
