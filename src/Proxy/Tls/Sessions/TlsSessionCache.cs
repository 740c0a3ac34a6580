using Weft.Proxy.Tls.Native;

namespace Weft.Proxy.Tls.Sessions;

/// <summary>
/// Sessions of endpoints, to resume. Belongs to one loop and one client context: a session is never used under other authorities than those it was made under.
/// A session is given out once (RFC 8446 appendix C.4: used twice, it lets an observer link connections).
/// </summary>
internal sealed class TlsSessionCache(int maxEndpoints = 1024, int maxPerEndpoint = 2) : IDisposable
{
    private readonly Dictionary<string, LinkedListNode<Slot>> _byEndpoint = [];
    private readonly LinkedList<Slot> _oldestFirst = [];

    private bool _disposed;

    public int Count => _oldestFirst.Sum(s => s.Sessions.Count);

    /// <summary>Takes over the reference.</summary>
    internal void Put(string endpoint, nint session)
    {
        // A connection that outlives its pool may still be given tickets.
        if (_disposed)
        {
            LibSsl.SSL_SESSION_free(session);
            return;
        }

        if (!_byEndpoint.TryGetValue(endpoint, out var node))
        {
            if (_byEndpoint.Count == maxEndpoints)
                Remove(_oldestFirst.First!);
            node = new LinkedListNode<Slot>(new Slot(endpoint));
            _byEndpoint[endpoint] = node;
        }
        else
        {
            _oldestFirst.Remove(node);
        }

        _oldestFirst.AddLast(node);
        node.Value.Sessions.Enqueue(session);
        if (node.Value.Sessions.Count > maxPerEndpoint)
            LibSsl.SSL_SESSION_free(node.Value.Sessions.Dequeue());
    }

    /// <summary>Hands the reference over; 0: none.</summary>
    internal nint Take(string endpoint)
    {
        if (!_byEndpoint.TryGetValue(endpoint, out var node))
            return 0;
        var session = node.Value.Sessions.Dequeue();
        if (node.Value.Sessions.Count == 0)
            Remove(node);
        return session;
    }

    public void Dispose()
    {
        _disposed = true;
        while (_oldestFirst.First is { } node)
            Remove(node);
    }

    private void Remove(LinkedListNode<Slot> node)
    {
        foreach (var session in node.Value.Sessions)
            LibSsl.SSL_SESSION_free(session);
        _byEndpoint.Remove(node.Value.Endpoint);
        _oldestFirst.Remove(node);
    }

    private sealed record Slot(string Endpoint)
    {
        public Queue<nint> Sessions { get; } = new(2);
    }
}
