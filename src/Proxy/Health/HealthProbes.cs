using System.Net;
using System.Net.Security;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Health;

/// <summary>From a check's configuration to its probe.</summary>
internal static class HealthProbes
{
    /// <param name="tls">How the cluster's endpoints are spoken to; null: in plaintext.</param>
    /// <param name="first">Sent in front of everything else; null: nothing.</param>
    public static IHealthProbe Create(HealthCheckConfig check, UpstreamProtocol protocol, SslClientAuthenticationOptions? tls, byte[]? first = null) => check switch
    {
        TcpHealthCheck => new TcpProbe(),
        HttpHealthCheck http => new HttpProbe(http, new HealthHttp(tls, first), protocol == UpstreamProtocol.Http2 ? HttpVersion.Version20 : HttpVersion.Version11),
        GrpcHealthCheck grpc => new GrpcProbe(grpc, new HealthHttp(tls, first)),
        _ => throw new ArgumentOutOfRangeException(nameof(check), check.GetType().Name, "no such check"),
    };
}
