namespace Weft.Proxy.Upstream.Clusters;

/// <summary>A pool as others of its cluster see it. Called from any thread.</summary>
internal interface IConnectWaiter
{
    /// <summary>Whether it has connections that it could give up.</summary>
    bool Holds { get; }

    /// <summary>It may make a connection, which is counted already; what it does not use it gives back.</summary>
    void Granted();

    /// <summary>Another one waits: connections that nobody uses are to be closed.</summary>
    void Asked();
}

/// <summary>
/// The pools of a cluster that wait for room, first come first served. A pool stands in it once, however many of its requests wait, and behind the others again after each
/// connection: so none starves. The gate is only taken when the cluster is full.
/// </summary>
internal sealed class ConnectQueue
{
    private readonly Lock _gate = new();
    private readonly HashSet<IConnectWaiter> _pools = [];
    private readonly LinkedList<IConnectWaiter> _order = new();
    private readonly Dictionary<IConnectWaiter, LinkedListNode<IConnectWaiter>> _places = [];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void Join(IConnectWaiter pool)
    {
        lock (_gate)
            _pools.Add(pool);
    }

    public void Leave(IConnectWaiter pool)
    {
        lock (_gate)
            _pools.Remove(pool);
    }

    /// <summary>Behind all others; those that could make room are asked to.</summary>
    public void Enlist(IConnectWaiter pool)
    {
        lock (_gate)
        {
            if (!_places.ContainsKey(pool))
            {
                _places.Add(pool, _order.AddLast(pool));
                Volatile.Write(ref _count, _order.Count);
            }

            foreach (var other in _pools)
            {
                if (other != pool && other.Holds)
                    other.Asked();
            }
        }
    }

    public void Withdraw(IConnectWaiter pool)
    {
        lock (_gate)
            Remove(pool);
    }

    /// <summary>Gives room to whoever waits, as long as there is some.</summary>
    /// <param name="enter">Counts a connection; false: there is no room.</param>
    public void Grant(Func<bool> enter)
    {
        while (Count > 0)
        {
            IConnectWaiter next;
            lock (_gate)
            {
                if (_order.First is not { } first || !enter())
                    return;
                next = first.Value;
                Remove(next);
            }

            next.Granted();
        }
    }

    private void Remove(IConnectWaiter pool)
    {
        if (!_places.Remove(pool, out var place))
            return;
        _order.Remove(place);
        Volatile.Write(ref _count, _order.Count);
    }
}
