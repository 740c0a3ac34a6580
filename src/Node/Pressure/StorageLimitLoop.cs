using Microsoft.Extensions.Logging;
using Weft.Api.Core;
using Weft.Node.Pods;
using Weft.Node.Runtime;

namespace Weft.Node.Pressure;

/// <summary>Looks every 10 s (the kubelet's period) at the pods that have a limit of what they may hold on the disk, and ends those beyond it.</summary>
internal sealed partial class StorageLimitLoop(
    Func<IReadOnlyList<Pod>> pods, PodDirectories directories, IPodRuntime runtime, Func<string, string, bool> evict, TimeProvider time, ILogger<StorageLimitLoop> logger)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
                await LookAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach (var pod in pods().Where(p => !PodShape.IsTerminal(p) && p.Metadata.DeletionTimestamp is null && StorageLimits.Concern(p)))
        {
            try
            {
                if (StorageLimits.Exceeded(pod, await UseAsync(pod, cancellationToken)) is { } message && evict(pod.Metadata.Uid!, message))
                    Log.Evicted(logger, pod.Metadata.Namespace ?? "", pod.Metadata.Name ?? "", message);
            }
            catch (Exception e) when (e is RuntimeException or IOException or UnauthorizedAccessException or HttpRequestException)
            {
                Log.NotMeasured(logger, pod.Metadata.Namespace ?? "", pod.Metadata.Name ?? "", e.Message);
            }
        }
    }

    private async Task<StorageUse> UseAsync(Pod pod, CancellationToken cancellationToken)
    {
        var uid = pod.Metadata.Uid!;
        var volumes = pod.Spec.Volumes.Where(v => v.EmptyDir is { } empty && StorageLimits.IsOnDisk(empty)).ToDictionary(v => v.Name, v => PodUsage.Disk(directories.Volume(uid, v.Name)));
        var containers = new Dictionary<string, long>();
        foreach (var container in (await runtime.ListAsync(cancellationToken)).Containers.Where(c => c.PodUid == uid).GroupBy(c => c.Name))
        {
            var written = container.MaxBy(c => c.Attempt)! is { State: RunState.Running } running ? await runtime.WrittenBytesAsync(running.Id, cancellationToken) : 0;
            containers[container.Key] = PodUsage.Disk(directories.Container(uid, container.Key)) + written;
        }
        return new(volumes, containers);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Pod {Namespace}/{Pod} is evicted: {Message}", EventName = nameof(Evicted))]
        public static partial void Evicted(ILogger logger, string @namespace, string pod, string message);

        [LoggerMessage(LogLevel.Debug, "What pod {Namespace}/{Pod} holds on the disk could not be measured: {Cause}", EventName = nameof(NotMeasured))]
        public static partial void NotMeasured(ILogger logger, string @namespace, string pod, string cause);
    }
}
