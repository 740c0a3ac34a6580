using Microsoft.Extensions.Logging;
using Weft.Api.Core;
using Weft.Node.Pods;
using Weft.Node.Runtime;

namespace Weft.Node.Images;

/// <summary>Removes images that nothing uses when their disk gets full: looks every 5 minutes (the kubelet's period), and when the node asks for room.</summary>
internal sealed partial class ImageCollector(
    Func<IImages?> store, ImageUse use, Func<IReadOnlyList<Pod>> pods, Func<string, DiskRoom> room, Action<string, string> warn, TimeProvider time, ILogger<ImageCollector> logger)
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _one = new(1);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
                await CollectAsync(everything: false, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    /// <param name="everything">Every unused image, however full the disk is: the node is short of room.</param>
    /// <returns>Bytes freed, as the images' sizes say.</returns>
    public async Task<long> CollectAsync(bool everything, CancellationToken cancellationToken)
    {
        if (store() is not { } images)
            return 0;
        await _one.WaitAsync(cancellationToken);
        try
        {
            var now = time.GetUtcNow();
            var all = await images.ListAsync(cancellationToken);
            use.Keep(all.Select(i => i.Id).ToHashSet());
            var names = pods().Where(p => !PodShape.IsTerminal(p)).SelectMany(PodShape.AllContainers).Select(c => ImageName.Parse(c.Image)?.Full ?? c.Image).OfType<string>().ToHashSet();
            var stored = all.Select(i =>
            {
                var used = names.Contains(i.Id) || i.Names.Any(names.Contains) || i.Digests.Any(names.Contains);
                if (used)
                    use.Used(i.Id, now);
                return new StoredImage(i.Id, i.Bytes, i.Pinned, used, use.LastUsed(i.Id), use.FirstSeen(i.Id, now));
            }).ToList();
            var disk = room((await images.UsageAsync(cancellationToken)).Directory);
            var excess = everything ? long.MaxValue : ImageGarbage.Excess(disk);
            if (excess == 0)
                return 0;

            long freed = 0;
            foreach (var image in ImageGarbage.Plan(stored, excess, now))
            {
                await images.RemoveAsync(image.Id, cancellationToken);
                freed += image.Bytes;
                Log.Removed(logger, image.Id, image.Bytes);
            }
            if (!everything && freed < excess)
                warn("FreeDiskSpaceFailed", $"Failed to garbage collect required amount of images. Attempted to free {excess} bytes, but only found {freed} bytes eligible to free.");
            return freed;
        }
        catch (Exception e) when (e is RuntimeException or IOException or HttpRequestException)
        {
            warn("ImageGCFailed", e.Message);
            return 0;
        }
        finally
        {
            _one.Release();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Image {Image} ({Bytes} bytes) is unused and was removed", EventName = nameof(Removed))]
        public static partial void Removed(ILogger logger, string image, long bytes);
    }
}
