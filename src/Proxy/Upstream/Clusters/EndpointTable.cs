using Weft.Balancing;
using Weft.Balancing.Localities;

namespace Weft.Proxy.Upstream.Clusters;

/// <summary>The endpoints of a cluster or subset with the choice among them. Immutable; another one takes its place when anything changes.</summary>
internal sealed class EndpointTable(UpstreamEndpoint[] endpoints, PickTable table)
{
    public static readonly EndpointTable Empty = new([], PickTable.Create([], [], [], _ => throw new InvalidOperationException("no level, no balancer")));

    public ReadOnlySpan<UpstreamEndpoint> Endpoints => endpoints;

    /// <summary>Null: there is nobody to ask.</summary>
    /// <param name="request">Tried endpoints are indices that an earlier call gave out; those of another table only spread the choice.</param>
    public UpstreamEndpoint? Pick(in PickRequest request, ref Rng rng, out int index)
    {
        index = table.Pick(request, ref rng);
        return index < 0 ? null : endpoints[index];
    }
}
