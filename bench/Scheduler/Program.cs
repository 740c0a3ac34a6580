using System.Diagnostics.CodeAnalysis;
using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;
using Weft.Control.Scheduling.Queue;

// Pods per second of the scheduler's core on one thread, without an API server: read the pod, queue it, decide, count it on its node.
// Usage: dotnet run -c Release --project bench/Scheduler [pods]
var pods = args.Length > 0 ? int.Parse(args[0]) : 20_000;
Console.WriteLine($"{"nodes",8}{"pods",8}  {"kind",-12}{"pods/s",10}{"bytes/pod",12}{"on fullest",12}{"on emptiest",12}");
foreach (var nodes in new[] { 1_000, 5_000 })
{
    foreach (var kind in new[] { "plain", "selective", "spread" })
    {
        Bench.Run(nodes, Math.Min(pods, 2_000), kind, print: false); // lets the runtime compile the hot path
        Bench.Run(nodes, pods, kind, print: true);
    }
}

internal static class Bench
{
    private const int Seed = 20261120;

    public static void Run(int nodeCount, int podCount, string kind, bool print)
    {
        var random = Seeded(Seed);
        var names = new ResourceNames();
        var cache = new ClusterCache(names);
        for (var i = 0; i < nodeCount; i++)
            cache.SetNode(Node(i));
        var core = new SchedulerCore(SchedulingProfile.Default(names), Seeded(Seed));
        using var queue = new SchedulingQueue(TimeProvider.System);
        var objects = new Pod[podCount];
        for (var i = 0; i < podCount; i++)
            objects[i] = Pod(i, kind, random);

        GC.Collect();
        var time = TimeProvider.System;
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        var started = time.GetTimestamp();
        foreach (var pod in objects)
        {
            queue.Set(new PodInfo(pod));
            var queued = queue.Take()!;
            if (core.Schedule(queued.Pod, cache.Snapshot) is not SchedulingResult.Placed placed)
                throw new InvalidOperationException($"pod {queued.Pod.Key} found no node: the bench is meant to have room");
            cache.Reserve(queued.Pod, placed.Node);
            queue.Remove(queued.Pod.Uid);
        }

        var seconds = time.GetElapsedTime(started).TotalSeconds;
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        if (!print)
            return;
        int least = int.MaxValue, most = 0;
        for (var i = 0; i < cache.Snapshot.Count; i++)
        {
            least = Math.Min(least, cache.Snapshot[i].Pods.Length);
            most = Math.Max(most, cache.Snapshot[i].Pods.Length);
        }

        Console.WriteLine($"{nodeCount,8}{podCount,8}  {kind,-12}{podCount / seconds,10:0}{bytes / podCount,12}{most,12}{least,12}");
    }

    private static Node Node(int i) => new()
    {
        Metadata = new ObjectMeta
        {
            Name = $"node-{i}",
            Uid = $"node-{i}",
            Labels = new Dictionary<string, string>
            {
                ["kubernetes.io/hostname"] = $"node-{i}", ["topology.kubernetes.io/zone"] = $"zone-{i % 3}", ["disk"] = i % 2 == 0 ? "ssd" : "hdd",
            },
        },
        // One node in ten is tainted, so that the taint plugin has work as in a real cluster.
        Spec = new NodeSpec { Taints = i % 10 == 0 ? [new Taint { Key = "team", Value = "red", Effect = "NoSchedule" }] : [] },
        Status = new NodeStatus
        {
            Allocatable = new Dictionary<string, Quantity>
            {
                ["cpu"] = Quantity.Parse("32"), ["memory"] = Quantity.Parse("64Gi"), ["pods"] = Quantity.Parse("110"), ["ephemeral-storage"] = Quantity.Parse("100Gi"),
            },
        },
    };

    private static Pod Pod(int i, string kind, Random random) => new()
    {
        Metadata = new ObjectMeta { Name = $"pod-{i}", Namespace = "bench", Uid = $"uid-{i}", Labels = new Dictionary<string, string> { ["app"] = $"app-{i % 50}" } },
        Spec = new PodSpec
        {
            Containers =
            [
                new Container
                {
                    Name = "main",
                    Resources = new ResourceRequirements
                    {
                        Requests = new Dictionary<string, Quantity>
                        {
                            ["cpu"] = Quantity.FromMilli(random.Next(10, 300)), ["memory"] = Quantity.FromUnits((long)random.Next(10, 500) << 20),
                        },
                    },
                },
            ],
            NodeSelector = kind == "selective" ? new Dictionary<string, string> { ["disk"] = "ssd" } : new Dictionary<string, string>(),
            TopologySpreadConstraints = kind == "spread"
                ?
                [
                    new TopologySpreadConstraint
                    {
                        MaxSkew = 5, TopologyKey = "topology.kubernetes.io/zone", WhenUnsatisfiable = "DoNotSchedule",
                        LabelSelector = new LabelSelector { MatchLabels = new Dictionary<string, string> { ["app"] = $"app-{i % 50}" } },
                    },
                ]
                : [],
        },
    };

    [SuppressMessage("Security", "CA5394:Do not use insecure randomness", Justification = "A bench that can be repeated.")]
    private static Random Seeded(int seed) => new(seed);
}
