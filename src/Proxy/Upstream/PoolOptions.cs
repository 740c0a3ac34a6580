using System.Net;
using Weft.Proxy.Http1;
using Weft.Proxy.Http2;
using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Upstream;

internal enum PoolProtocol
{
    Http1,
    /// <summary>By prior knowledge, or asked for by ALPN where there is TLS.</summary>
    Http2,
    /// <summary>What ALPN agrees upon; HTTP/1.1 without TLS.</summary>
    Alpn,
}

/// <summary>How the connections to a cluster's endpoints are made and kept.</summary>
internal sealed record PoolOptions
{
    public PoolProtocol Protocol { get; init; }

    /// <summary>The engine of a new connection, on the loop that calls it; null: no TLS.</summary>
    public Func<BufferPool, ITlsEngine>? Tls { get; init; }

    /// <summary>What <see cref="Tls"/> resumes; the pool ends it.</summary>
    public TlsSessionCache? Sessions { get; init; }

    /// <summary>Of the whole cluster; null: no limits.</summary>
    public ClusterLimits? Limits { get; init; }

    /// <summary>TCP and TLS together. Envoy's default is 5 s.</summary>
    public long ConnectMilliseconds { get; init; } = 5_000;

    /// <summary>Below what servers of our kind wait (nginx 75 s, Kestrel 130 s), so that this side closes first.</summary>
    public long IdleMilliseconds { get; init; } = 50_000;

    /// <summary>0: any age.</summary>
    public long MaxAgeMilliseconds { get; init; }

    /// <summary>0: any number.</summary>
    public int MaxRequestsPerConnection { get; init; }

    /// <summary>How long a request waits when the cluster may have no more connections.</summary>
    public long PendingMilliseconds { get; init; } = 5_000;

    public KeepAlive KeepAlive { get; init; }

    /// <summary>In front of everything else, TLS too: a PROXY header.</summary>
    public byte[]? First { get; init; }

    /// <summary>The address that connections leave with; null: the machine's own.</summary>
    public IPAddress? Source { get; init; }

    /// <summary>Gives the descriptor of a new connection, non-blocking and perhaps still connecting; below 0: there is none. Null: the endpoint's address is connected to.</summary>
    public Func<int>? Dial { get; init; }

    public Http1Limits Http1 { get; init; } = Http1Limits.Default;

    public Http2Limits Http2 { get; init; } = new();
}
