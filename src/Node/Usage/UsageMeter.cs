using Microsoft.Extensions.Logging;
using Weft.Api.Streams;
using Weft.Node.Pressure;
using Weft.Node.Runtime;

namespace Weft.Node.Usage;

/// <summary>Reads every 10 s (the kubelet's housekeeping) what machine and containers have used; what they use now is the difference of the last two readings.</summary>
/// <param name="cgroupParent">Of the cluster's pods, `/weft-NAME`; below it both runtimes put `podUID/CONTAINER`.</param>
internal sealed partial class UsageMeter(string cgroupParent, CgroupFigures figures, Func<CancellationToken, Task<IReadOnlyList<ContainerInfo>>> containers, TimeProvider time, ILogger<UsageMeter> logger)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly long _start = time.GetTimestamp();
    private UsageReading? _last;
    private NodeUsage _current = NodeUsage.Nothing;

    public NodeUsage Current => Volatile.Read(ref _current);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            do
            {
                try
                {
                    await LookAsync(cancellationToken);
                }
                catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or RuntimeException or FormatException)
                {
                    Log.NotRead(logger, failed.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        var counted = new Dictionary<string, CountedContainer>(StringComparer.Ordinal);
        foreach (var container in await containers(cancellationToken))
        {
            var cgroup = $"{cgroupParent}/pod{container.PodUid}/{NamedRuntime.Unnamed(container.Id)}";
            if (container.State == RunState.Running && figures.Cpu(cgroup) is { } cpu && figures.WorkingSet(cgroup) is { } memory)
                counted[container.Id] = new CountedContainer(container.PodUid, container.Name, new Counted(cpu, memory));
        }

        var room = MachineRoom.Memory(File.ReadLines("/proc/meminfo"));
        var machine = new Counted(UsageReading.MachineCpu(File.ReadAllText("/proc/stat")), room.Capacity - room.Available);
        var reading = new UsageReading(time.GetUtcNow(), time.GetElapsedTime(_start), machine, counted);
        if (_last is { } before)
        {
            if (reading.IsTooSoonAfter(before))
                return;
            Volatile.Write(ref _current, reading.Since(before));
        }
        _last = reading;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "What the node uses could not be read: {Cause}", EventName = nameof(NotRead))]
        public static partial void NotRead(ILogger logger, string cause);
    }
}
