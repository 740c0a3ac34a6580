using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Node.Interop;

namespace Weft.Node.Runtime.Process;

/// <summary>Runs conmon and crun, born in the launcher's mount namespace.</summary>
internal sealed class Programs(ProcessRuntimeOptions options, Launcher launcher, EventLoop loop)
{
    // conmon reports by this descriptor (environment variable _OCI_SYNCPIPE) which process it made, or why it could not.
    private const int SyncDescriptor = 3;

    private static readonly Dictionary<string, string> Environment = new() { ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin" };

    private readonly ProcessPaths _paths = new(options);

    /// <summary>Creates the container of a bundle under a conmon that outlives this program. The process id of its first process.</summary>
    /// <exception cref="RuntimeException">The reason as crun gives it.</exception>
    public async Task<int> CreateAsync(string id, string bundle, ContainerSpec spec, CancellationToken cancellationToken)
    {
        List<string> arguments =
        [
            "--api-version", "0", "--cid", id, "--cuuid", id, "--name", spec.Name, "--runtime", options.Crun,
            "--runtime-arg", "--root=" + _paths.CrunState, "--runtime-arg", "--cgroup-manager=cgroupfs",
            "--bundle", bundle, "--container-pidfile", Path.Combine(bundle, "pid"), "--conmon-pidfile", Path.Combine(bundle, "conmon.pid"),
            "--exit-dir", _paths.Exits, "--persist-dir", bundle, "--full-attach", "--log-level", "warning",
            "--log-path", "k8s-file:" + spec.LogPath,
            // The agent rotates at 10 MiB; this is the wall while no agent runs.
            "--log-size-max", "104857600",
        ];
        if (spec.Terminal)
            arguments.Add("--terminal");
        if (spec.Stdin)
            arguments.Add("--stdin");
        if (spec is { Stdin: true, StdinOnce: false })
            arguments.Add("--leave-stdin-open");

        var (syncRead, syncWrite) = Child.Pipe();
        await using var sync = new FdStream(loop, syncRead);
        int conmon;
        var errors = Libc.Check(Libc.open(Path.Combine(bundle, "conmon.log"), Libc.OWronly | Libc.OCreat | Libc.OTrunc | Libc.OCloexec, 0x180), "open conmon.log");
        var none = Libc.Check(Libc.open("/dev/null", Libc.ORdwr | Libc.OCloexec, 0), "open /dev/null");
        try
        {
            conmon = await launcher.RunAsync(() => Child.Spawn(options.Conmon, arguments, new Dictionary<string, string>(Environment) { ["_OCI_SYNCPIPE"] = $"{SyncDescriptor}" },
                [(none, 0), (none, 1), (errors, 2), (syncWrite, SyncDescriptor)]));
        }
        finally
        {
            _ = Libc.close(syncWrite);
            _ = Libc.close(errors);
            _ = Libc.close(none);
        }

        // The first conmon only forks the lasting one.
        var exit = await Child.ReapAsync(loop, conmon, CancellationToken.None);
        using var reader = new StreamReader(sync, Encoding.UTF8, leaveOpen: true);
        var line = await reader.ReadLineAsync(cancellationToken);
        if (line is null)
            throw new RuntimeException(RuntimeError.Create, $"conmon ended ({exit}) without an answer: {await TailAsync(Path.Combine(bundle, "conmon.log"))}");
        var answer = JsonNode.Parse(line);
        var pid = (int?)(answer?["pid"] ?? answer?["data"]) ?? -1;
        if (pid > 0)
            return pid;
        var message = ((string?)answer?["message"] ?? await TailAsync(Path.Combine(bundle, "conmon.log"))).Trim();
        throw new RuntimeException(RuntimeError.Create, CrunLog.Clean(message));
    }

    /// <exception cref="RuntimeException">crun refused; its reason.</exception>
    public async Task CrunAsync(RuntimeError error, params string[] arguments)
    {
        var (exit, output) = await CrunOutputAsync(arguments);
        if (exit != 0)
            throw new RuntimeException(error, CrunLog.Clean(output));
    }

    public async Task<(int Exit, string Output)> CrunOutputAsync(params string[] arguments)
    {
        var (read, write) = Child.Pipe();
        await using var output = new FdStream(loop, read);
        int pid;
        var none = Libc.Check(Libc.open("/dev/null", Libc.ORdwr | Libc.OCloexec, 0), "open /dev/null");
        try
        {
            pid = await launcher.RunAsync(() => Child.Spawn(options.Crun, [.. Global, .. arguments], Environment, [(none, 0), (write, 1), (write, 2)]));
        }
        finally
        {
            _ = Libc.close(write);
            _ = Libc.close(none);
        }

        var exit = await Child.ReapAsync(loop, pid, CancellationToken.None);
        output.EndWhenDrained();
        using var reader = new StreamReader(output, Encoding.UTF8, leaveOpen: true);
        return (exit, await reader.ReadToEndAsync());
    }

    /// <summary>Starts crun with descriptors of the caller's; the caller reaps it.</summary>
    public Task<int> SpawnCrunAsync(IReadOnlyList<string> arguments, IReadOnlyList<(int Own, int Childs)> descriptors) =>
        launcher.RunAsync(() => Child.Spawn(options.Crun, [.. Global, .. arguments], Environment, descriptors));

    private string[] Global => ["--root=" + _paths.CrunState, "--cgroup-manager=cgroupfs"];

    private static async Task<string> TailAsync(string path)
    {
        var text = File.Exists(path) ? await File.ReadAllTextAsync(path) : "";
        return text.Length > 1000 ? text[^1000..] : text;
    }
}

internal static class CrunLog
{
    /// <summary>The sentence in crun's error, without its time stamp and whatever form (text or JSON lines) it comes in.</summary>
    public static string Clean(string output)
    {
        var sentences = new List<string>();
        foreach (var line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var text = line;
            if (text.StartsWith('{'))
            {
                try
                {
                    text = (string?)JsonNode.Parse(text)?["msg"] ?? text;
                }
                catch (JsonException)
                {
                    // Not JSON after all: shown as it is.
                }
            }
            if (text.Length > 21 && text[4] == '-' && text[10] == 'T' && text.IndexOf(": ", StringComparison.Ordinal) is > 0 and < 40 and var colon)
                text = text[(colon + 2)..];
            sentences.Add(text);
        }
        return string.Join("; ", sentences);
    }
}
