using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Weft.Cli.Clusters;

namespace Weft.Cluster.Tests.Kit;

/// <summary>A cluster as users run it: the published program, `up`, and at the end `down --purge` with a look for what stayed.</summary>
public class WeftCluster : IAsyncLifetime
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"weft-test-{Environment.ProcessId}-{Path.GetRandomFileName()[..6]}");
    private MachineState? _before;

    /// <summary>Short, and of this process and cluster: neither two runs of the tests meet, nor two clusters of one.</summary>
    public string Name { get; } = $"t{Environment.ProcessId % 100000}{RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", 3)}";
    public string DataDir => Path.Combine(_directory, "data");
    public string Kubeconfig => Path.Combine(_directory, "kubeconfig");
    public int ApiPort { get; } = FreePort();
    internal string[] Marks => [Name, _directory];

    public static string Program => Path.Combine(Checkout, ".weft", "publish", "weft");
    internal static string Checkout => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", ".."));

    private static string ThisFile([CallerFilePath] string file = "") => file;

    public static IReadOnlyList<string> Kubectls =>
    [
        .. new[] { Environment.GetEnvironmentVariable("WEFT_KUBECTL"), Environment.GetEnvironmentVariable("WEFT_KUBECTL_DEBIAN") }
            .OfType<string>().Where(path => path.Length > 0).Distinct(),
    ];

    /// <summary>Further arguments of `weft up`.</summary>
    protected virtual IReadOnlyList<string> UpArguments => [];

    /// <summary>What every program is started through: `nsenter` for a cluster with a network of its own.</summary>
    protected virtual IReadOnlyList<string> Through => [];

    public virtual async ValueTask InitializeAsync()
    {
        Assert.True(File.Exists(Program), $"{Program} is missing: run ./weft --version once, or ./test");
        Directory.CreateDirectory(_directory);
        _before = MachineState.Take(Marks);
        (await WeftAsync(["up", "--api-port", ApiPort.ToString(), .. UpArguments])).Succeeded();
    }

    internal Task<CommandResult> WeftAsync(params string[] arguments) =>
        RunAsync(Program, [.. arguments, "--name", Name, "--data-dir", DataDir], new Dictionary<string, string> { ["KUBECONFIG"] = Kubeconfig });

    /// <summary>A program where the cluster is.</summary>
    internal Task<CommandResult> RunAsync(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? input = null) =>
        Through.Count == 0 ? Shell.RunAsync(program, arguments, environment, input) : Shell.RunAsync(Through[0], [.. Through.Skip(1), program, .. arguments], environment, input);

    /// <summary>The newest kubectl that there is.</summary>
    internal Task<CommandResult> KubectlAsync(params string[] arguments) => RunKubectlAsync(Kubectls[0], null, arguments);

    internal Task<CommandResult> RunKubectlAsync(string kubectl, string? input, params string[] arguments) =>
        RunAsync(kubectl, arguments, new Dictionary<string, string>
        {
            ["KUBECONFIG"] = Kubeconfig,
            // Discovery is cached by host and port: a test must not see the cache of another cluster's port.
            ["KUBECACHEDIR"] = Path.Combine(_directory, "cache"),
            ["HOME"] = _directory,
        }, input);

    public virtual async ValueTask DisposeAsync()
    {
        var podCidr = MachineState.PodCidrOf(ClusterPaths.For(Name, DataDir));
        (await WeftAsync("down", "--purge")).Succeeded();
        Directory.Delete(_directory, recursive: true);
        var left = MachineState.Take(Marks).LeftSince(_before!, podCidr).Where(IsOwn).ToList();
        Assert.True(left.Count == 0, "left behind:\n" + string.Join('\n', left));
    }

    /// <summary>Whether what appeared on the machine may be this cluster's.</summary>
    protected virtual bool IsOwn(string fact) => true;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
