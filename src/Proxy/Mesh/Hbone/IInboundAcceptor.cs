using System.Net;

namespace Weft.Proxy.Mesh.Hbone;

/// <summary>Takes what has come for a workload of this node, on the loop that it is called on.</summary>
internal interface IInboundAcceptor
{
    /// <param name="fd">Non-blocking; the receiver's to close.</param>
    /// <param name="source">Of the workload that sends; port 0 where only its address is known.</param>
    /// <param name="destination">Of the workload.</param>
    /// <param name="identity">`spiffe://...`, verified; null: none.</param>
    void Accept(int fd, IPEndPoint source, IPEndPoint destination, string? identity);
}

/// <summary>The workloads of the whole mesh, by the configuration.</summary>
internal interface IMeshPeers
{
    /// <summary>`spiffe://...` of who has the address; null: nobody that is known.</summary>
    string? IdentityOf(IPAddress address);
}
