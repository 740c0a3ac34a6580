using System.Text.Json;
using Microsoft.Extensions.Logging;
using Weft.Api.Core;
using Weft.Client;
using Weft.Node.Images;
using Weft.Node.Pods;

namespace Weft.Node.Pressure;

/// <summary>How the loop reaches the machine and the agent.</summary>
/// <param name="Read">Room by signal.</param>
/// <param name="Evict">Ends a pod at once, for good.</param>
/// <param name="Report">Writes the node's conditions.</param>
internal sealed record PressureSources(
    Func<IReadOnlyDictionary<Signal, Room>> Read, Func<IReadOnlyList<Pod>> Pods, Func<Pod, bool, PodUse> Use, Func<string, string, bool> Evict,
    Func<NodePressure, CancellationToken, Task> Report, Func<CancellationToken, Task<long>> FreeImages);

/// <summary>Looks at the machine every 10 s (the kubelet's period), tells the node's conditions, and ends pods when nothing else frees room.</summary>
internal sealed partial class PressureLoop(PressureSources sources, TimeProvider time, ILogger<PressureLoop> logger)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private PressureState _state = PressureState.Begin;
    private NodePressure _told = NodePressure.None;
    private bool _imagesFreed;

    /// <summary>What holds now: new pods are judged by it.</summary>
    public NodePressure Current { get; private set; } = NodePressure.None;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                try
                {
                    await LookAsync(cancellationToken);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or ApiStatusException or HttpRequestException or JsonException)
                {
                    Log.NotLooked(logger, e.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        var rooms = sources.Read();
        var plan = Plan(rooms, uses: []);
        if (plan.FreeImages)
        {
            Log.FreeImages(logger, await sources.FreeImages(cancellationToken));
            _imagesFreed = true;
            rooms = sources.Read();
            plan = Plan(rooms, uses: []);
        }
        // Measuring pods costs something, so it is done only when one of them has to go.
        var isShort = rooms.Any(r => r.Value.Capacity > 0 && r.Value.Available < Thresholds.Of(r.Key, r.Value));
        if (isShort)
        {
            var withDisk = rooms.Any(r => r.Key is not (Signal.Memory or Signal.Processes) && r.Value.Available < Thresholds.Of(r.Key, r.Value));
            plan = Plan(rooms, [.. sources.Pods().Select(p => sources.Use(p, withDisk))]);
        }
        else
        {
            _imagesFreed = false;
        }

        _state = plan.State;
        Current = plan.Pressure;
        if (plan.Evict is { } eviction && sources.Evict(eviction.PodUid, eviction.Message))
            Log.Evicted(logger, eviction.PodUid, eviction.Message);
        if (plan.Pressure != _told)
        {
            await sources.Report(plan.Pressure, cancellationToken);
            _told = plan.Pressure;
        }
    }

    private PressurePlan Plan(IReadOnlyDictionary<Signal, Room> rooms, IReadOnlyList<PodUse> uses) => EvictionPlanner.Plan(rooms, _state, uses, _imagesFreed, time.GetUtcNow());

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The machine could not be looked at: {Cause}", EventName = nameof(NotLooked))]
        public static partial void NotLooked(ILogger logger, string cause);

        [LoggerMessage(LogLevel.Information, "The node is short of disk: unused images of {Bytes} bytes were removed", EventName = nameof(FreeImages))]
        public static partial void FreeImages(ILogger logger, long bytes);

        [LoggerMessage(LogLevel.Warning, "Pod {Uid} is evicted: {Message}", EventName = nameof(Evicted))]
        public static partial void Evicted(ILogger logger, string uid, string message);
    }
}
