namespace Weft.ApiServer.Http;

/// <summary>
/// How many requests are served at once: what bounds the memory that clients can make the server hold (a write may be 3 MiB). One too many is refused at
/// once with 429 and a Retry-After, which every Kubernetes client obeys. Reads and writes have pools of their own, so that neither starves the other.
/// Watches and sessions last for hours and are counted elsewhere; health, metrics and discovery must answer above all when the server is busy.
/// </summary>
internal sealed class InFlight(int reads, int writes)
{
    private readonly Pool _reads = new(reads);
    private readonly Pool _writes = new(writes);

    /// <summary>Takes a place, which the caller gives back; null for a request that needs none.</summary>
    public Pool? Enter(RequestInfo info)
    {
        var pool = PoolOf(info);
        if (pool is not null && !pool.TryEnter())
            throw Statuses.TooManyRequests("too many requests are being served, please try again later", 1);
        return pool;
    }

    private Pool? PoolOf(RequestInfo info)
    {
        if (!info.IsResource)
            return null;
        switch (info.Verb)
        {
            case "watch":
                return null;
            case "get" or "create" when info.Subresource is "exec" or "attach" or "portforward" or "log":
                return null;
            case "get" or "list":
                return _reads;
            default:
                return _writes;
        }
    }

    internal sealed class Pool(int size)
    {
        private int _taken;

        public bool TryEnter()
        {
            if (Interlocked.Increment(ref _taken) <= size)
                return true;
            Leave();
            return false;
        }

        public void Leave() => Interlocked.Decrement(ref _taken);
    }
}
