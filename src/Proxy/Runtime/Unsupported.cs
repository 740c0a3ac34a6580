using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Runtime;

/// <summary>What the model can say and the engine does not do yet. It is refused by name: a setting that is ignored in silence is a promise that is broken in silence.</summary>
internal static class Unsupported
{
    public static IEnumerable<string> Of(ProxyConfig config)
    {
        foreach (var listener in config.Listeners.ToArray())
        {
            if (listener.Transparent)
                yield return $"listener {listener.Name}: transparent is not done yet";
        }

        foreach (var cluster in config.Clusters.ToArray())
        {
            if (cluster.PreserveSource)
                yield return $"cluster {cluster.Name}: preserveSource is not done yet";
            if (cluster.AdaptiveConcurrency is not null)
                yield return $"cluster {cluster.Name}: adaptiveConcurrency is not done yet; limits.maxRequests bounds what is in flight";
            if (!cluster.Locality.Distribute.IsEmpty)
                yield return $"cluster {cluster.Name}: locality.distribute is not done yet; locality.failover is";
            if (cluster.Dns is { Srv: true } or { Servers.IsEmpty: false })
                yield return $"cluster {cluster.Name}: dns.srv and dns.servers are not done yet; names are resolved to addresses by the system";
        }
    }
}
