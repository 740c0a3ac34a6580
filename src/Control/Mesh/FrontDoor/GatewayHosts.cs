using Weft.Api.Istio;
using Weft.Control.Mesh.Hosts;

namespace Weft.Control.Mesh.FrontDoor;

/// <summary>Hosts of gateways' servers and of virtual services at them.</summary>
internal static class GatewayHosts
{
    /// <summary>What both name. A short name is taken as it stands, too: it is what a client may well say.</summary>
    public static IEnumerable<string> Domains(Gateway gateway, Server server, VirtualService rules, MeshLookups lookups)
    {
        var @namespace = rules.Metadata.Namespace ?? "";
        var own = rules.Spec.Hosts.Take(VirtualServiceSpec.MostHosts).Where(HostNames.IsHost).SelectMany(host => new[] { host.ToLowerInvariant(), HostNames.Whole(host, @namespace, lookups.Settings.ClusterDomain) }).Distinct();
        var taken = server.Hosts.Take(Server.MostHosts).Select(host => Parse(gateway, host)).Where(host => host.Namespace is "*" || host.Namespace == @namespace).Select(host => host.Name).ToList();
        return own.SelectMany(host => taken.Select(pattern => HostNames.Common(pattern, host))).OfType<string>().Distinct();
    }

    /// <summary>`namespace/host`, `./host` or `host`.</summary>
    public static (string Namespace, string Name) Parse(Gateway gateway, string host)
    {
        var slash = host.IndexOf('/');
        var (from, name) = slash < 0 ? ("*", host) : (host[..slash], host[(slash + 1)..]);
        return (from == "." ? gateway.Metadata.Namespace ?? "" : from, name.ToLowerInvariant());
    }
}
