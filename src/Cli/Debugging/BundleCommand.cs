using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Cli.Checks;
using Weft.Cli.Clusters;
using Weft.Cli.Nodes;
using Weft.Cli.Objects;
using Weft.Cli.Supervision;
using Weft.Client;

namespace Weft.Cli.Debugging;

/// <summary>`weft debug bundle`: what a report of a fault needs, in one file, without secrets.</summary>
public sealed class BundleCommand(TimeProvider time, TextWriter output)
{
    // What tells most about a cluster. Secrets are among them for their names and types.
    private static readonly (string Path, string Name)[] Resources =
    [
        ("/api/v1/nodes", "nodes"), ("/api/v1/namespaces", "namespaces"), ("/api/v1/pods", "pods"), ("/api/v1/services", "services"), ("/api/v1/events", "events"),
        ("/api/v1/configmaps", "configmaps"), ("/api/v1/secrets", "secrets"), ("/api/v1/persistentvolumes", "persistentvolumes"), ("/api/v1/persistentvolumeclaims", "persistentvolumeclaims"),
        ("/apis/apps/v1/deployments", "deployments"), ("/apis/apps/v1/replicasets", "replicasets"), ("/apis/apps/v1/statefulsets", "statefulsets"), ("/apis/apps/v1/daemonsets", "daemonsets"),
        ("/apis/batch/v1/jobs", "jobs"), ("/apis/discovery.k8s.io/v1/endpointslices", "endpointslices"), ("/apis/networking.k8s.io/v1/networkpolicies", "networkpolicies"),
        ("/apis/coordination.k8s.io/v1/leases", "leases"), ("/apis/node.k8s.io/v1/runtimeclasses", "runtimeclasses"), ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "customresourcedefinitions"),
    ];

    private const int MaxObjects = 2000;
    private static readonly TimeSpan ApiPatience = TimeSpan.FromSeconds(15);

    public async Task<int> RunAsync(ClusterPaths paths, string? file, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var name = string.Create(CultureInfo.InvariantCulture, $"weft-{paths.Name}-{now:yyyyMMdd-HHmmss}");
        var target = Path.GetFullPath(file ?? name + ".tar.gz");
        // It tells much about a machine: for its maker alone, who decides to whom it goes.
        await using (var stream = new FileStream(target, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        await using (var bundle = new BundleWriter(stream, name, now))
        {
            await MachineAsync(bundle, paths, cancellationToken);
            await LogsAsync(bundle, paths, "", cancellationToken);
            foreach (var number in LocalNodes.Numbers(paths))
                await LogsAsync(bundle, paths.LocalNode(number), FormattableString.Invariant($"node-{number}/"), cancellationToken);
            await NetworksAsync(bundle, paths, cancellationToken);
            await ClusterAsync(bundle, paths, cancellationToken);
        }

        output.WriteLine($"{target}   {new FileInfo(target).Length / 1024} kB");
        output.WriteLine("values of Secrets, keys, tokens and passwords are taken out; look into it before you give it away: tar tzf FILE");
        return 0;
    }

    private async Task MachineAsync(BundleWriter bundle, ClusterPaths paths, CancellationToken cancellationToken)
    {
        IReadOnlyList<Finding> findings = [];
        await bundle.AddAsync("check.json", async () => JsonSerializer.Serialize(findings = await CheckCommand.FindAsync(paths, null, time, cancellationToken), FindingJson.Default.IReadOnlyListFinding), cancellationToken);
        await bundle.AddAsync("versions.txt", () => Task.FromResult(
            $"weft {typeof(BundleCommand).Assembly.GetName().Version}\n.NET {Environment.Version}\n{Read("/proc/version")}\n{Read("/etc/os-release")}\n"
            + string.Join('\n', findings.Where(f => f.Area == "packages").Select(f => f.Message)) + "\n"), cancellationToken);
        await bundle.AddAsync("memory.txt", () => Task.FromResult(Read("/proc/meminfo") + Read("/proc/loadavg") + Read("/proc/pressure/memory") + Read("/proc/pressure/cpu") + Read("/proc/pressure/io")), cancellationToken);
        await bundle.AddAsync("mounts.txt", () => Task.FromResult(Read("/proc/self/mounts")), cancellationToken);
        await bundle.AddAsync("cgroups.txt", () => Task.FromResult(Cgroups(paths)), cancellationToken);
        await bundle.AddAsync("processes.txt", () => Task.FromResult(Processes(paths)), cancellationToken);
    }

    private static async Task LogsAsync(BundleWriter bundle, ClusterPaths paths, string folder, CancellationToken cancellationToken)
    {
        await bundle.AddAsync(folder + "settings.json", () => Task.FromResult(File.Exists(paths.AgentSettings) ? Read(paths.AgentSettings) : Read(paths.Settings)), cancellationToken);
        await bundle.AddAsync(folder + "state.txt", () => Task.FromResult(
            $"supervisor {Supervisor.Find(paths)}\n{ServerState.Load(paths.ServerFile)}\n{string.Join('\n', ChildState.Load(paths))}\n"), cancellationToken);
        foreach (var log in Directory.Exists(Path.GetDirectoryName(paths.Log)) ? Directory.EnumerateFiles(Path.GetDirectoryName(paths.Log)!) : [])
            await bundle.AddAsync($"{folder}log/{Path.GetFileName(log)}", () => Task.FromResult(Read(log)), cancellationToken);
        foreach (var log in Directory.Exists(paths.Node) ? Directory.EnumerateFiles(paths.Node, "*.log", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1, IgnoreInaccessible = true }) : [])
            await bundle.AddAsync($"{folder}node-log/{Path.GetFileName(log)}", () => Task.FromResult(Read(log)), cancellationToken);
        foreach (var socket in Directory.Exists(paths.RunDir) ? Directory.EnumerateFiles(paths.RunDir, "containerd.sock", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3, IgnoreInaccessible = true }) : [])
        {
            await bundle.AddAsync(folder + "containerd.txt", async () =>
            {
                var text = new StringBuilder();
                foreach (var what in new[] { "version", "namespaces list", "-n k8s.io containers list", "-n k8s.io tasks list", "-n k8s.io images list -q", "plugins list" })
                    text.Append(await ToolAsync("/usr/bin/ctr", ["--connect-timeout", "2s", "-a", socket, .. what.Split(' ')], cancellationToken));
                return text.ToString();
            }, cancellationToken);
        }
    }

    private static async Task NetworksAsync(BundleWriter bundle, ClusterPaths paths, CancellationToken cancellationToken)
    {
        await NetworkAsync("", []);
        foreach (var ns in LocalNetwork.Namespaces(paths))
            await NetworkAsync(ns + "/", ["--net=" + LocalNetwork.NamespacePath(ns)]);

        async Task NetworkAsync(string folder, IReadOnlyList<string> enter)
        {
            await Tool("addresses.txt", "ip", "addr");
            await Tool("routes.txt", "ip", "route", "show", "table", "all");
            await Tool("rules.txt", "ip", "rule");
            await Tool("nft.txt", "nft", "list", "ruleset");

            Task Tool(string file, params string[] command) => bundle.AddAsync($"network/{folder}{file}", () => ToolAsync(
                enter.Count > 0 ? "/usr/bin/nsenter" : "/usr/bin/env", [.. enter, .. command], cancellationToken), cancellationToken);
        }
    }

    private async Task ClusterAsync(BundleWriter bundle, ClusterPaths paths, CancellationToken cancellationToken)
    {
        KubeClient client;
        try
        {
            client = ClusterConnection.Find(paths).Connect(time, "weft-debug");
        }
        catch (Exception none) when (none is CommandException or KubeconfigException)
        {
            await bundle.AddAsync("objects/none.txt", () => Task.FromResult(none.Message + "\n"), cancellationToken);
            return;
        }

        using (client)
        {
            foreach (var (path, name) in Resources)
            {
                await bundle.AddAsync($"objects/{name}.json", async () =>
                {
                    using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                    limit.CancelAfter(ApiPatience);
                    var list = await client.GetJsonAsync(FormattableString.Invariant($"{path}?limit={MaxObjects}"), limit.Token);
                    foreach (var item in (list["items"] as JsonArray ?? []).OfType<JsonObject>())
                    {
                        // Items of a list carry no kind of their own.
                        item["kind"] ??= ((string?)list["kind"])?.Replace("List", "", StringComparison.Ordinal);
                        Redactor.Object(item);
                    }

                    return list.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
                }, cancellationToken);
            }

            foreach (var (path, name) in new[] { ("/metrics", "metrics.txt"), ("/livez?verbose", "livez.txt"), ("/version", "version.json") })
            {
                await bundle.AddAsync(name, async () =>
                {
                    using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                    limit.CancelAfter(ApiPatience);
                    using var response = await client.OpenAsync(path, limit.Token);
                    return await response.Content.ReadAsStringAsync(limit.Token);
                }, cancellationToken);
            }
        }
    }

    private static async Task<string> ToolAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var (exit, text, errors) = await MachineReader.RunAsync(program, arguments, null, cancellationToken);
        return $"# {string.Join(' ', arguments)}{(exit == 0 ? "" : $"   (exit {exit})")}\n{text}{errors}\n";
    }

    // The end of it: a log is bounded here before it is in memory.
    private static string Read(string path)
    {
        if (!File.Exists(path))
            return "";
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.CanSeek && file.Length > BundleWriter.MaxFile)
            file.Seek(-BundleWriter.MaxFile, SeekOrigin.End);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd();
    }

    private static string Cgroups(ClusterPaths paths)
    {
        var text = new StringBuilder();
        var roots = File.Exists("/sys/fs/cgroup/cgroup.controllers") ? ["/sys/fs/cgroup"] : new[] { "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids" };
        foreach (var top in roots.Where(Directory.Exists).SelectMany(root => Directory.EnumerateDirectories(root).Where(path => IsOurs(Path.GetFileName(path), paths))))
        {
            foreach (var directory in Directory.EnumerateDirectories(top, "*", SearchOption.AllDirectories).Prepend(top))
            {
                text.Append(directory);
                foreach (var file in new[] { "memory.usage_in_bytes", "memory.limit_in_bytes", "memory.current", "memory.max", "pids.current", "pids.max", "memory.events", "memory.oom_control" })
                {
                    if (File.Exists(Path.Combine(directory, file)))
                        text.Append(CultureInfo.InvariantCulture, $"  {file}={Read(Path.Combine(directory, file)).Trim().ReplaceLineEndings(",")}");
                }

                text.Append('\n');
            }
        }

        return text.ToString();
    }

    private static bool IsOurs(string name, ClusterPaths paths) =>
        name == "weft-" + paths.Name || name.StartsWith($"weft-{paths.Name}.", StringComparison.Ordinal);

    private static string Processes(ClusterPaths paths)
    {
        var text = new StringBuilder();
        foreach (var directory in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)))
        {
            try
            {
                var command = File.ReadAllText(Path.Combine(directory, "cmdline")).Replace('\0', ' ').Trim();
                var cgroup = File.ReadAllText(Path.Combine(directory, "cgroup"));
                var isOurs = command.Contains(paths.DataDir, StringComparison.Ordinal) || command.Contains(paths.RunDir, StringComparison.Ordinal)
                    || cgroup.Contains($"/weft-{paths.Name}/", StringComparison.Ordinal) || cgroup.Contains($"/weft-{paths.Name}.", StringComparison.Ordinal);
                if (!isOurs)
                    continue;
                var status = File.ReadLines(Path.Combine(directory, "status")).Where(line => line.StartsWith("PPid:", StringComparison.Ordinal) || line.StartsWith("VmRSS:", StringComparison.Ordinal)
                    || line.StartsWith("State:", StringComparison.Ordinal) || line.StartsWith("Threads:", StringComparison.Ordinal));
                text.Append(CultureInfo.InvariantCulture, $"{Path.GetFileName(directory)}  {string.Join("  ", status.Select(line => line.Replace('\t', ' ')))}\n    {command}\n");
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It has ended meanwhile.
            }
        }

        return text.ToString();
    }
}
