using System.Runtime.InteropServices;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Upstream.Clusters;

/// <summary>
/// Circuit breaking: how much of a cluster is used at once, by all loops together. Entering takes a count that leaving gives back; beyond the limit it fails at once, which is what keeps
/// a slow cluster from taking the whole proxy with it. Loops count at the same time, so a limit may be passed by as many as there are loops for a moment, never for long.
/// </summary>
internal sealed class ClusterLimits
{
    private PoolLimits _limits;
    private RetryBudget _budget;
    private readonly Func<bool> _enter;
    private Counters _counters;

    public ClusterLimits(PoolLimits limits, RetryBudget budget)
    {
        (_limits, _budget) = (limits, budget);
        _enter = Enter;
    }

    /// <summary>The pools that wait for room among the connections.</summary>
    public ConnectQueue Queue { get; } = new();

    public int Connections => Volatile.Read(ref _counters.Connections);

    public int Pending => Volatile.Read(ref _counters.Pending);

    public int Requests => Volatile.Read(ref _counters.Requests);

    public int Retries => Volatile.Read(ref _counters.Retries);

    public void Configure(PoolLimits limits, RetryBudget budget)
    {
        Volatile.Write(ref _limits, limits);
        Volatile.Write(ref _budget, budget);
        Queue.Grant(_enter);
    }

    /// <summary>Whoever waits goes first.</summary>
    public bool TryConnect() => Queue.Count == 0 && Enter();

    public void Disconnected()
    {
        // First the count, then the look at the queue, and in the queue it is the other way round: one of the two sees the other.
        Interlocked.Decrement(ref _counters.Connections);
        Queue.Grant(_enter);
    }

    /// <summary><see cref="IConnectWaiter.Granted"/> is called when there is room.</summary>
    public void AwaitConnection(IConnectWaiter pool)
    {
        Queue.Enlist(pool);
        Queue.Grant(_enter);
    }

    public bool TryWait() => TryEnter(ref _counters.Pending, _limits.MaxPending);

    public void Waited() => Interlocked.Decrement(ref _counters.Pending);

    public bool TryRequest() => TryEnter(ref _counters.Requests, _limits.MaxRequests);

    public void RequestEnded() => Interlocked.Decrement(ref _counters.Requests);

    /// <summary>Within the budget: a share of what is in flight now, or the few that are always allowed; and within the plain limit where there is one.</summary>
    public bool TryRetry()
    {
        var budget = Volatile.Read(ref _budget);
        var most = Math.Max(budget.Least, (int)(Requests * budget.Fraction));
        if (_limits.MaxRetries > 0)
            most = Math.Min(most, _limits.MaxRetries);
        return TryEnter(ref _counters.Retries, most);
    }

    public void RetryEnded() => Interlocked.Decrement(ref _counters.Retries);

    private bool Enter() => TryEnter(ref _counters.Connections, Volatile.Read(ref _limits).MaxConnections);

    private static bool TryEnter(ref int count, int limit)
    {
        if (Volatile.Read(ref count) >= limit)
            return false;
        if (Interlocked.Increment(ref count) <= limit)
            return true;
        Interlocked.Decrement(ref count);
        return false;
    }

    // Each on cache lines of its own, two apart, as in EndpointState.
    [StructLayout(LayoutKind.Explicit, Size = 640)]
    private struct Counters
    {
        [FieldOffset(128)] public int Connections;
        [FieldOffset(256)] public int Pending;
        [FieldOffset(384)] public int Requests;
        [FieldOffset(512)] public int Retries;
    }
}
