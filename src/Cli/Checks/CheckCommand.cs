using System.Net;
using System.Text.Json;
using Weft.Cli.Clusters;
using Weft.Cli.Supervision;

namespace Weft.Cli.Checks;

/// <summary>`weft check`: whether this machine can run a cluster, and what to do where it cannot.</summary>
public sealed class CheckCommand(TimeProvider time, TextWriter output)
{
    /// <returns>0: all is well, or warnings only; 1: something fails.</returns>
    public async Task<int> RunAsync(ClusterPaths paths, int? apiPort, bool json, CancellationToken cancellationToken)
    {
        var findings = await FindAsync(paths, apiPort, time, cancellationToken);
        if (json)
            output.WriteLine(JsonSerializer.Serialize(findings, FindingJson.Default.IReadOnlyListFinding));
        else
            Show(findings);
        return findings.Any(finding => finding.Verdict == Verdict.Fail) ? 1 : 0;
    }

    internal static async Task<IReadOnlyList<Finding>> FindAsync(ClusterPaths paths, int? apiPort, TimeProvider time, CancellationToken cancellationToken)
    {
        var settings = Readable(paths);
        var up = Supervisor.Find(paths) is not null;
        var ports = new Dictionary<int, string> { [apiPort ?? settings?.ApiPort ?? UpCommand.DefaultApiPort] = "API server" };
        var machine = await MachineReader.ReadAsync(paths, ports.Keys, time, cancellationToken);
        IReadOnlyList<IPNetwork> taken = settings is null ? [.. machine.Routes, .. MachineNetworks.OfClusters(ClusterPaths.UsualPlace, ClusterPaths.RunPlace)] : [];
        var wishes = new CheckWishes(ports, settings?.PodCidr ?? AddressPlan.ChoosePodCidr(taken), settings?.ServiceCidr ?? AddressPlan.ChooseServiceCidr(taken), up, paths.DataDir);
        return MachineChecks.Run(machine, wishes);
    }

    // Settings that cannot be read are a finding of `weft up`, not the end of this one.
    private static ClusterSettings? Readable(ClusterPaths paths)
    {
        try
        {
            return ClusterSettings.Load(paths.Settings);
        }
        catch (Exception bad) when (bad is InvalidDataException or JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void Show(IReadOnlyList<Finding> findings)
    {
        foreach (var finding in findings)
        {
            var mark = finding.Verdict switch { Verdict.Ok => "ok  ", Verdict.Warn => "warn", _ => "FAIL" };
            output.WriteLine($"{mark}  {finding.Area,-10} {finding.Message}");
            if (finding.Advice is { } advice)
                output.WriteLine($"                 -> {advice}");
        }

        var (fails, warns) = (findings.Count(f => f.Verdict == Verdict.Fail), findings.Count(f => f.Verdict == Verdict.Warn));
        output.WriteLine();
        output.WriteLine(fails > 0 ? $"{fails} must be mended before a cluster can start here" : warns > 0 ? $"a cluster can start here; {warns} to look at" : "a cluster can start here");
    }
}
