namespace Weft.Client;

/// <summary>
/// Delivers changes to subscribers in order, one at a time and outside the cache's lock (a handler may read other caches; with locks held two
/// caches could wait for each other). Whoever queued last delivers, unless another thread is at it.
/// </summary>
internal sealed class ChangeFeed<T> where T : class
{
    private readonly Lock _gate = new();
    private readonly Queue<(Subscription? Only, Change<T> Change)> _queue = [];
    private readonly List<Subscription> _subscriptions = [];
    private bool _draining;

    public IDisposable Subscribe(Action<Change<T>> onChange, IEnumerable<Change<T>> initial)
    {
        lock (_gate)
        {
            var subscription = new Subscription(this, onChange);
            // What is queued already is part of the initial state: only what comes later is for the new subscriber.
            subscription.Skip = _queue.Count(entry => entry.Only is null);
            foreach (var change in initial)
                _queue.Enqueue((subscription, change));
            _subscriptions.Add(subscription);
            return subscription;
        }
    }

    public void Enqueue(Change<T> change)
    {
        lock (_gate)
        {
            if (_subscriptions.Count > 0)
                _queue.Enqueue((null, change));
        }
    }

    public void Drain()
    {
        while (true)
        {
            (Subscription? Only, Change<T> Change) next;
            List<Subscription> targets;
            lock (_gate)
            {
                if (_draining || _queue.Count == 0)
                    return;
                _draining = true;
                next = _queue.Dequeue();
                targets = next.Only is { } one ? [one] : [.. _subscriptions.Where(subscription => !subscription.SkipOne())];
            }

            try
            {
                foreach (var target in targets)
                    target.Deliver(next.Change);
            }
            finally
            {
                lock (_gate)
                    _draining = false;
            }
        }
    }

    private sealed class Subscription(ChangeFeed<T> feed, Action<Change<T>> onChange) : IDisposable
    {
        private volatile bool _disposed;

        public int Skip { get; set; }

        public bool SkipOne()
        {
            if (Skip == 0)
                return false;
            Skip--;
            return true;
        }

        public void Deliver(Change<T> change)
        {
            if (!_disposed)
                onChange(change);
        }

        public void Dispose()
        {
            _disposed = true;
            lock (feed._gate)
                feed._subscriptions.Remove(this);
        }
    }
}
