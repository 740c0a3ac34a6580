using System.Net;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Mesh.Requests;

/// <summary>
/// How many requests this node has sent to each address so far. An endpoint counts by itself for as long as it is in its cluster, and one address is an endpoint of several clusters, which come and
/// go: what each has counted since the last look is added here, so that totals only grow. By one thread at a time.
/// </summary>
internal sealed class RequestTotals(Func<IEnumerable<UpstreamEndpoint>> endpoints)
{
    // Far above what a cluster of this size has; a pod may dial made-up addresses.
    private const int MostAddresses = 20_000;

    private Dictionary<UpstreamEndpoint, long> _seen = [];
    private Dictionary<IPAddress, long> _totals = [];

    /// <summary>By address; those that were sent none are absent. An address that no cluster has any more is forgotten.</summary>
    public IReadOnlyDictionary<IPAddress, long> Read()
    {
        var (seen, totals) = (new Dictionary<UpstreamEndpoint, long>(), new Dictionary<IPAddress, long>());
        foreach (var endpoint in endpoints())
        {
            var count = endpoint.Requests;
            if (count == 0 || !seen.TryAdd(endpoint, count))
                continue;
            var address = endpoint.Address.Address.Plain();
            if (!totals.TryGetValue(address, out var total) && totals.Count >= MostAddresses)
                continue;
            if (total == 0)
                total = _totals.GetValueOrDefault(address);
            // A new endpoint began at zero after the last look.
            totals[address] = total + count - _seen.GetValueOrDefault(endpoint);
        }

        (_seen, _totals) = (seen, totals);
        return totals;
    }
}
