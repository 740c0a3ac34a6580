using System.Diagnostics;
using System.Globalization;

namespace Weft.Node.Agent;

/// <summary>What the machine is. Read once.</summary>
internal sealed record MachineFacts(int Cpus, long MemoryBytes, string MachineId, string BootId, string Kernel, string OsImage, string RuntimeVersion, ulong Capabilities)
{
    public static async Task<MachineFacts> ReadAsync(string crun)
    {
        var memory = File.ReadLines("/proc/meminfo").First(l => l.StartsWith("MemTotal:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        var capabilities = File.ReadLines("/proc/self/status").First(l => l.StartsWith("CapEff:", StringComparison.Ordinal)).Split('\t')[1];
        return new(
            Environment.ProcessorCount,
            long.Parse(memory, CultureInfo.InvariantCulture) * 1024,
            Text("/etc/machine-id"),
            Text("/proc/sys/kernel/random/boot_id"),
            Text("/proc/sys/kernel/osrelease"),
            OsName(File.Exists("/etc/os-release") ? File.ReadAllLines("/etc/os-release") : []),
            await VersionAsync(crun),
            ulong.Parse(capabilities, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    public static long DiskBytes(string directory) => new DriveInfo(directory).TotalSize;

    /// <summary>PRETTY_NAME of os-release(5).</summary>
    public static string OsName(IEnumerable<string> lines) =>
        lines.FirstOrDefault(l => l.StartsWith("PRETTY_NAME=", StringComparison.Ordinal))?["PRETTY_NAME=".Length..].Trim('"') ?? "Linux";

    private static string Text(string path) => File.Exists(path) ? File.ReadAllText(path).Trim() : "";

    private static async Task<string> VersionAsync(string crun)
    {
        using var process = Process.Start(new ProcessStartInfo(crun, "--version") { RedirectStandardOutput = true, UseShellExecute = false });
        if (process is null)
            return "process://unknown";
        var line = await process.StandardOutput.ReadLineAsync();
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return "process://" + (line?.Replace("crun version ", "crun-", StringComparison.Ordinal) ?? "crun");
    }
}
