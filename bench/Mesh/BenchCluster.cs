using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;

namespace Weft.Bench.Mesh;

/// <summary>The cluster under the bench: manifests go in, pods and processes are found.</summary>
internal sealed class BenchCluster : IDisposable
{
    /// <summary>Where the bench's objects are.</summary>
    public const string Namespace = "bench";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly string _run;

    private BenchCluster(KubeClient client, string run, TimeProvider time) => (Client, _run, Time) = (client, run, time);

    public KubeClient Client { get; }

    public TimeProvider Time { get; }

    /// <summary>By KUBECONFIG and WEFT_RUN (`/run/weft-NAME`).</summary>
    public static BenchCluster FromEnvironment(TimeProvider time)
    {
        var access = Kubeconfig.Load(null, Environment.GetEnvironmentVariable("KUBECONFIG"), "/").Access();
        var run = Environment.GetEnvironmentVariable("WEFT_RUN") ?? throw new InvalidOperationException("WEFT_RUN is not set: bench/Load/mesh starts this program");
        return new(new KubeClient(access.CreateHttpClient(), time, "weft-bench"), run, time);
    }

    /// <summary>By kubectl, as a user would.</summary>
    public static async Task ApplyAsync(string yaml)
    {
        var start = new ProcessStartInfo("kubectl", ["apply", "-f", "-"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var kubectl = Process.Start(start)!;
        await kubectl.StandardInput.WriteAsync(yaml);
        kubectl.StandardInput.Close();
        var error = kubectl.StandardError.ReadToEndAsync();
        await kubectl.StandardOutput.ReadToEndAsync();
        await kubectl.WaitForExitAsync();
        if (kubectl.ExitCode != 0)
            throw new InvalidOperationException("kubectl apply: " + await error);
    }

    /// <summary>The nodes' names, the first node's first.</summary>
    public async Task<IReadOnlyList<string>> NodesAsync() =>
        [.. (await Client.For<Weft.Api.Core.Node>().ListAsync(null, CancellationToken.None)).Items.OrderBy(node => node.Metadata.CreationTimestamp).Select(node => node.Metadata.Name!)];

    /// <summary>When it is Ready and has an address.</summary>
    public async Task<BenchPod> PodAsync(string name)
    {
        BenchPod? found = null;
        await UntilAsync($"pod {name} is Ready", async () =>
        {
            var pod = await Client.For<Pod>().FindAsync(new(Namespace, name), CancellationToken.None);
            if (pod?.Status.Conditions.Any(condition => condition is { Type: "Ready", Status: "True" }) != true || NetworkOf(pod.Metadata.Uid!) is not { } network)
                return false;
            found = new BenchPod(name, IPAddress.Parse(pod.Status.PodIP!), network);
            return true;
        });
        return found!;
    }

    /// <summary>The processes of a pod that has one container.</summary>
    public async Task<IReadOnlyList<int>> ProgramsAsync(string pod)
    {
        var uid = (await Client.For<Pod>().GetAsync(new(Namespace, pod), CancellationToken.None)).Metadata.Uid!;
        return [.. ProcessesOf(uid).Select(directory => int.Parse(Path.GetFileName(directory), CultureInfo.InvariantCulture))];
    }

    /// <param name="node">From 1.</param>
    /// <returns>All processes of the node's proxy.</returns>
    public IReadOnlyList<int> ProxyOf(int node)
    {
        var children = JsonNode.Parse(File.ReadAllText(Path.Combine(node == 1 ? _run : FormattableString.Invariant($"{_run}.{node}"), "children.json")))!.AsArray();
        var main = children.Single(child => (string?)child!["name"] == "proxy")!["process"]!["pid"]!.GetValue<int>();
        return [main, .. ProcessFigures.ChildrenOf(main)];
    }

    /// <summary>The process of the API server and everything that goes with it.</summary>
    public int Server => JsonNode.Parse(File.ReadAllText(Path.Combine(_run, "server.json")))!["process"]!["pid"]!.GetValue<int>();

    public async Task UntilAsync(string what, Func<Task<bool>> holds)
    {
        var started = Time.GetTimestamp();
        while (!await holds())
        {
            if (Time.GetElapsedTime(started) > Patience)
                throw new TimeoutException($"not within {Patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s: {what}");
            await Task.Delay(Look, Time);
        }
    }

    private static string? NetworkOf(string uid) => ProcessesOf(uid).Select(directory => Path.Combine(directory, "ns", "net")).FirstOrDefault();

    // Whichever runtime the pod has: cgroups are named by it.
    private static IEnumerable<string> ProcessesOf(string uid) => Directory.EnumerateDirectories("/proc").Where(directory => char.IsAsciiDigit(Path.GetFileName(directory)[0]))
        .Where(directory => ProcessFigures.Text(Path.Combine(directory, "cgroup")).Contains(uid, StringComparison.Ordinal));

    public void Dispose() => Client.Dispose();
}

/// <param name="Network">Its network namespace, as a file.</param>
internal sealed record BenchPod(string Name, IPAddress Address, string Network);
