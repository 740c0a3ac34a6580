using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests;

/// <summary>Logs, exec, attach and port-forward: SPDY with kubectl 1.20, WebSocket with a newer one.</summary>
[Collection(ClusterCollection.Name)]
public sealed partial class StreamTests(WeftCluster cluster)
{
    public static TheoryData<string> Kubectls => [.. WeftCluster.Kubectls];

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Exec_passes_ten_megabytes_of_input_and_the_exit_code(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        await ns.ApplyAsync(TestNamespace.Deployment("web"));
        await ns.RolledOutAsync("web");
        var pod = await ns.FirstPodAsync("web");

        var bytes = new byte[10 * 1024 * 1024];
        new Random(7).NextBytes(bytes);
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, bytes);
            var result = await Shell.RunAsync("/bin/sh", ["-c", $"exec '{kubectl}' -n {ns.Name} exec -i {pod} -- sha256sum < '{file}'"], Environment(cluster));
            Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(bytes)), result.Succeeded(), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }

        var failing = await ns.KubectlAsync("exec", pod, "--", "/bin/sh", "-c", "echo out; echo err >&2; exit 42");
        Assert.Equal(42, failing.ExitCode);
        Assert.Equal("out\n", failing.Output);
        Assert.Contains("err", failing.Error, StringComparison.Ordinal);
        Assert.NotEqual(0, (await ns.KubectlAsync("exec", pod, "--", "/no/such/program")).ExitCode);
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Logs_are_followed_to_the_end_and_tailed(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        await ns.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata:
              name: counter
            spec:
              runtimeClassName: process
              restartPolicy: Never
              containers:
              - name: main
                image: host
                command: ["/bin/sh", "-c", "for i in 1 2 3 4 5; do echo line $i; sleep 0.2; done"]
            """);
        await ns.EventuallyAsync("the container has started", async () => await ns.GetAsync("{.status.phase}", "pod/counter") is "Running" or "Succeeded");
        Assert.Equal("line 1\nline 2\nline 3\nline 4\nline 5\n", (await ns.KubectlAsync("logs", "-f", "counter")).Succeeded());
        Assert.Equal("line 4\nline 5\n", (await ns.KubectlAsync("logs", "--tail=2", "counter")).Succeeded());
        await ns.EventuallyAsync("the pod has succeeded", async () => await ns.GetAsync("{.status.phase}", "pod/counter") == "Succeeded");
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Attach_talks_to_the_main_process(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        await ns.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata:
              name: echo
            spec:
              runtimeClassName: process
              terminationGracePeriodSeconds: 1
              containers:
              - name: main
                image: host
                stdin: true
                command: ["/bin/sh", "-c", "while read line; do echo heard $line; done"]
            """);
        await ns.EventuallyAsync("the container runs", async () => await ns.GetAsync("{.status.phase}", "pod/echo") == "Running");
        var start = new ProcessStartInfo(kubectl, ["-n", ns.Name, "attach", "-i", "echo"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var (name, value) in Environment(cluster))
            start.Environment[name] = value;
        using var attach = Process.Start(start)!;
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            await attach.StandardInput.WriteLineAsync("hello".AsMemory(), limit.Token);
            await attach.StandardInput.FlushAsync(limit.Token);
            string? line;
            do
            {
                line = await attach.StandardOutput.ReadLineAsync(limit.Token);
            }
            while (line is not null && !line.Contains("heard hello", StringComparison.Ordinal));
            Assert.NotNull(line);
        }
        finally
        {
            attach.Kill();
        }
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Port_forward_carries_many_connections_at_once(string kubectl)
    {
        Assert.True(File.Exists("/usr/bin/perl"), "perl-base is essential in Debian");
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        // An echo server of one line per connection, with what every Debian has.
        await ns.ApplyAsync(TestNamespace.Deployment("echo", 1,
            "exec perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>128,ReuseAddr=>1) or die; $SIG{CHLD}=q(IGNORE); while($c=$s->accept){if(!fork){while(<$c>){print $c $_} exit} close $c}'"));
        await ns.RolledOutAsync("echo");
        var pod = await ns.FirstPodAsync("echo");

        var start = new ProcessStartInfo(kubectl, ["-n", ns.Name, "port-forward", "pod/" + pod, ":8080", "--address", "127.0.0.1"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        foreach (var (name, value) in Environment(cluster))
            start.Environment[name] = value;
        using var forward = Process.Start(start)!;
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
            var said = await forward.StandardOutput.ReadLineAsync(limit.Token);
            var port = int.Parse(LocalPort().Match(said ?? "").Groups["port"].Value);
            var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => EchoAsync(port, $"message {i} " + new string('x', 20_000), limit.Token)));
            Assert.All(answers, Assert.True);
        }
        finally
        {
            forward.Kill();
        }
    }

    private static async Task<bool> EchoAsync(int port, string message, CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        await using var stream = client.GetStream();
        await using var writer = new StreamWriter(stream) { AutoFlush = true };
        using var reader = new StreamReader(stream);
        await writer.WriteLineAsync(message.AsMemory(), cancellationToken);
        return await reader.ReadLineAsync(cancellationToken) == message;
    }

    private static Dictionary<string, string> Environment(WeftCluster cluster) => new() { ["KUBECONFIG"] = cluster.Kubeconfig };

    [GeneratedRegex(@"127\.0\.0\.1:(?<port>\d+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex LocalPort();
}
