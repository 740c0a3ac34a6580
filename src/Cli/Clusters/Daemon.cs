using System.Diagnostics;
using Weft.Cli.Processes;

namespace Weft.Cli.Clusters;

/// <summary>Starts a supervisor in a session of its own, with the log as its output: it outlives the terminal.</summary>
internal static class Daemon
{
    /// <param name="networkNamespace">Where it and all it starts live; null: where we live.</param>
    internal static ProcessIdentity Start(ClusterPaths paths, string executable, string? networkNamespace)
    {
        // nsenter and not `ip netns exec`: that one mounts /sys anew and hides the cgroups.
        IReadOnlyList<string> enter = networkNamespace is null ? [] : ["nsenter", "--net=" + networkNamespace];
        var shell = new ProcessStartInfo("/bin/sh",
            ["-c", "exec setsid \"$@\" >>\"$0\" 2>&1 </dev/null", paths.Log, .. enter, executable, "supervise", "--name", paths.Name, "--data-dir", paths.DataDir])
        {
            WorkingDirectory = "/",
            // The runtime's diagnostic pipes in /tmp outlive a process that is killed; `down` promises to leave nothing.
            Environment = { ["DOTNET_EnableDiagnostics"] = "0" },
        };
        using var process = Process.Start(shell) ?? throw new InvalidOperationException("/bin/sh did not start");
        return ProcessIdentity.Of(process.Id) ?? new(process.Id, 0);
    }
}
