using System.Security.Cryptography;
using Weft.Cli.Clusters;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Nodes;

/// <summary>Three nodes and a few simulated ones, with a short grace, in a network namespace of the tests': nothing of the machine's own network is touched.</summary>
public sealed class NodesCluster : IAsyncLifetime
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"weft-nodes-{Environment.ProcessId}-{Path.GetRandomFileName()[..6]}");
    private readonly List<string> _namespaces = [];

    /// <summary>How long a node may be silent, and how long its pods wait then.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(12), EvictAfter = TimeSpan.FromSeconds(2);

    public const int ApiPort = 7443; // in a network of its own no port is taken

    public string Name { get; } = $"n{Environment.ProcessId % 100000}{RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", 3)}";
    public string Namespace => "wt-" + Name;
    public string DirectoryPath => _directory;
    public string Kubeconfig => Path.Combine(_directory, "kubeconfig");
    internal ClusterPaths Paths => ClusterPaths.For(Name, Path.Combine(_directory, "data"));

    public static string Machine => Environment.MachineName.ToLowerInvariant();

    public async ValueTask InitializeAsync()
    {
        Assert.True(File.Exists(WeftCluster.Program), $"{WeftCluster.Program} is missing: run ./weft --version once, or ./test");
        Directory.CreateDirectory(_directory);
        await AddNamespaceAsync(Namespace);
        await IpAsync("-n", Namespace, "link", "add", "up0", "type", "veth", "peer", "name", "up1");
        await IpAsync("-n", Namespace, "addr", "add", "172.31.90.1/24", "dev", "up0");
        await IpAsync("-n", Namespace, "link", "set", "up0", "up");
        await IpAsync("-n", Namespace, "link", "set", "up1", "up");
        await IpAsync("-n", Namespace, "route", "add", "default", "via", "172.31.90.2");
        (await WeftAsync("up", "--api-port", $"{ApiPort}", "--nodes", "3", "--simulate", "20", "--node-grace", $"{Grace.TotalSeconds}", "--evict-after", $"{EvictAfter.TotalSeconds}")).Succeeded();
    }

    internal Task<CommandResult> WeftAsync(params string[] arguments) => InAsync(Namespace, WeftCluster.Program, [.. arguments, "--name", Name, "--data-dir", Paths.DataDir]);

    internal Task<CommandResult> KubectlAsync(params string[] arguments) => InAsync(Namespace, WeftCluster.Kubectls[0], arguments);

    internal async Task<string> GetAsync(string jsonPath, params string[] what) => (await KubectlAsync(["get", .. what, "-o", "jsonpath=" + jsonPath])).Succeeded();

    internal async Task ApplyAsync(string yaml) =>
        (await Shell.RunAsync("nsenter", ["--net=/run/netns/" + Namespace, WeftCluster.Kubectls[0], "apply", "-f", "-"], Variables(), yaml)).Succeeded();

    internal Task<CommandResult> InAsync(string ns, string program, IReadOnlyList<string> arguments, string? input = null) =>
        Shell.RunAsync("nsenter", ["--net=/run/netns/" + ns, program, .. arguments], Variables(), input);

    /// <summary>A process pod on one node; it answers its own name over HTTP.</summary>
    internal static string Pod(string name, string node, string labels = "{app: echo}") => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}, labels: {{labels}}}
        spec:
          runtimeClassName: process
          terminationGracePeriodSeconds: 1
          nodeSelector: {kubernetes.io/hostname: {{node}}}
          containers:
          - name: main
            image: host
            command: ["/bin/sh", "-c", "mkdir -p /tmp/w && cd /tmp/w && hostname > index.html && echo ready from $(hostname) && exec python3 -u -m http.server 8080"]
        ---

        """;

    internal async Task ReadyAsync(params string[] pods)
    {
        foreach (var pod in pods)
            await Eventually.TrueAsync(async () => await GetAsync("{.status.conditions[?(@.type=='Ready')].status}", "pod", pod) == "True", $"pod {pod} is ready");
    }

    internal async Task AddNamespaceAsync(string name)
    {
        await IpAsync("netns", "add", name);
        _namespaces.Add(name);
        await IpAsync("-n", name, "link", "set", "lo", "up");
    }

    internal static async Task IpAsync(params string[] arguments) => (await Shell.RunAsync("ip", arguments)).Succeeded();

    private Dictionary<string, string> Variables() => new()
    {
        ["KUBECONFIG"] = Kubeconfig, ["KUBECACHEDIR"] = Path.Combine(_directory, "cache"), ["HOME"] = _directory,
    };

    public async ValueTask DisposeAsync()
    {
        (await WeftAsync("down", "--purge")).Succeeded();
        var routes = (await Shell.RunAsync("ip", ["-n", Namespace, "route"])).Succeeded();
        var links = (await Shell.RunAsync("ip", ["-n", Namespace, "-br", "link"])).Succeeded();
        var tables = (await InAsync(Namespace, "nft", ["list", "tables"])).Succeeded();
        foreach (var ns in _namespaces)
            await IpAsync("netns", "del", ns);
        Directory.Delete(_directory, recursive: true);

        Assert.DoesNotContain("10.2", routes, StringComparison.Ordinal);
        Assert.DoesNotContain("weft", links, StringComparison.Ordinal);
        Assert.DoesNotContain("weft", tables, StringComparison.Ordinal);
        Assert.DoesNotContain(MachineState.Take(Name, _directory).Facts, fact => fact.Contains(Name, StringComparison.Ordinal) || fact.Contains(_directory, StringComparison.Ordinal));
    }
}
