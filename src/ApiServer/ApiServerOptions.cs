using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Weft.Api.Streams;
using Weft.Storage;

namespace Weft.ApiServer;

/// <summary>Connects to a port inside a pod of another node; null from it: the pod is on this node, or not known.</summary>
/// <exception cref="PodStreamException">Its node cannot be asked, or nothing listens there.</exception>
public delegate Task<Stream?> PodConnector(PodStreamTarget target, int port, CancellationToken cancellationToken);

/// <summary>What an API server needs from outside.</summary>
public sealed record ApiServerOptions
{
    public required IStore Store { get; init; }
    public required TimeProvider Time { get; init; }
    public required Random Random { get; init; }
    public required ILoggerFactory Loggers { get; init; }

    /// <summary>Where to listen; port 0 takes a free one, which <see cref="ApiServerHost.Address"/> then tells.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>Where pods reach the server: the backend of the `kubernetes` service. Null, and the service has no endpoints.</summary>
    public IPAddress? AdvertiseAddress { get; init; }

    /// <summary>With its private key. Without one the server speaks plain HTTP: for tests on the loopback.</summary>
    public X509Certificate2? ServerCertificate { get; init; }

    /// <summary>Asked at each handshake, so that a renewed certificate needs no restart; in place of <see cref="ServerCertificate"/>.</summary>
    public Func<X509Certificate2>? ServerCertificateSource { get; init; }

    /// <summary>Logs of containers; without it `pods/log` says that no node is connected.</summary>
    public IPodStreams? PodStreams { get; init; }

    /// <summary>Reaches webhooks' pods on other nodes; null: by their addresses.</summary>
    public PodConnector? PodConnector { get; init; }

    /// <summary>The range of service addresses; its first address is the `kubernetes` service's own.</summary>
    public string ServiceCidr { get; init; } = "10.96.0.0/16";

    /// <summary>Gets and lists served at once; kube-apiserver's --max-requests-inflight and its default.</summary>
    public int MaxReadsInFlight { get; init; } = 400;

    /// <summary>Writes served at once; kube-apiserver's --max-mutating-requests-inflight and its default.</summary>
    public int MaxWritesInFlight { get; init; } = 200;

    /// <summary>How long a pod that says nothing else stays on a node that is lost (Kubernetes' --default-unreachable-toleration-seconds).</summary>
    public int LostNodeTolerationSeconds { get; init; } = 300;

    /// <summary>Kubernetes' --service-node-port-range.</summary>
    public (int First, int Last) NodePorts { get; init; } = (30000, 32767);
}
