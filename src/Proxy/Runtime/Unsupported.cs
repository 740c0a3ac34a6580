using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Runtime;

/// <summary>What the model can say and the engine does not do yet. It is refused by name: a setting that is ignored in silence is a promise that is broken in silence.</summary>
internal static class Unsupported
{
    public static IEnumerable<string> Of(ProxyConfig config)
    {
        var ofUdp = config.Listeners.Where(listener => listener.Kind == ListenerKind.Udp)
            .SelectMany(listener => listener.ConnectionRoutes.SelectMany(route => route.Clusters).Select(cluster => cluster.Cluster).Append(listener.DefaultCluster ?? "")).ToHashSet();
        foreach (var cluster in config.Clusters.ToArray())
        {
            if (ofUdp.Contains(cluster.Name) && (cluster.PreserveSource || cluster.ProxyProtocol != ProxyProtocolVersion.None))
                yield return $"cluster {cluster.Name}: preserveSource and proxyProtocol are not done for UDP";
            foreach (var subset in cluster.Subsets.ToArray())
            {
                if (subset.Limits is not null || subset.Outliers is not null)
                    yield return $"cluster {cluster.Name}: subsets have no limits and outliers of their own yet; those of the cluster hold for {subset.Name}, too";
            }
        }
    }
}
