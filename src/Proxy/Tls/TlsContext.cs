namespace Weft.Proxy.Tls;

/// <summary>
/// What many connections share. Counted: who made it disposes it when a newer one takes its place, and it is freed with its last connection. So a certificate is changed
/// by making a new context; connections that are open, or in their handshake, live on with what they began with.
/// </summary>
internal abstract class TlsContext(TimeProvider time) : IDisposable
{
    private int _references = 1;
    private int _disposed;

    internal TimeProvider Time { get; } = time;

    internal bool IsFreed => Volatile.Read(ref _references) == 0;

    /// <exception cref="ObjectDisposedException">It has been freed. The caller's snapshot is older than it may be: connections are made with a snapshot that holds its contexts.</exception>
    internal void Acquire()
    {
        for (var seen = Volatile.Read(ref _references); seen > 0;)
        {
            var before = Interlocked.CompareExchange(ref _references, seen + 1, seen);
            if (before == seen)
                return;
            seen = before;
        }

        throw new ObjectDisposedException(GetType().Name);
    }

    internal void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
            Free();
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            Release();
    }

    protected abstract void Free();
}
