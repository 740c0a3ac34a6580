namespace Weft.Proxy.Upstream.Clusters;

/// <summary>Endpoints that get no more requests, for as long as they answer earlier ones.</summary>
internal sealed class WithdrawnEndpoints
{
    private readonly Lock _gate = new();
    private readonly List<(UpstreamEndpoint Endpoint, bool IsGone)> _all = [];

    /// <param name="isGone">It does not come back: one of the same address would be another.</param>
    public void Add(UpstreamEndpoint endpoint, bool isGone)
    {
        lock (_gate)
            _all.Add((endpoint, isGone));
    }

    /// <summary>Their addresses. Connections of TCP are not waited for: they are open until one of the two ends them.</summary>
    public IReadOnlySet<string> Busy()
    {
        lock (_gate)
        {
            _all.RemoveAll(one => one.Endpoint.Unanswered == 0 || (!one.IsGone && !one.Endpoint.Config.Draining));
            return _all.Count == 0 ? System.Collections.Immutable.ImmutableHashSet<string>.Empty : _all.Select(one => one.Endpoint.Address.Address.ToString()).ToHashSet();
        }
    }
}
