using System.Globalization;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Ingresses;

internal enum BackendProtocol { Usual, Http, Https, Grpc, Grpcs }

internal enum BackendBalancer { Usual, RoundRobin, LeastTime, Hash }

/// <summary>What an Ingress wants otherwise than the cluster of a service's port has it: a cluster of its own then stands beside it, shared by all that want the same.</summary>
internal sealed record BackendTraits
{
    public static readonly BackendTraits None = new();

    public BackendProtocol Protocol { get; init; }

    public BackendBalancer Balancer { get; init; }

    public TimeSpan? ConnectTimeout { get; init; }

    public bool IsTls => Protocol is BackendProtocol.Https or BackendProtocol.Grpcs;

    /// <summary>Of the cluster's name: empty for those that want nothing.</summary>
    public string Suffix => this == None ? "" : "#" + string.Join('+', new[]
    {
        Protocol == BackendProtocol.Usual ? "" : Protocol.ToString().ToLowerInvariant(),
        Balancer == BackendBalancer.Usual ? "" : Balancer.ToString().ToLowerInvariant(),
        ConnectTimeout is { } time ? string.Create(CultureInfo.InvariantCulture, $"connect{time.TotalMilliseconds}ms") : "",
    }.Where(part => part.Length > 0));

    public ClusterConfig Apply(ClusterConfig cluster, bool isExternal, string host) => cluster with
    {
        Name = cluster.Name + Suffix,
        Protocol = Protocol switch
        {
            BackendProtocol.Usual => cluster.Protocol,
            BackendProtocol.Grpc or BackendProtocol.Grpcs => UpstreamProtocol.Http2,
            _ => UpstreamProtocol.Http1,
        },
        // What a service of the cluster shows is seldom of an authority that anybody knows; ingress-nginx does not check it either. What is outside has a name, and is checked.
        Tls = IsTls ? cluster.Tls ?? (isExternal ? new UpstreamTls { ServerName = host } : new UpstreamTls { SkipVerification = true }) : cluster.Tls,
        LoadBalancer = Balancer switch
        {
            BackendBalancer.Usual => cluster.LoadBalancer,
            BackendBalancer.RoundRobin => new RoundRobinBalancer(),
            BackendBalancer.LeastTime => new LeastTimeBalancer(),
            _ => new RingHashBalancer(),
        },
        ConnectTimeout = ConnectTimeout ?? cluster.ConnectTimeout,
    };
}
