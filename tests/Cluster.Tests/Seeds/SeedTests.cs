using System.Runtime.CompilerServices;
using Weft.Cluster.Tests.Kit;
using Weft.Cluster.Tests.Mesh;
using Weft.Testing;

namespace Weft.Cluster.Tests.Seeds;

/// <summary>The articles' manifests, applied as they stand, doing what the articles say.</summary>
[Collection(MeshClusterCollection.Name)]
public sealed class SeedTests(MeshCluster cluster)
{
    [Fact]
    public async Task The_web_application_answers_on_port_30000_of_this_machine_and_a_warning_names_the_modern_form()
    {
        await InNamespaceAsync("seed-002", async ns =>
        {
            await ApplyAsync(ns, "002-deployment-web-app.yaml");
            var applied = await ApplyAsync(ns, "002-service-web-service.yaml");
            Assert.Contains("Warning:", applied.Error, StringComparison.Ordinal);
            Assert.Contains("NodePort", applied.Error, StringComparison.Ordinal);
            Assert.Equal("NodePort 30000", await GetAsync(ns, "service/web-service", "{.spec.type} {.spec.ports[0].nodePort}"));
            await RolledOutAsync(ns, "web-app");
            foreach (var address in new[] { "127.0.0.1", NetworkCluster.NodeAddress })
                await AnswersAsync($"http://{address}:30000/", "Welcome to nginx");
        });
    }

    [Fact]
    public async Task The_nginx_pod_the_deployment_and_their_service_run_side_by_side()
    {
        await InNamespaceAsync("seed-003", async ns =>
        {
            await ApplyAsync(ns, "003-pod-nginx.yaml");
            await ApplyAsync(ns, "003-deployment-nginx.yaml");
            await ApplyAsync(ns, "003-service-nginx.yaml");
            (await cluster.KubectlAsync("-n", ns, "wait", "--for=condition=Ready", "pod/nginx", "--timeout=150s")).Succeeded();
            await RolledOutAsync(ns, "nginx");
            await AnswersAsync($"http://{await GetAsync(ns, "service/nginx", "{.spec.clusterIP}")}/", "Welcome to nginx");
        });
    }

    [Fact]
    public async Task The_load_balancer_has_an_address_at_once_and_answers_there()
    {
        await InNamespaceAsync("seed-004", async ns =>
        {
            await ApplyAsync(ns, "004-deployment-my-app.yaml");
            await ApplyAsync(ns, "004-service-my-app-service.yaml");
            string address = "";
            await Eventually.TrueAsync(async () => (address = await GetAsync(ns, "service/my-app-service", "{.status.loadBalancer.ingress[0].ip}")).Length > 0);
            await RolledOutAsync(ns, "my-app");
            await AnswersAsync($"http://{address}/", "");
        });
    }

    [Fact]
    public async Task Round_robin_by_a_destination_rule_and_a_virtual_service_gives_each_endpoint_its_turn()
    {
        await InNamespaceAsync("seed-001", async ns =>
        {
            await InputAsync(ns, $$"""
                apiVersion: v1
                kind: Service
                metadata: {name: hello-world}
                spec: {selector: {app: hello-world}, ports: [{port: 80, targetPort: 8080}]}
                ---
                {{MeshNamespace.Echo("hello-world", "v1", replicas: 3)}}
                ---
                {{Client}}
                """);
            await ApplyAsync(ns, "001-destinationrule-hello-world.yaml");
            await ApplyAsync(ns, "001-virtualservice-hello-world.yaml");
            (await cluster.KubectlAsync("-n", ns, "wait", "--for=condition=Programmed", "virtualservice/hello-world", "destinationrule/hello-world", "--timeout=60s")).Succeeded();
            await RolledOutAsync(ns, "hello-world-v1");
            await RolledOutAsync(ns, "client");
            var turns = "";
            await Eventually.TrueAsync(async () =>
            {
                turns = await ClientAsync(ns, "curl -s 'http://hello-world/?n=[1-30]' | grep -o '\"POD_NAME\":\"[^\"]*\"' | sort | uniq -c | awk '{print $1}' | sort | xargs");
                return turns.Trim() == "10 10 10";
            }, "ten requests for each of three endpoints", () => turns);
        });
    }

