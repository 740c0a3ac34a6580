using Weft.Proxy.Http2;

namespace Weft.Proxy.Mesh.Hbone;

/// <summary>What connections between nodes put up with and wait for.</summary>
internal sealed record HboneSettings
{
    /// <summary>Where a node's proxy answers for each of its pods; Istio's, too.</summary>
    public int Port { get; init; } = 15008;

    /// <summary>
    /// 128 tunnels with 128 KB each are the 16 MB of the connection: a tunnel whose reader has stopped never takes the room of its neighbours. Further tunnels get another
    /// connection. At 1 ms between nodes a window of 128 KB is 1 Gbit/s for one tunnel.
    /// </summary>
    public Http2Limits Http2 { get; init; } = new()
    {
        MaxConcurrentStreams = 128,
        StreamWindow = 128 << 10,
        ConnectionWindow = 16 << 20,

        // A tunnel that is cut is a program that reset its connection, as load generators do by the hundred at their end, and some after each request. The peer has proved who it is, and
        // one of its connections costs what it would cost without a tunnel.
        ResetBurst = 4_000,
        ResetsPerSecond = 1_000,
    };

    /// <summary>The client closes unused connections before the server does (<see cref="Http2Limits.IdleMilliseconds"/>).</summary>
    public long ClientIdleMilliseconds { get; init; } = 60_000;

    /// <summary>TCP and TLS together.</summary>
    public long ConnectMilliseconds { get; init; } = 5_000;

    /// <summary>For a certificate that is still being signed.</summary>
    public long IdentityMilliseconds { get; init; } = 5_000;

    /// <summary>A peer that proved who it is proves it anew after so long; what is open goes on to its end.</summary>
    public long MaxAgeMilliseconds { get; init; } = 3_600_000;

    /// <summary>For a destination's proxy that does not know the source or the certificate yet.</summary>
    public long RetryMilliseconds { get; init; } = 2_000;

    /// <summary>Of one loop, for connections and for tunnels of each side.</summary>
    public int MaxConnections { get; init; } = 4_096;

    public int MaxTunnels { get; init; } = 16_384;

    /// <summary>Connections of one address that have not proved who they are: whoever can dial must not keep others out. A node that comes back after a restart tries again.</summary>
    public int MaxUnproven { get; init; } = 256;
}
