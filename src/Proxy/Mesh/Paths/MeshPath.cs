using System.Net;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry.Metrics;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Mesh;

internal enum MeshPathKind
{
    /// <summary>Straight to a pod of this node, with the client's own address.</summary>
    Borrowed,
    /// <summary>To the inbound side of this node, which asks for the pod's policies.</summary>
    Inbound,
    /// <summary>To another node, under mutual TLS.</summary>
    Connector,
    /// <summary>There is no way that is allowed.</summary>
    Refused,
}

/// <summary>By which way, and as whom, a connection reaches its endpoint. Connections of equal paths serve the same requests.</summary>
/// <param name="Identity">Who must answer, of a <see cref="MeshPathKind.Connector"/>.</param>
internal readonly record struct MeshPath(MeshPathKind Kind, MeshSource Source, string? Identity = null);

/// <summary>Chooses the ways of connections that leave for endpoints.</summary>
internal interface IMeshPaths
{
    /// <summary>Null: straight, with this machine's address.</summary>
    /// <param name="client">Null: the proxy itself asks.</param>
    MeshPath? Of(UpstreamEndpoint endpoint, ConnectionFacts? client, MeshTls tls);

    /// <summary>Called on the loop.</summary>
    /// <returns>A non-blocking descriptor, or a negative number.</returns>
    int Dial(MeshPath path, IPEndPoint to, EventLoop loop);

    /// <summary>Whether a name that resolves to the address leads there.</summary>
    bool MayResolveTo(IPAddress address);

    /// <summary>Whether the proxy may ask there for itself, because of what a tenant wrote.</summary>
    bool MayAsk(IPAddress address);

    /// <summary>Likewise at an endpoint that a host of the mesh has because a tenant wrote it.</summary>
    bool MayAskEndpoint(IPAddress address);

    /// <summary>The service that everybody outside finds at the address and port, where that is also what the cluster's proxies are to find there; null: there is none.</summary>
    /// <param name="isTls">Who answers there has to show whose name it is.</param>
    string? ServiceAt(IPEndPoint at, bool isTls);

    /// <summary>Whether the host is none of the mesh, or one that the namespace's policies may name.</summary>
    bool IsShown(string host, string @namespace);

    /// <summary>Whether the host's endpoints are the word of who wrote it.</summary>
    bool IsDeclared(string host);

    /// <summary>What metrics call the endpoint.</summary>
    DestinationLabels LabelsOf(Cluster cluster, UpstreamEndpoint endpoint);
}
