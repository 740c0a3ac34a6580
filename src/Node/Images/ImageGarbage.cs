namespace Weft.Node.Images;

/// <param name="LastUsed">When a container last asked for it; null: not since the agent started.</param>
/// <param name="FirstSeen">When this agent saw it first.</param>
internal sealed record StoredImage(string Id, long Bytes, bool Pinned, bool InUse, DateTimeOffset? LastUsed, DateTimeOffset FirstSeen);

/// <summary>Room of the file system that images lie on.</summary>
internal sealed record DiskRoom(long Capacity, long Available)
{
    public double UsedPercent => Capacity <= 0 ? 0 : 100.0 - (100.0 * Available / Capacity);
}

/// <summary>Which images to remove. The kubelet's rule: from 85 % use of the disk on, the longest unused ones, down to 80 %. Pure.</summary>
internal static class ImageGarbage
{
    private const int HighPercent = 85, LowPercent = 80;

    // An image that was fetched a moment ago is about to be used.
    private static readonly TimeSpan LeastAge = TimeSpan.FromMinutes(2);

    /// <summary>How much to free; 0 below the high mark.</summary>
    public static long Excess(DiskRoom disk) =>
        disk.UsedPercent < HighPercent ? 0 : Math.Max(0, disk.Capacity / 100 * (100 - LowPercent) - disk.Available);

    /// <summary>The images to remove, in order, until so much is freed. Never one that is used or pinned.</summary>
    public static IReadOnlyList<StoredImage> Plan(IReadOnlyList<StoredImage> images, long bytes, DateTimeOffset now)
    {
        var chosen = new List<StoredImage>();
        foreach (var image in images
            .Where(i => !i.InUse && !i.Pinned && now - i.FirstSeen >= LeastAge && (i.LastUsed is null || now - i.LastUsed >= LeastAge))
            .OrderBy(i => i.LastUsed ?? DateTimeOffset.MinValue).ThenBy(i => i.FirstSeen).ThenBy(i => i.Id, StringComparer.Ordinal))
        {
            if (bytes <= 0)
                break;
            chosen.Add(image);
            bytes -= image.Bytes;
        }
        return chosen;
    }
}
