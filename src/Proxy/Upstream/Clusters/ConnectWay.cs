using System.Net;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Mesh;
using Weft.Proxy.Routing;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Upstream.Clusters;

/// <summary>How connections to a cluster are made: pools live as long as it is the same.</summary>
/// <param name="Tls">Null: plaintext.</param>
internal sealed record ConnectWay(TlsClientContext? Tls, UpstreamProtocol Protocol, string? ServerName, PoolLimits Limits, TimeSpan ConnectTimeout)
{
    /// <summary>Said in front of each connection.</summary>
    public ProxyProtocolVersion ProxyProtocol { get; init; }

    /// <summary>Connections leave with the client's address.</summary>
    public bool PreserveSource { get; init; }

    public KeepAlive KeepAlive { get; init; }

    /// <summary>The ways of the mesh, which depend on client and endpoint; null: they are as the configuration says.</summary>
    public IMeshPaths? Paths { get; init; }

    /// <summary>Whether the mesh's own TLS is spoken.</summary>
    public MeshTls MeshTls { get; init; }

    /// <summary>What a connection is made for one client for; empty: connections serve all.</summary>
    public ClientKey KeyOf(ConnectionFacts? client, UpstreamEndpoint endpoint)
    {
        var key = KeyOf(client);
        if (key.Address is { } own && !CanLend(own, endpoint.Address.Address))
            key = key with { Address = null };
        return Paths?.Of(endpoint, client, MeshTls) is not { } path ? key : path.Kind == MeshPathKind.Borrowed ? key with { Address = path.Source.Address } : key with { Path = path };
    }

    // Nobody takes what comes from its own address over a wire, or from loopback (a process of this machine that called a host port); and who has none cannot lend it.
    private static bool CanLend(IPAddress own, IPAddress to) => !own.Equals(to) && !own.Equals(IPAddress.None) && (!IPAddress.IsLoopback(own.Plain()) || IPAddress.IsLoopback(to.Plain()));

    private ClientKey KeyOf(ConnectionFacts? client) => client is null || (ProxyProtocol == ProxyProtocolVersion.None && !PreserveSource) ? default
        : new(PreserveSource ? client.Source.Address : null, ProxyProtocol == ProxyProtocolVersion.None ? null : client.Source, ProxyProtocol == ProxyProtocolVersion.None ? null : client.Destination);

    public static readonly ConnectWay Plain = new(null, UpstreamProtocol.Auto, null, PoolLimits.Default, TimeSpan.FromSeconds(5));

    public static ConnectWay Of(ClusterConfig config, TlsClientContext? tls) => new(tls, config.Protocol, config.Tls?.ServerName, config.Limits, config.ConnectTimeout)
    {
        ProxyProtocol = config.ProxyProtocol,
        PreserveSource = config.PreserveSource,
        KeepAlive = KeepAlive.Of(config.KeepAlive),
    };
}

/// <summary>The client that connections of a pool are made for.</summary>
/// <param name="Address">They leave with it; null: with the machine's own.</param>
/// <param name="Source">Said in the PROXY header, with <paramref name="Destination"/>.</param>
/// <param name="Path">By which way of the mesh; null: straight.</param>
internal readonly record struct ClientKey(IPAddress? Address, IPEndPoint? Source, IPEndPoint? Destination, MeshPath? Path = null)
{
    public bool IsEmpty => Address is null && Source is null && Path is null;

    /// <summary>The client may not reach the endpoint; that says nothing of the endpoint, which others may.</summary>
    public bool IsRefused => Path is { Kind: MeshPathKind.Refused };
}
