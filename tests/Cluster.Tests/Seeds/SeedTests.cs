using System.Runtime.CompilerServices;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Seeds;

/// <summary>The articles' manifests, applied as they stand, doing what the articles say.</summary>
[Collection(ContainerClusterCollection.Name)]
public sealed class SeedTests(ContainerCluster cluster)
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

    private async Task InNamespaceAsync(string name, Func<string, Task> work)
    {
        (await cluster.KubectlAsync("create", "namespace", name)).Succeeded();
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

    private async Task<string> GetAsync(string ns, string what, string jsonPath) => (await cluster.KubectlAsync("-n", ns, "get", what, "-o", "jsonpath=" + jsonPath)).Succeeded();

    private async Task RolledOutAsync(string ns, string deployment) =>
        (await cluster.KubectlAsync("-n", ns, "rollout", "status", "deployment/" + deployment, "--timeout=150s")).Succeeded();

    private Task AnswersAsync(string url, string text) => Eventually.TrueAsync(async () =>
    {
        var answer = await cluster.RunAsync("/usr/bin/curl", ["-sS", "-m", "5", "--noproxy", "*", url]);
        return answer.ExitCode == 0 && answer.Output.Length > 0 && answer.Output.Contains(text, StringComparison.Ordinal);
    }, url);

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
