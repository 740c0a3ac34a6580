using Weft.Proxy.Http;
using Weft.Proxy.Routing;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Forwarding;

/// <summary>The connections of one loop to endpoints.</summary>
internal interface IUpstreams
{
    /// <summary>A stream for one request; its connection may still have to be made. Null: a limit of the cluster was reached.</summary>
    /// <param name="grpc">The request needs HTTP/2 where the cluster leaves the protocol open.</param>
    /// <param name="version">What its client speaks, 11 or 20, where the cluster speaks the same.</param>
    /// <param name="client">Whom the request is for; null: the proxy itself asks. Matters where connections are made for one client.</param>
    IClientStream? Open(Cluster cluster, UpstreamEndpoint endpoint, bool grpc, byte version, ConnectionFacts? client, IClientStreamHandler handler);
}
