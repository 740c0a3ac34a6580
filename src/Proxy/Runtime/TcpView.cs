using System.Collections.Frozen;
using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Authorization;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;
using Weft.Proxy.Routing.Actions;
using Weft.Proxy.Routing.Matching;
using Weft.Proxy.Tunnels;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Runtime;

/// <summary>What a listener for connections serves by at a moment. Immutable.</summary>
/// <param name="Policies">Null: everybody may connect.</param>
internal sealed record TcpView(ListenerConfig Config, ConnectionTable Routes, FrozenDictionary<string, Cluster> Clusters, PolicySet? Policies = null)
{
    public static PolicySet? PoliciesOf(ListenerConfig listener) =>
        Connections.PoliciesOf(listener.Filters) is { IsEmpty: false } policies ? new PolicySet(policies) : null;
}

/// <summary>The compiled rules of a listener for connections: the first that fits decides.</summary>
internal sealed class ConnectionTable(ListenerConfig listener, Func<ulong> chance)
{
    private readonly Rule[] _rules =
    [
        .. listener.ConnectionRoutes.Select(route => new Rule(route)),
        .. listener.DefaultCluster is { } cluster ? (Rule[])[new Rule(new ConnectionRoute { Clusters = [new WeightedCluster { Cluster = cluster }] })] : [],
    ];

    public SplitTarget? Find(TcpClient client) => Find(ConnectionFacts.Of(client.Peer, client.Destination, client.Tls, client.ServerName, hasClientCertificates: false));

    public SplitTarget? Find(ConnectionFacts facts)
    {
        foreach (var rule in _rules)
        {
            if (rule.Matches(facts))
                return rule.Split.Pick(chance());
        }

        return null;
    }

    private sealed class Rule(ConnectionRoute route)
    {
        private readonly HostPattern[] _names = [.. route.ServerNames.Select(name => new HostPattern(name))];
        private readonly AddressRanges _destinations = new(route.DestinationRanges);
        private readonly SourceMatcher? _source = SourceMatcher.Of(route.Source);

        public ClusterSplit Split { get; } = new([.. route.Clusters.Select(cluster => new SplitTarget(cluster))]);

        public bool Matches(ConnectionFacts facts) =>
            (_names.Length == 0 || _names.Any(name => name.Matches(facts.ServerName)))
            && (route.Ports.IsEmpty || route.Ports.Contains(facts.Destination.Port))
            && (_destinations.IsEmpty || _destinations.Contains(facts.Destination.Address))
            && (_source is null || _source.Matches(facts));
    }
}