    [Fact]
    public async Task A_service_mesh_adds_its_domain_to_the_names()
    {
        await InNamespaceAsync("seed-001-names", async ns =>
        {
            await InputAsync(ns, $$"""
                apiVersion: v1
                kind: Service
                metadata: {name: hello-world}
                spec: {selector: {app: hello-world}, ports: [{port: 80, targetPort: 8080}]}
                ---
                {{Client}}
                """);
            var applied = await ApplyAsync(ns, "001-servicemesh-linkerd.yaml");
            Assert.Contains("Warning:", applied.Error, StringComparison.Ordinal);
            await RolledOutAsync(ns, "client");
            var address = await GetAsync(ns, "service/hello-world", "{.spec.clusterIP}");
            await Eventually.TrueAsync(async () => (await cluster.KubectlAsync("-n", ns, "exec", "deploy/client", "--", "getent", "hosts", $"hello-world.{ns}.svc.linkerd.local")).Output.StartsWith(address, StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task The_policy_lets_only_the_mesh_speak_to_nginx_and_a_warning_names_the_modern_form()
    {
        await InNamespaceAsync("seed-003-policy", async ns =>
        {
            await ApplyAsync(ns, "003-deployment-nginx.yaml");
            await ApplyAsync(ns, "003-service-nginx.yaml");
            await InputAsync(ns, Client);
            await RolledOutAsync(ns, "nginx");
            await RolledOutAsync(ns, "client");
            var pod = $"http://{await GetAsync(ns, "pods", "{.items[0].status.podIP}", "-l", "app=nginx")}/";
            await AnswersAsync(pod, "Welcome to nginx");
            var applied = await ApplyAsync(ns, "003-policy-nginx.yaml");
            Assert.Contains("PeerAuthentication", applied.Error, StringComparison.Ordinal);
            await Eventually.TrueAsync(async () => (await CurlAsync(pod)).ExitCode != 0, "this machine, which has no identity, is refused");
            Assert.Contains("Welcome to nginx", await ClientAsync(ns, "curl -s -m 5 http://nginx/"), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task The_virtual_service_binds_its_gateway_and_says_so_when_there_is_none()
    {
        await InNamespaceAsync("seed-003-door", async ns =>
        {
            await ApplyAsync(ns, "003-deployment-nginx.yaml");
            await ApplyAsync(ns, "003-service-nginx.yaml");
            var applied = await ApplyAsync(ns, "003-virtualservice-nginx.yaml");
            Assert.Contains("uriRegexRewrite", applied.Error, StringComparison.Ordinal);
            await Eventually.TrueAsync(async () => (await GetAsync(ns, "virtualservice/nginx", "{.status.conditions[*].message}")).Contains("nginx-gateway", StringComparison.Ordinal));
            await InputAsync(ns, """
                apiVersion: networking.istio.io/v1
                kind: Gateway
                metadata: {name: nginx-gateway}
                spec:
                  selector: {istio: ingressgateway}
                  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [nginx]}]
                """);
            await RolledOutAsync(ns, "nginx");
            await DoorAnswersAsync("nginx", "Welcome to nginx");
        });
    }

    [Fact]
    public async Task The_ingress_leads_from_its_host_to_the_application()
    {
        await InNamespaceAsync("seed-004-ingress", async ns =>
        {
            await ApplyAsync(ns, "004-deployment-my-app.yaml");
            await ApplyAsync(ns, "004-service-my-app-service.yaml");
            await ApplyAsync(ns, "004-ingress-my-app-ingress.yaml");
            await RolledOutAsync(ns, "my-app");
            await DoorAnswersAsync("my-app.example.com", "Hello from my-app 1.0");
            Assert.NotEmpty(await GetAsync(ns, "ingress/my-app-ingress", "{.status.loadBalancer.ingress[0].ip}"));
        });
    }

    private static string Client => TestNamespace.Deployment("client");

    private async Task DoorAnswersAsync(string host, string text)
    {
        var address = "";
        await Eventually.TrueAsync(async () =>
            (address = (await cluster.KubectlAsync("-n", "istio-system", "get", "service", "istio-ingressgateway", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")).Output).Length > 0);
        await AnswersAsync($"http://{address}/", text, "-H", "Host: " + host);
    }

    private async Task<string> ClientAsync(string ns, string script) => (await cluster.KubectlAsync("-n", ns, "exec", "deploy/client", "--", "sh", "-c", script)).Succeeded();

    private async Task InputAsync(string ns, string yaml) => (await cluster.InputAsync(yaml, "-n", ns, "apply", "-f", "-")).Succeeded();

    private async Task InNamespaceAsync(string name, Func<string, Task> work)
    {
        (await cluster.KubectlAsync("create", "namespace", name)).Succeeded();
        await InputAsync(name, TestNamespace.ProcessUser(name));
        try
        {
            await work(name);
        }
        finally
        {
            (await cluster.KubectlAsync("delete", "namespace", name, "--timeout=150s")).Succeeded();
        }
    }

    private async Task<CommandResult> ApplyAsync(string ns, string file)
    {
        var applied = await cluster.InputAsync(await File.ReadAllTextAsync(Path.Combine(Here(), file)), "-n", ns, "apply", "-f", "-");
        applied.Succeeded();
        return applied;
    }

    private async Task<string> GetAsync(string ns, string what, string jsonPath, params string[] more) => (await cluster.KubectlAsync(["-n", ns, "get", what, .. more, "-o", "jsonpath=" + jsonPath])).Succeeded();

    private async Task RolledOutAsync(string ns, string deployment) =>
        (await cluster.KubectlAsync("-n", ns, "rollout", "status", "deployment/" + deployment, "--timeout=150s")).Succeeded();

    private Task AnswersAsync(string url, string text, params string[] options) => Eventually.TrueAsync(async () =>
    {
        var answer = await CurlAsync([.. options, url]);
        return answer.ExitCode == 0 && answer.Output.Length > 0 && answer.Output.Contains(text, StringComparison.Ordinal);
    }, url);

    private Task<CommandResult> CurlAsync(params string[] arguments) => cluster.RunAsync("/usr/bin/curl", ["-sS", "-m", "5", "--noproxy", "*", .. arguments]);

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
