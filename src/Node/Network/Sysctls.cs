using Weft.Node.Runtime.Process;

namespace Weft.Node.Network;

/// <summary>
/// Kernel settings that nodes change, with the values from before. They belong to the machine, not to one cluster, so the record does too: the
/// first node writes it, the last one to go gives the values back. A network namespace beside the machine's has values of its own, which go with it:
/// of those nothing is written down, and they are not given back to the machine.
/// </summary>
internal static class Sysctls
{
    private const string Forward = "/proc/sys/net/ipv4/ip_forward";
    private const string Record = "/run/weft-sysctls.json";

    private sealed record Saved(string BootId, Dictionary<string, string> Values);

    /// <summary>Packets between pods and the world are forwarded. The old value is written down before it is changed, and never overwritten.</summary>
    public static void EnableForwarding()
    {
        var now = File.ReadAllText(Forward).Trim();
        var boot = BootId();
        // A record from before a reboot (a /run on a disk) says nothing about this kernel.
        if (InMachinesNetwork && StateFile.Read<Saved>(Record)?.BootId != boot)
            StateFile.Write(Record, new Saved(boot, new Dictionary<string, string> { [Forward] = now }));
        if (now != "1")
            File.WriteAllText(Forward, "1");
    }

    /// <summary>Only when no other node is on the machine.</summary>
    public static void Restore()
    {
        if (!InMachinesNetwork || StateFile.Read<Saved>(Record) is not { } saved)
            return;
        foreach (var (path, value) in saved.BootId == BootId() ? saved.Values : [])
        {
            if (File.Exists(path) && File.ReadAllText(path).Trim() != value)
                File.WriteAllText(path, value);
        }
        File.Delete(Record);
    }

    private static bool InMachinesNetwork => new FileInfo("/proc/thread-self/ns/net").LinkTarget == new FileInfo("/proc/1/ns/net").LinkTarget;

    private static string BootId() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
}
