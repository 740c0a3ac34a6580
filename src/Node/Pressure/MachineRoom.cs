using System.Globalization;
using Weft.Node.Images;
using Weft.Node.Interop;

namespace Weft.Node.Pressure;

/// <summary>How much of the machine is left.</summary>
internal static class MachineRoom
{
    public static DiskRoom Of(string path)
    {
        var disk = Libc.FileSystem(path);
        return new(disk.Bytes, disk.BytesAvailable);
    }

    /// <param name="imageDirectory">Where images lie, once there are any.</param>
    public static IReadOnlyDictionary<Signal, Room> Read(string dataDir, string imageDirectory)
    {
        var disk = Libc.FileSystem(dataDir);
        var rooms = new Dictionary<Signal, Room>
        {
            [Signal.Memory] = Memory(File.ReadLines("/proc/meminfo")),
            [Signal.NodeDisk] = new(disk.Bytes, disk.BytesAvailable),
            [Signal.Processes] = Processes(File.ReadAllText("/proc/sys/kernel/pid_max"), File.ReadAllText("/proc/loadavg")),
        };
        // Some file systems (btrfs) have no fixed number of inodes, and say 0.
        if (disk.Inodes > 0)
            rooms[Signal.NodeInodes] = new(disk.Inodes, disk.InodesAvailable);
        if (Directory.Exists(imageDirectory) && Of(imageDirectory) is var images)
            rooms[Signal.ImageDisk] = new(images.Capacity, images.Available);
        return rooms;
    }

    /// <summary>proc(5): MemAvailable is what can be had without swapping, caches given back.</summary>
    public static Room Memory(IEnumerable<string> lines)
    {
        long total = 0, available = 0;
        foreach (var words in lines.Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(w => w.Length >= 2))
        {
            if (words[0] == "MemTotal:")
                total = long.Parse(words[1], CultureInfo.InvariantCulture) * 1024;
            else if (words[0] == "MemAvailable:")
                available = long.Parse(words[1], CultureInfo.InvariantCulture) * 1024;
        }
        return new(total, available);
    }

    /// <summary>proc(5): the fourth field of loadavg is `runnable/all` threads.</summary>
    public static Room Processes(string pidMax, string loadavg)
    {
        var most = long.Parse(pidMax.Trim(), CultureInfo.InvariantCulture);
        var all = long.Parse(loadavg.Split(' ')[3].Split('/')[1], CultureInfo.InvariantCulture);
        return new(most, Math.Max(most - all, 0));
    }
}
