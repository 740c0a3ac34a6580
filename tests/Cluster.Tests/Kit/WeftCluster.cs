using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Weft.Cluster.Tests.Kit;

/// <summary>A cluster as users run it: the published program, `up`, and at the end `down --purge` with a look for what stayed.</summary>
public sealed class WeftCluster : IAsyncLifetime
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"weft-test-{Environment.ProcessId}-{Path.GetRandomFileName()[..6]}");
    private readonly NetworkSandbox? _sandbox;
    private readonly string[] _up;
    private MachineState? _before;

    public WeftCluster()
        : this(null)
    {
    }

    /// <param name="sandbox">Where it runs; null: on the machine itself.</param>
    /// <param name="up">Further arguments of `weft up`.</param>
    internal WeftCluster(NetworkSandbox? sandbox, params string[] up) => (_sandbox, _up) = (sandbox, up);

    /// <summary>Short, and of this process: two runs of the tests do not meet.</summary>
    public string Name { get; } = $"t{Environment.ProcessId % 100000}{(char)('a' + (Path.GetRandomFileName()[0] % 26))}";
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

    public async ValueTask InitializeAsync()
    {
        Assert.True(File.Exists(Program), $"{Program} is missing: run ./weft --version once, or ./test");
        Directory.CreateDirectory(_directory);
        _before = MachineState.Take(_sandbox, Marks);
        (await WeftAsync(["up", "--api-port", ApiPort.ToString(), .. _up])).Succeeded();
    }

    internal Task<CommandResult> WeftAsync(params string[] arguments) =>
        RunAsync(Program, [.. arguments, "--name", Name, "--data-dir", DataDir], new Dictionary<string, string> { ["KUBECONFIG"] = Kubeconfig });

    /// <summary>Any program, where the cluster's network is.</summary>
    internal Task<CommandResult> RunAsync(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? input = null)
    {
        var (run, with) = _sandbox?.Inside(program, arguments) ?? (program, arguments);
        return Shell.RunAsync(run, with, environment, input);
    }

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

    public async ValueTask DisposeAsync()
    {
        (await WeftAsync("down", "--purge")).Succeeded();
        Directory.Delete(_directory, recursive: true);
        var left = MachineState.Take(_sandbox, Marks).LeftSince(_before!);
        Assert.True(left.Count == 0, "left behind:\n" + string.Join('\n', left));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
