// How long the container runtime takes for a pod of an image that is present, with each program that can make containers.
//   sudo dotnet run -c Release --project bench/Containers [crun|runc ...]
using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api.Streams;
using Weft.Node.Interop;
using Weft.Node.Network;
using Weft.Node.Runtime;
using Weft.Node.Runtime.Cri;
using Weft.Node.Tests.Runtime;

const string Busybox = "docker.io/library/busybox:1";
const int Singles = 50, Together = 30;
var time = TimeProvider.System;
Sysctls.EnableForwarding();
foreach (var handler in args.Length > 0 ? args : ["crun", "runc"])
    await MeasureAsync(handler);
Sysctls.Restore();

async Task MeasureAsync(string handler)
{
    var root = Path.Combine(Path.GetTempPath(), $"weft-b{Environment.ProcessId}");
    var options = new CriRuntimeOptions
    {
        ClusterName = Path.GetFileName(root),
        DataDir = Path.Combine(root, "d"),
        RunDir = Path.Combine(root, "r"),
        Network = new("weft-" + Path.GetFileName(root), "10.215.0.0/24", Path.Combine(root, "d", "cni"), "", ["/opt/cni/bin", "/usr/lib/cni"], 1500),
    };
    options = options with { Handler = options.NamedHandlers[handler] };
    // The same chance in each run.
    await using var runtime = await CriRuntime.StartAsync(options, time, new Random(1), NullLoggerFactory.Instance, default);
    try
    {
        await ImportAsync(runtime, options, new TestImage(options.SandboxImage) { Entrypoint = ["/bin/sleep", "2147483647"] });
        await ImportAsync(runtime, options, new TestImage(Busybox) { Command = ["sleep", "100000"] });
        var image = (await runtime.Images.FindAsync(Busybox, default))!.Id;
        await RemoveAsync(runtime, (await StartAsync(runtime, options, image, "warm-up")).Sandbox);

        var (starts, execs, stops) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = 0; i < Singles; i++)
        {
            var (sandbox, container, milliseconds) = await StartAsync(runtime, options, image, $"single-{i}");
            starts.Add(milliseconds);
            var from = time.GetTimestamp();
            await runtime.ExecAsync(container, ["cat", "/etc/passwd"], new(null, Stream.Null, null, false, null), default);
            execs.Add(time.GetElapsedTime(from).TotalMilliseconds);
            from = time.GetTimestamp();
            await RemoveAsync(runtime, sandbox);
            stops.Add(time.GetElapsedTime(from).TotalMilliseconds);
        }
        Console.WriteLine($"{handler}: start p50 {At(starts, 0.5):0} ms, p99 {At(starts, 0.99):0} ms; exec p50 {At(execs, 0.5):0} ms; remove p50 {At(stops, 0.5):0} ms");

        var begin = time.GetTimestamp();
        var together = await Task.WhenAll(Enumerable.Range(0, Together).Select(i => StartAsync(runtime, options, image, $"together-{i}")));
        Console.WriteLine($"{handler}: {Together} pods at once run after {time.GetElapsedTime(begin).TotalMilliseconds:0} ms; {Memory(options)}");
        begin = time.GetTimestamp();
        await Task.WhenAll(together.Select(pod => RemoveAsync(runtime, pod.Sandbox)));
        Console.WriteLine($"{handler}: gone after {time.GetElapsedTime(begin).TotalMilliseconds:0} ms");
    }
    finally
    {
        await runtime.DisposeAsync();
        foreach (var problem in await CriCleanup.RunAsync(options, time, default))
            Console.WriteLine(problem);
        DirectoryRemoval.Delete(root);
    }
}

async Task<(string Sandbox, string Container, double Milliseconds)> StartAsync(CriRuntime runtime, CriRuntimeOptions options, string image, string name)
{
    var from = time.GetTimestamp();
    var sandbox = await runtime.CreateSandboxAsync(new SandboxSpec { PodUid = name, Namespace = "bench", Name = name, Hostname = name }, default);
    var container = await runtime.CreateContainerAsync(sandbox.Id, new ContainerSpec
    {
        Name = "main", Attempt = 0, SpecHash = "", Command = [], ImageId = image, LogPath = Path.Combine(options.DataDir, "logs", name + ".log"), User = new(null, null, []),
    }, default);
    await runtime.StartContainerAsync(container.Id, default);
    return (sandbox.Id, container.Id, time.GetElapsedTime(from).TotalMilliseconds);
}

static Task RemoveAsync(CriRuntime runtime, string sandbox) => runtime.RemoveSandboxAsync(sandbox, default);

static double At(List<double> values, double share) => values.Order().ElementAt((int)(share * (values.Count - 1)));

// Proportional, so that what shims share is counted once.
static string Memory(CriRuntimeOptions options)
{
    var paths = new CriPaths(options);
    long Kilobytes(Func<string, bool> wanted) => Directory.GetDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)).Sum(d =>
    {
        try
        {
            return wanted(File.ReadAllText(d + "/cmdline")) ? long.Parse(File.ReadLines(d + "/smaps_rollup").First(l => l.StartsWith("Pss:", StringComparison.Ordinal))[4..^2]) : 0;
        }
        catch (IOException)
        {
            return 0;
        }
    });
    return $"containerd {Kilobytes(c => c.Contains(paths.Config, StringComparison.Ordinal)) / 1024} MB, its shims {Kilobytes(c => c.Contains("containerd-shim", StringComparison.Ordinal) && c.Contains(paths.Socket, StringComparison.Ordinal)) / 1024} MB";
}

static async Task ImportAsync(CriRuntime runtime, CriRuntimeOptions options, TestImage image)
{
    await runtime.Images.ListAsync(default);
    var tar = Path.Combine(options.DataDir, "image.tar");
    image.Write(tar);
    using var ctr = Process.Start(new ProcessStartInfo("ctr", ["-a", new CriPaths(options).Socket, "-n", "k8s.io", "images", "import", tar]) { RedirectStandardOutput = true })!;
    await ctr.StandardOutput.ReadToEndAsync();
    await ctr.WaitForExitAsync();
    while (await runtime.Images.FindAsync(image.Name, default) is null)
        await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
}
