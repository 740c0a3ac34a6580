namespace Weft.Api.Istio;

/// <summary>
/// Ports of the node's proxy, on the address of the cluster's DNS: the numbers that Istio's own proxies have, so that whoever knows them finds them. They are
/// what captured connections are led to; nobody connects to them.
/// </summary>
public static class MeshPorts
{
    /// <summary>What a meshed pod opens.</summary>
    public const int Outbound = 15001;

    /// <summary>What is opened to a meshed pod.</summary>
    public const int Inbound = 15006;

    /// <summary>What another node's proxy opens to a meshed pod: HTTP/2 in mutual TLS.</summary>
    public const int Hbone = 15008;

    /// <summary>Bit of the packet mark (SO_MARK, socket(7)) on what is not captured: connections of the proxy itself, and of those who ask a pod how it is.</summary>
    public const int SocketMark = 0x1000;
}
