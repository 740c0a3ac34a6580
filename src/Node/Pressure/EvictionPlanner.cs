using System.Collections.Immutable;
using System.Globalization;
using Weft.Api.Core;
using Weft.Node.Pods;

namespace Weft.Node.Pressure;

/// <summary>A pod that runs here, and what it takes.</summary>
/// <param name="MemoryBytes">Its working set.</param>
/// <param name="DiskBytes">Its emptyDir volumes and logs; 0 when that was not measured.</param>
internal sealed record PodUse(Pod Pod, long MemoryBytes, long DiskBytes, long Processes);

internal sealed record Eviction(string PodUid, string Message);

/// <param name="LastShort">When each signal was last below its threshold.</param>
internal sealed record PressureState(ImmutableDictionary<Signal, DateTimeOffset> LastShort)
{
    public static readonly PressureState Begin = new(ImmutableDictionary<Signal, DateTimeOffset>.Empty);
}

/// <param name="FreeImages">Room may be had by removing unused images; do that before a pod has to go.</param>
internal sealed record PressurePlan(PressureState State, NodePressure Pressure, bool FreeImages, Eviction? Evict);

/// <summary>
/// What to do when the machine runs short: first what costs nobody anything, then one pod at a time, in Kubernetes' order. Pure: what frees no room
/// is not seen here, so the same reading gives the same plan.
/// </summary>
internal static class EvictionPlanner
{
    // The kubelet's: a condition stays that long after the last shortage, so that it does not flap.
    private static readonly TimeSpan Transition = TimeSpan.FromMinutes(5);

    // Priority classes from system-cluster-critical on are the node's own services.
    private const int Critical = 2_000_000_000;

    /// <param name="imagesFreed">Unused images were removed since this shortage began.</param>
    public static PressurePlan Plan(IReadOnlyDictionary<Signal, Room> rooms, PressureState before, IReadOnlyList<PodUse> pods, bool imagesFreed, DateTimeOffset now)
    {
        var shorts = rooms.Where(r => r.Value.Capacity > 0 && r.Value.Available < Thresholds.Of(r.Key, r.Value)).Select(r => r.Key).Order().ToList();
        var last = before.LastShort;
        foreach (var signal in shorts)
            last = last.SetItem(signal, now);
        var state = new PressureState(last);
        var pressure = new NodePressure(Holds(Signal.Memory), Holds(Signal.NodeDisk) || Holds(Signal.NodeInodes) || Holds(Signal.ImageDisk), Holds(Signal.Processes));
        if (shorts.Count == 0)
            return new(state, pressure, FreeImages: false, Evict: null);

        // Memory first: its end comes soonest.
        var worst = shorts[0];
        if (worst is Signal.NodeDisk or Signal.NodeInodes or Signal.ImageDisk && !imagesFreed)
            return new(state, pressure, FreeImages: true, Evict: null);
        return new(state, pressure, FreeImages: false, Rank(worst, pods).FirstOrDefault() is { } victim ? Evict(worst, rooms[worst], victim) : null);

        bool Holds(Signal signal) => last.TryGetValue(signal, out var at) && now - at < Transition;
    }

    /// <summary>Who goes first: who takes more than it asked for, then who matters least, then who takes most beyond what it asked for.</summary>
    public static IReadOnlyList<PodUse> Rank(Signal signal, IReadOnlyList<PodUse> pods) =>
    [
        .. pods.Where(p => !IsCritical(p.Pod) && !PodShape.IsTerminal(p.Pod) && p.Pod.Metadata.DeletionTimestamp is null)
            .OrderByDescending(p => signal != Signal.Processes && Beyond(signal, p) > 0)
            .ThenBy(p => p.Pod.Spec.Priority ?? 0)
            .ThenByDescending(p => Beyond(signal, p))
            .ThenBy(p => p.Pod.Metadata.Uid, StringComparer.Ordinal),
    ];

    public static bool IsCritical(Pod pod) => pod.Spec.Priority >= Critical || pod.Metadata.Annotations.ContainsKey("kubernetes.io/config.mirror");

    private static long Beyond(Signal signal, PodUse use) => Usage(signal, use) - Request(signal, use.Pod);

    private static long Usage(Signal signal, PodUse use) => signal switch
    {
        Signal.Memory => use.MemoryBytes,
        Signal.Processes => use.Processes,
        _ => use.DiskBytes,
    };

    private static long Request(Signal signal, Pod pod) => signal switch
    {
        Signal.Memory => Sum(pod, "memory"),
        Signal.Processes => 0,
        _ => Sum(pod, "ephemeral-storage"),
    };

    private static long Sum(Pod pod, string resource) =>
        pod.Spec.Containers.Concat(PodShape.Sidecars(pod)).Sum(c => c.Resources is { } r && (r.Requests.TryGetValue(resource, out var value) || r.Limits.TryGetValue(resource, out value)) ? value.Units : 0);

    private static Eviction Evict(Signal signal, Room room, PodUse victim)
    {
        var (resource, text) = signal switch
        {
            Signal.Memory => ("memory", Bytes(Thresholds.Of(signal, room), room.Available)),
            Signal.Processes => ("pids", Count(Thresholds.Of(signal, room), room.Available)),
            Signal.NodeInodes => ("inodes", Count(Thresholds.Of(signal, room), room.Available)),
            _ => ("ephemeral-storage", Bytes(Thresholds.Of(signal, room), room.Available)),
        };
        var used = signal switch
        {
            Signal.Processes => $" The pod had {victim.Processes} processes.",
            Signal.NodeInodes => "",
            _ => $" The pod was using {Quantity(Usage(signal, victim))}, request is {Quantity(Request(signal, victim.Pod))}.",
        };
        return new(victim.Pod.Metadata.Uid!, $"The node was low on resource: {resource}. {text}.{used}");

        static string Bytes(long threshold, long available) => $"Threshold quantity: {Quantity(threshold)}, available: {Quantity(available)}";

        static string Count(long threshold, long available) => $"Threshold quantity: {threshold}, available: {available}";
    }

    private static string Quantity(long bytes) => bytes == 0 ? "0" : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024}Ki");
}
