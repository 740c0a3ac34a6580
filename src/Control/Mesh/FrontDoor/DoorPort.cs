using System.Net;
using Weft.Api.Networking;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Ingresses;

namespace Weft.Control.Mesh.FrontDoor;

/// <summary>
/// Who shares a port of the front door. A Gateway names its port and says what it is; Ingresses name none and mean 80 and 443, so where a Gateway has made of these something
/// else than plain HTTP or HTTPS, Ingresses are not served there.
/// </summary>
/// <param name="Servers">Of gateways, the oldest first.</param>
/// <param name="Ingresses">Likewise.</param>
/// <param name="Certificates">Secrets of the Ingresses.</param>
internal sealed record DoorPort(int Number, List<GatewayServer> Servers, List<Ingress> Ingresses, List<string> Certificates)
{
    /// <summary>Whose names those of the port are; null: all have one kind of TLS, or none.</summary>
    public TlsOwners? Names { get; init; }

    public const int Http = 80;

    public const int Https = 443;

    /// <summary>Null: nobody wants the port.</summary>
    public ServerKind? Kind => Names is not null ? ServerKind.Https : Servers.Count > 0 ? Servers[0].Kind : Ingresses.Count == 0 ? null : Number == Https ? ServerKind.Https : ServerKind.Http;

    public static IEnumerable<int> Numbers(MeshIndex index) => index.Inputs.Gateways.SelectMany(gateway => gateway.Spec.Servers).Select(server => server.Port.Number).Where(port => port is > 0 and < 65_536)
        .Concat(index.Ingresses.Count > 0 ? [Http, Https] : []).Distinct().Order();

    public static DoorPort Of(int number, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var servers = GatewayServers.Of(number, lookups, diagnostics);
        if (number is not (Http or Https))
            return new(number, servers, [], []) { Names = TlsOwners.Of(servers, [], lookups, diagnostics) };
        var ingresses = lookups.Ingresses().Where(ingress => number == Http || ingress.Spec.Tls.Count > 0).ToList();
        if (servers.Count > 0 && !IsShared(number, servers[0]))
        {
            foreach (var ingress in ingresses)
                Problems.Of(ingress, diagnostics).Error("spec", $"port {number} of the front door is {Shown(servers[0])} of Gateway {MeshIndex.Name(servers[0].Gateway)} {servers[0].Field}, so Ingresses are not served there; use another port for it");
            return new(number, servers, [], []) { Names = TlsOwners.Of(servers, [], lookups, diagnostics) };
        }

        var certificates = number == Http ? [] : ingresses.SelectMany(ingress => IngressHosts.Certificates(ingress, lookups, Problems.Of(ingress, diagnostics))).Distinct().ToList();
        // Without any certificate nothing can be answered.
        return new(number, servers, number == Https && servers.Count == 0 && certificates.Count == 0 ? [] : ingresses, certificates) { Names = TlsOwners.Of(servers, ingresses, lookups, diagnostics) };
    }

    /// <summary>Hosts of the Ingresses at the port, each with those that speak for it.</summary>
    public IEnumerable<(string Host, Ingress Ingress)> IngressNames()
    {
        foreach (var ingress in Ingresses)
        {
            foreach (var host in NamesOf(ingress))
                yield return (host, ingress);
        }
    }

    /// <summary>Hosts of one of the Ingresses at the port.</summary>
    public IEnumerable<string> NamesOf(Ingress ingress) => IngressHosts.Of(ingress).Where(host => (Number == Http || IngressHosts.HasTls(ingress, host)) && Names?.IsOpen(host) != false);

    /// <summary>Whose default backend is for all hosts that have none.</summary>
    public Ingress? Fallback => Ingresses.Find(ingress => ingress.Spec.DefaultBackend is not null && (Number == Http || IngressHosts.HasTls(ingress, "*")));

    /// <summary>Ranges of proxies in front of the front door.</summary>
    public static IEnumerable<string> Proxies(MeshLookups lookups)
        => lookups.Settings.TrustedProxies.Concat(lookups.DoorClasses().SelectMany(IngressClasses.ProxiesOf)).Where(range => IPAddress.TryParse(range, out _) || IPNetwork.TryParse(range, out _)).Distinct();

    private static bool IsShared(int number, GatewayServer first)
        => string.IsNullOrEmpty(first.Server.Bind) && (number == Http ? first.Kind == ServerKind.Http : first.Kind is ServerKind.Https or ServerKind.Passthrough);

    private static string Shown(GatewayServer server) => server switch
    {
        { Server.Bind: { Length: > 0 } bind } => $"bound to {bind}",
        _ => server.Kind.ToString().ToLowerInvariant(),
    };
}
