using System.Globalization;
using Weft.Cli.Processes;
using Weft.Cli.Supervision;

namespace Weft.Cli.Clusters;

/// <summary>`weft status`: what runs, how big it is, where to reach it.</summary>
public sealed class StatusCommand(TextWriter output)
{
    /// <returns>0 when the cluster is ready, 3 when it is not up (as `systemctl status` has it).</returns>
    public int Run(ClusterPaths paths)
    {
        var supervisor = Supervisor.Find(paths);
        var server = ServerState.Load(paths.ServerFile);
        if (supervisor is null && server is not { Process.IsAlive: true })
        {
            output.WriteLine($"cluster '{paths.Name}' is not up (sudo weft up)");
            return 3;
        }

        var ready = server is { Phase: ServerPhase.Ready, Process.IsAlive: true };
        output.WriteLine($"cluster     {paths.Name}: {(ready ? "ready" : server?.Message ?? "starting")}");
        if (ClusterSettings.Load(paths.Settings) is { } settings)
        {
            output.WriteLine($"api         https://127.0.0.1:{settings.ApiPort}   pods {settings.PodCidr}   services {settings.ServiceCidr}");
            if (settings.RegistryPort > 0)
                output.WriteLine($"registry    127.0.0.1:{settings.RegistryPort}   (weft image load, weft image login)");
            if (settings.DiscoveryPort > 0)
                output.WriteLine($"discovery   http://127.0.0.1:{settings.DiscoveryPort}   (Consul's API; names below .consul)   token {paths.DiscoveryToken}");
        }

        output.WriteLine($"data        {paths.DataDir}   log {paths.Log}   kubeconfig {paths.Kubeconfig}");
        Show("supervisor", supervisor);
        var children = ChildState.Load(paths);
        if (children.Count == 0)
            Show("server", server?.Process);
        foreach (var child in children)
            Show(child.Name, child.Process, child);
        return ready ? 0 : 3;
    }

    private void Show(string role, ProcessIdentity? process, ChildState? child = null)
    {
        var past = child is { Restarts: > 0 } ? string.Create(CultureInfo.InvariantCulture, $"   restarts {child.Restarts}") : "";
        var why = child?.LastEnd is { } end ? $"   (the last {end})" : "";
        if (process is { IsAlive: true })
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{role,-11} pid {process.Pid}   memory {ResidentMegabytes(process.Pid):0} MB{past}{why}"));
        else
            output.WriteLine($"{role,-11} not running{past}{why}");
    }

    // VmRSS of /proc/PID/status, in kB (proc(5)).
    private static double ResidentMegabytes(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}
