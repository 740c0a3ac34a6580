using Weft.Balancing;
using Weft.Proxy.Http;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Forwarding;

/// <summary>What the exchanges of one loop share, and use again: no lock, no allocation when all has been used once.</summary>
internal sealed class LoopServices(EventLoop loop, ulong seed)
{
    private readonly Stack<RequestHead> _heads = new();
    private readonly Stack<Exchange> _exchanges = new();
    public Rng Rng = new(seed);

    public EventLoop Loop => loop;

    /// <summary>A response of this proxy's own is composed here and sent at once.</summary>
    public ResponseHead LocalResponse { get; } = new();

    public RequestHead RentHead() => _heads.TryPop(out var head) ? head : new();

    public void Return(RequestHead head)
    {
        head.Clear();
        _heads.Push(head);
    }

    public Exchange RentExchange() => _exchanges.TryPop(out var exchange) ? exchange : new(this);

    public void Return(Exchange exchange) => _exchanges.Push(exchange);
}
