namespace Weft.Bench.Micro;

/// <param name="Run">Does the operation so many times.</param>
/// <param name="Bytes">The most it may allocate each time, on all threads together.</param>
internal sealed record Budget(string Name, long Bytes, int Operations, Func<int, Task> Run)
{
    public async Task<Measured> MeasureAsync()
    {
        await Run(Math.Max(1, Operations / 10)); // warm: pools filled, code compiled
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var start = TimeProvider.System.GetTimestamp();
        await Run(Operations);
        var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        return new((double)(GC.GetTotalAllocatedBytes(precise: true) - before) / Operations, Operations / seconds);
    }
}

internal sealed record Measured(double BytesPerOperation, double OperationsPerSecond);
