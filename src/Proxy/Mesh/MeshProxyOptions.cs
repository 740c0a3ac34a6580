using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Weft.Proxy.Runtime;

namespace Weft.Proxy.Mesh;

/// <summary>What a node's proxy is given for the mesh.</summary>
public sealed record MeshProxyOptions
{
    /// <summary>Its node's name; empty: all workloads are its own.</summary>
    public string Node { get; init; } = "";

    /// <summary>Where the front door listens; null: nowhere.</summary>
    public IPAddress? DoorAddress { get; init; }

    public string TrustDomain { get; init; } = "cluster.local";

    /// <summary>Listening, with IP_TRANSPARENT: what pods of this node send.</summary>
    public IReadOnlyList<Socket> Outbound { get; init; } = [];

    /// <summary>Likewise: what comes to pods of this node in plaintext.</summary>
    public IReadOnlyList<Socket> Inbound { get; init; } = [];

    /// <summary>Likewise: tunnels from other nodes, one socket at least for each loop.</summary>
    public IReadOnlyList<Socket> Hbone { get; init; } = [];

    /// <summary>Where the node's agent says who its pods are; null: they are known by the configuration alone.</summary>
    public Socket? Registration { get; init; }

    /// <summary>Where the node's agent asks about requests and decisions; null: nobody can.</summary>
    public Socket? Inspection { get; init; }

    /// <summary>The proxy's own, for what it has to know before the server is reached: its pods, and their certificates. Null: it has neither, and speaks plaintext between nodes.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>Opens a connection to where certificates are given.</summary>
    public Func<CancellationToken, Task<WebSocket>>? Certificates { get; init; }

    /// <summary>0: one for each processor.</summary>
    public int Loops { get; init; }

    /// <summary>Whether an address is this machine's. Called on every loop; null: it cannot be told, and only pods are called with the address of the pod that calls.</summary>
    public Func<IPAddress, bool>? IsOwnAddress { get; init; }

    /// <summary>SO_MARK of connections that the proxy makes, so that they are not captured; 0: none.</summary>
    public int Mark { get; init; }

    /// <summary>From which pods, services and nodes have their addresses; none: they are not known.</summary>
    public IReadOnlyList<IPNetwork> ClusterRanges { get; init; } = [];

    /// <summary>From which load balancers are given their addresses, and nobody takes one; null: it is not known.</summary>
    public IPNetwork? BalancerPool { get; init; }

    /// <summary>Loopback ranges that pods reach all the same: where pods themselves are on loopback. Of no machine that serves anybody.</summary>
    internal IReadOnlyList<IPNetwork> LoopbackPods { get; init; } = [];

    /// <summary>Of the process before, and left to the one after: the front door's sockets. Null: they end with the process.</summary>
    public Inheritance? Inherited { get; init; }

    /// <summary>Records of requests; null: none.</summary>
    public Stream? AccessLog { get; init; }
}
