using System.Net;
using System.Text;
using Weft.Proxy.Http;
using Weft.Proxy.Upstream;

namespace Weft.Proxy.Forwarding;

/// <summary>What is the same for all requests of one client connection.</summary>
internal sealed class DownstreamConnection(LoopServices services, EndpointPool pool, IPEndPoint? peer) : IExchangeFactory
{
    public EndpointPool Pool => pool;

    /// <summary>The client's address as it is written into X-Forwarded-For.</summary>
    public byte[] PeerText { get; } = Encoding.ASCII.GetBytes((peer?.Address.IsIPv4MappedToIPv6 == true ? peer.Address.MapToIPv4() : peer?.Address)?.ToString() ?? "unknown");

    public RequestHead RentHead() => services.RentHead();

    public void ReturnHead(RequestHead head) => services.Return(head);

    public IServerStreamHandler Begin()
    {
        var exchange = services.RentExchange();
        exchange.Begin(this);
        return exchange;
    }
}
