namespace Weft.Node.Pressure;

/// <summary>What a node can run short of; the kubelet's names in comments are what its messages say.</summary>
internal enum Signal
{
    /// <summary>memory.available</summary>
    Memory,

    /// <summary>nodefs.available</summary>
    NodeDisk,

    /// <summary>nodefs.inodesFree</summary>
    NodeInodes,

    /// <summary>imagefs.available</summary>
    ImageDisk,

    /// <summary>pid.available</summary>
    Processes,
}

internal sealed record Room(long Capacity, long Available);

/// <summary>The node's conditions of that name.</summary>
internal sealed record NodePressure(bool Memory, bool Disk, bool Processes)
{
    public static readonly NodePressure None = new(false, false, false);
}

/// <summary>Below which room a node is short. Memory as the kubelet's default; disks as small distributions set it (5 %): a developer's disk is often 90 % full and well.</summary>
internal static class Thresholds
{
    private const long Mebibyte = 1024 * 1024;

    public static long Of(Signal signal, Room room) => signal switch
    {
        Signal.Memory => 100 * Mebibyte,
        _ => room.Capacity / 20,
    };
}
