namespace Weft.Control.Runtime;

/// <param name="LastProgress">When a key was last finished; the start of the controller before the first.</param>
/// <param name="Waiting">Keys that wait for a worker.</param>
/// <param name="LongestInFlight">How long the oldest key has been worked on; zero when there is none.</param>
/// <param name="Done">Keys finished so far, failed ones included.</param>
public sealed record ControllerHealth(
    string Name, DateTimeOffset LastProgress, int Waiting, int InFlight, TimeSpan LongestInFlight, long Done, long Failed)
{
    // Longer than any request may last (60 s) with one retry.
    private static readonly TimeSpan TooLong = TimeSpan.FromMinutes(3);

    /// <summary>Work waits and none gets done: the loop hangs.</summary>
    public bool IsStalled(DateTimeOffset now) => (Waiting > 0 || InFlight > 0) && now - LastProgress > TooLong && LongestInFlight > TooLong;
}

/// <summary>Counts what a loop does.</summary>
internal sealed class HealthMeter(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly HashSet<Work> _inFlight = [];
    private DateTimeOffset _lastProgress = time.GetUtcNow();
    private long _done;
    private long _failed;

    internal sealed class Work(DateTimeOffset started)
    {
        public DateTimeOffset Started => started;
    }

    public Work Begin()
    {
        var work = new Work(time.GetUtcNow());
        lock (_gate)
            _inFlight.Add(work);
        return work;
    }

    public void End(Work work)
    {
        lock (_gate)
        {
            _inFlight.Remove(work);
            _done++;
            _lastProgress = time.GetUtcNow();
        }
    }

    public void Failed()
    {
        lock (_gate)
            _failed++;
    }

    public ControllerHealth Read(string name, int waiting)
    {
        lock (_gate)
        {
            var oldest = _inFlight.Count == 0 ? TimeSpan.Zero : time.GetUtcNow() - _inFlight.Min(work => work.Started);
            return new ControllerHealth(name, _lastProgress, waiting, _inFlight.Count, oldest, _done, _failed);
        }
    }
}
