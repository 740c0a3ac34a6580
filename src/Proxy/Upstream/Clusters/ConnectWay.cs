using Weft.Proxy.Config.Model;
using Weft.Proxy.Tls;

namespace Weft.Proxy.Upstream.Clusters;

/// <summary>How connections to a cluster are made: pools live as long as it is the same.</summary>
/// <param name="Tls">Null: plaintext.</param>
internal sealed record ConnectWay(TlsClientContext? Tls, UpstreamProtocol Protocol, string? ServerName, PoolLimits Limits, TimeSpan ConnectTimeout)
{
    public static readonly ConnectWay Plain = new(null, UpstreamProtocol.Auto, null, PoolLimits.Default, TimeSpan.FromSeconds(5));

    public static ConnectWay Of(ClusterConfig config, TlsClientContext? tls) => new(tls, config.Protocol, config.Tls?.ServerName, config.Limits, config.ConnectTimeout);
}
