using Weft.Node.Runtime.Process;

namespace Weft.Node.Network;

/// <summary>Kernel settings that the node changes, with the values from before, so that `down` gives them back.</summary>
internal static class Sysctls
{
    private const string Forward = "/proc/sys/net/ipv4/ip_forward";

    private sealed record Saved(Dictionary<string, string> Values);

    /// <summary>Packets between pods and the world are forwarded. The old value is written down before it is changed, and never overwritten.</summary>
    public static void EnableForwarding(string dataDir)
    {
        var file = FileOf(dataDir);
        var now = File.ReadAllText(Forward).Trim();
        if (!File.Exists(file))
            StateFile.Write(file, new Saved(new Dictionary<string, string> { [Forward] = now }));
        if (now != "1")
            File.WriteAllText(Forward, "1");
    }

    public static void Restore(string dataDir)
    {
        var file = FileOf(dataDir);
        if (!File.Exists(file))
            return;
        foreach (var (path, value) in StateFile.Read<Saved>(file)?.Values ?? [])
        {
            if (File.Exists(path) && File.ReadAllText(path).Trim() != value)
                File.WriteAllText(path, value);
        }
        File.Delete(file);
    }

    private static string FileOf(string dataDir) => Path.Combine(dataDir, "sysctls.json");
}
