using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>
/// A service `web` of pods that answer after 20 ms and end at once on SIGTERM, and clients on both nodes that ask it all the time, by its name and through the front door, over connections that they
/// keep and over new ones; and for what they may not have. The pods take nothing but mutual TLS. Nobody tries again: each failure is one that a user has seen.
/// </summary>
internal sealed partial class LoadedService : IAsyncDisposable
{
    private readonly TestNamespace _ns;

    private LoadedService(TestNamespace ns) => _ns = ns;

    /// <summary>What those ask for who may not have it: 403 is good.</summary>
    internal const string Forbidden = "forbidden";

    internal TestNamespace Namespace => _ns;

    /// <summary>Address of the front door.</summary>
    internal string Door { get; private set; } = "";

    internal static async Task<LoadedService> CreateAsync(ContainerCluster cluster, int replicas)
    {
        var service = new LoadedService(await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]));
        try
        {
            await service.StartAsync(cluster, replicas);
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    private async Task StartAsync(ContainerCluster cluster, int replicas)
    {
        await _ns.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec:
              selector: {app: web}
              ports: [{name: http, port: 80, targetPort: 8080}]
            ---
            apiVersion: policy/v1
            kind: PodDisruptionBudget
            metadata: {name: web}
            spec: {maxUnavailable: 5, selector: {matchLabels: {app: web} } }
            ---
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: {name: web}
            spec:
              rules: [{host: {{Host}}, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80} } } }] } }]
            ---
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: strict}
            spec: {mtls: {mode: STRICT} }
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: secret}
            spec: {action: DENY, selector: {matchLabels: {app: web} }, rules: [{to: [{operation: {paths: [/secret]} }] }] }
            ---
            {{Web(replicas, "1")}}
            """);
        await _ns.RolledOutAsync("web");
        (await _ns.KubectlAsync("wait", "--for=condition=Programmed", "peerauthentication/strict", "authorizationpolicy/secret", "--timeout=60s")).Succeeded();
        var door = "";
        await Eventually.TrueAsync(async () =>
            (Door = door = (await cluster.KubectlAsync("-n", "istio-system", "get", "service", "istio-ingressgateway", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")).Output).Length > 0);
        await _ns.ApplyAsync($$"""
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: load}
            spec:
              replicas: 2
              selector: {matchLabels: {app: load} }
              template:
                metadata: {labels: {app: load} }
                spec:
                  terminationGracePeriodSeconds: 1
                  topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: load} } }]
                  containers:
                  - {{Client("kept", "http://web/?delayMs=20", "--each", "0")}}
                  - {{Client("fresh", "http://web/?delayMs=20", "--each", "1")}}
                  - {{Client("door-kept", $"http://{door}/?delayMs=20", "--each", "0", "--host", Host)}}
                  - {{Client("door-fresh", $"http://{door}/?delayMs=20", "--each", "1", "--host", Host)}}
                  - {{Client(Forbidden, "http://web/secret", "--each", "1", "--expect", "403")}}
            """);
        await _ns.RolledOutAsync("load");
        await MoreAsync();
        // From here on it counts: before, the route of the front door was on its way.
        (await _ns.KubectlAsync("rollout", "restart", "deployment/load")).Succeeded();
        await _ns.RolledOutAsync("load");
        await MoreAsync();
    }

    internal string Host => _ns.Name + ".example";

    private static string Client(string name, params string[] arguments) =>
        $"{{name: {name}, image: echo, imagePullPolicy: IfNotPresent, command: [/app/sample, load, {string.Join(", ", arguments.Select(argument => $"\"{argument}\""))}, --clients, \"2\", --pause, \"20\"]}}";

    /// <summary>Another version is another template.</summary>
    internal static string Web(int replicas, string version, string more = "") => $$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          replicas: {{replicas.ToString(CultureInfo.InvariantCulture)}}
          selector: {matchLabels: {app: web} }
          template:
            metadata: {labels: {app: web} }
            spec:
              {{more}}
              containers:
              - name: main
                image: echo
                imagePullPolicy: IfNotPresent
                ports: [{containerPort: 8080}]
                env: [{name: VERSION, value: "{{version}}"}]
                readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
        """;

    /// <summary>Each client has asked for some seconds more, and none of its requests has failed but what nothing could save.</summary>
    internal async Task UnharmedAsync(string what, ITestOutputHelper output, ProxyKill? kill = null)
    {
        await MoreAsync();
        var clients = await ClientsAsync();
        foreach (var client in clients)
            output.WriteLine($"{what}: {client.Name} {client.Good} good, {client.Failures.Count} failed");
        var harm = clients.SelectMany(client => client.Failures.Where(line => kill?.Excuses(client.Name, line) != true).Select(line => $"{client.Name} {line}")).ToList();
        Assert.True(harm.Count == 0, $"{what}:\n{string.Join('\n', harm.Take(60))}");
    }

    // All of them are there and have had 50 good answers more.
    private async Task MoreAsync()
    {
        var before = (await ClientsAsync()).ToDictionary(client => client.Name, client => client.Good);
        var now = new List<LoadClient>();
        await Eventually.TrueAsync(
            async () => (now = await ClientsAsync()).Count == 10 && now.All(client => client.Good >= before.GetValueOrDefault(client.Name) + 50), "ten clients get answers",
            () => string.Join('\n', now.Select(client => $"{client.Name} {client.Good} good, {string.Join("; ", client.Failures.TakeLast(3))}")));
    }

    private async Task<List<LoadClient>> ClientsAsync()
    {
        var pods = (await _ns.GetAsync("{range .items[?(@.status.phase==\"Running\")]}{.metadata.name} {.metadata.deletionTimestamp}{\"\\n\"}{end}", "pods", "-l", "app=load")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ')).Where(parts => parts is [_, ""]).Select(parts => parts[0]);
        var clients = new List<LoadClient>();
        foreach (var pod in pods)
        {
            foreach (var container in new[] { "kept", "fresh", "door-kept", "door-fresh", Forbidden })
            {
                var lines = (await _ns.KubectlAsync("logs", pod, "-c", container)).Output.Split('\n');
                var good = Sums().Matches(string.Join('\n', lines)).LastOrDefault()?.Groups["good"].Value ?? "0";
                clients.Add(new LoadClient($"{pod}/{container}", int.Parse(good, CultureInfo.InvariantCulture), [.. lines.Where(line => line.StartsWith("failed ", StringComparison.Ordinal))]));
            }
        }

        return clients;
    }

    internal sealed record LoadClient(string Name, int Good, IReadOnlyList<string> Failures);

    [GeneratedRegex(@"^good (?<good>\d+) failed \d+ ", RegexOptions.Multiline)]
    private static partial Regex Sums();

    public ValueTask DisposeAsync() => _ns.DisposeAsync();
}
