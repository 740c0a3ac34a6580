namespace Weft.Control.Discovery.Http;

/// <summary>Parts of Consul's API that this registry has not, and what there is in their place.</summary>
internal static class UnservedPaths
{
    /// <param name="path">After `/v1`.</param>
    /// <returns>Null for a path of nobody known.</returns>
    public static string? Why(string[] path) => path switch
    {
        ["query", ..] => "prepared queries are not served: ask health/service/NAME?passing",
        ["event", ..] => "events are not served: watch a key of kv",
        ["connect", ..] or ["agent", "connect", ..] or ["health", "connect" or "ingress", ..] or ["catalog", "connect" or "gateway-services", ..] or ["discovery-chain", ..] or ["exported-services", ..] =>
            "Consul's own mesh is not served: identities, routes and policies are those of the cluster's mesh",
        ["config", ..] => "configuration entries are not served: routes and policies are objects of the cluster",
        ["acl", ..] => "ACLs are not served: the token of the registry's token file lets in",
        ["coordinate", ..] => "coordinates are not served: nobody measures distances here",
        ["operator", ..] or ["snapshot", ..] or ["peering" or "peerings", ..] => "there are no Consul servers here: the cluster's store keeps what is registered",
        ["agent", "metrics" or "monitor" or "reload" or "join" or "leave" or "force-leave" or "token", ..] => "this path of an agent is not served",
        ["internal", ..] => "Consul's own paths of its pages are not served",
        _ => null,
    };
}
