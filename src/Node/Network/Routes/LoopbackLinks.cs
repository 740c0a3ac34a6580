namespace Weft.Node.Network.Routes;

/// <summary>
/// Links to other nodes may carry 127.0.0.1 as a source (`route_localnet`), so that a node port answers there when its pod runs on another node: the
/// kernel asks before the address is replaced. What comes in with such addresses is dropped by <see cref="NodeFirewall"/>. What was changed is written
/// down, since these links are the machine's own, and stay after the cluster.
/// </summary>
internal static class LoopbackLinks
{
    private const string FileName = "loopback-links";

    // Nodes of one machine have links of the same name, each in its own network.
    private static string Network => new FileInfo("/proc/self/ns/net").LinkTarget ?? "";

    public static void Allow(string runDir, IEnumerable<string> links)
    {
        foreach (var link in links.Distinct())
        {
            var setting = Setting(link);
            if (!File.Exists(setting) || File.ReadAllText(setting).Trim() == "1")
                continue;
            Directory.CreateDirectory(runDir);
            File.AppendAllText(Path.Combine(runDir, FileName), $"{Network} {link}\n");
            File.WriteAllText(setting, "1");
        }
    }

    public static void Restore(string runDir)
    {
        var file = Path.Combine(runDir, FileName);
        if (!File.Exists(file))
            return;
        foreach (var line in File.ReadAllLines(file).Distinct())
        {
            if (line.Split(' ') is [var network, var link] && network == Network && File.Exists(Setting(link)))
                File.WriteAllText(Setting(link), "0");
        }

        File.Delete(file);
    }

    /// <summary>From /proc/net/route: name, and a destination and a mask of zeros (proc(5)). Pure.</summary>
    public static IReadOnlyList<string> OfDefaultRoute(IEnumerable<string> procNetRoute) =>
        [.. procNetRoute.Skip(1).Select(line => line.Split('\t', StringSplitOptions.TrimEntries)).Where(columns => columns.Length > 7 && columns[1] == "00000000" && columns[7] == "00000000").Select(columns => columns[0])];

    private static string Setting(string link) => $"/proc/sys/net/ipv4/conf/{link}/route_localnet";
}
