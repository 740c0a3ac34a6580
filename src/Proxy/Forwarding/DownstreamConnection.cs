using Weft.Proxy.Http;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry.Metrics;

namespace Weft.Proxy.Forwarding;

/// <summary>What is the same for all requests of one client connection.</summary>
/// <param name="httpVersion">11 or 20.</param>
internal sealed class DownstreamConnection(LoopServices services, HttpListenerState listener, ConnectionFacts facts, byte httpVersion = 11) : IExchangeFactory
{
    private int _source = -1;

    public HttpListenerState Listener => listener;

    public ConnectionFacts Facts => facts;

    public byte HttpVersion => httpVersion;

    /// <summary>The client by its workload or identity, of the table of sources.</summary>
    public int Source => _source >= 0 ? _source : _source = facts.Mesh?.Source is { } source
        ? services.Names.Sources.Intern(source.Labels)
        : facts.Identity is { } identity
        ? services.Names.Sources.Intern(new WorkloadLabels { Principal = identity, Namespace = facts.Namespace ?? WorkloadLabels.Unknown })
        : 0;

    public RequestHead RentHead() => services.RentHead();

    public void ReturnHead(RequestHead head) => services.Return(head);

    public IServerStreamHandler Begin()
    {
        var exchange = services.RentExchange();
        exchange.Begin(this);
        return exchange;
    }
}
