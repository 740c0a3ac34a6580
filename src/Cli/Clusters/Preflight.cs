using Weft.Cli.Processes;

namespace Weft.Cli.Clusters;

/// <summary>What must hold before a cluster can start. Each finding is one sentence that says what to do.</summary>
public static class Preflight
{
    // What the process runtime starts, with the Debian package that has it.
    private static readonly (string File, string Package)[] Needed =
    [
        ("/usr/bin/conmon", "conmon"), ("/usr/bin/crun", "crun"), ("/usr/lib/cni/ptp", "containernetworking-plugins"),
        ("/usr/sbin/nft", "nftables"), ("/usr/sbin/ip", "iproute2"), ("/usr/sbin/conntrack", "conntrack"), ("/usr/bin/unshare", "util-linux"),
    ];

    public static IReadOnlyList<string> Problems(int apiPort, bool portIsOurs)
    {
        var problems = new List<string>();
        if (!Environment.IsPrivilegedProcess)
            return ["weft makes network namespaces and cgroups, so it needs root: run it with sudo"];

        var missing = Needed.Where(tool => !Exists(tool.File)).Select(tool => tool.Package).Distinct().ToList();
        if (missing.Count > 0)
            problems.Add($"missing {(missing.Count == 1 ? "package" : "packages")} {string.Join(", ", missing)}: run 'apt-get install {string.Join(' ', missing)}'");
        if (!portIsOurs && PortHolder.Find(apiPort) is { } holder)
            problems.Add($"port {apiPort} is taken by {holder}: stop it, or choose another with --api-port");
        return problems;
    }

    // Debian keeps some tools in /usr/sbin that other systems have in /usr/bin.
    private static bool Exists(string file) => File.Exists(file) || File.Exists(file.Replace("/sbin/", "/bin/"));
}
