namespace Weft.Control.Identity;

/// <summary>How many certificates one node may ask for. Kept by node and not by connection, so that a new connection brings no new allowance.</summary>
internal sealed class SigningLimits(TimeProvider time)
{
    /// <summary>A node that starts with 250 pods of as many accounts, twice.</summary>
    internal const int Burst = 500;

    /// <summary>Half a day's renewals of 250 accounts are 0.006 a second; one signature is 0.1 ms of work.</summary>
    internal const double PerSecond = 5;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (double Left, DateTimeOffset At)> _nodes = [];

    internal bool Take(string node)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var (left, at) = _nodes.GetValueOrDefault(node, (Burst, now));
            left = Math.Min(Burst, left + (Math.Max(0, (now - at).TotalSeconds) * PerSecond));
            _nodes[node] = (left >= 1 ? left - 1 : left, now);
            return left >= 1;
        }
    }
}
