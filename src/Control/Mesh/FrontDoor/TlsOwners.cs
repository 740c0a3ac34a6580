using Weft.Api.Networking;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Ingresses;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.FrontDoor;

/// <summary>
/// Who has which name of a port where servers have different kinds of TLS: the name that a client asks for decides which it meets, so each name has one, that of the oldest. Rules of a host are served
/// under the kind of its name alone: what was to be reached with a certificate is not reached without one by a name that somebody else has.
/// </summary>
internal sealed class TlsOwners
{
    /// <summary>Of connections that are passed on; no rules of others are called so.</summary>
    private const string Passed = "passthrough";

    // The kind of TLS by name, and whose it is. Ingresses add names that nobody has or that are open: what holds for hosts of servers depends on servers alone.
    private readonly Dictionary<string, (string Rules, string Owner)> _names = new(StringComparer.Ordinal);
    private readonly List<(ListenerTlsHost Host, string? Secret)> _hosts = [];
    private readonly SortedSet<string> _own = new(StringComparer.Ordinal);

    private TlsOwners()
    {
    }

    /// <summary>Null: one kind of TLS for all, as it is written.</summary>
    public static TlsOwners? Of(IReadOnlyList<GatewayServer> servers, IReadOnlyList<Ingress> ingresses, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        if (servers.Count == 0 || servers[0].Kind is not (ServerKind.Https or ServerKind.Passthrough))
            return null;
        var kinds = servers.Select(RulesOf).Distinct().Count();
        if (kinds == 1 && (ingresses.Count == 0 || servers[0] is { Kind: ServerKind.Https, Tls.Settings.ClientCertificates: ClientCertificates.None }))
            return null;
        var names = new TlsOwners();
        foreach (var server in servers)
            names.Add(server, Problems.Of(server.Gateway, diagnostics));
        foreach (var ingress in ingresses)
            names.Add(ingress, lookups, Problems.Of(ingress, diagnostics));
        return names;
    }

    /// <summary>Whether what the server says of a host is served there.</summary>
    public bool IsOf(GatewayServer server, string host) => Find(host) is { } owner && owner.Rules == RulesOf(server);

    public string? OwnerOf(string host) => Find(host)?.Owner;

    /// <summary>Whether an Ingress may be served there.</summary>
    public bool IsOpen(string host) => Find(host) is not { } owner || owner.Rules.Length == 0;

    /// <summary>Names of servers, for which nothing may be served that is for others below a wildcard.</summary>
    public IReadOnlyCollection<string> Own => _own;

    public (ListenerTls Tls, ValueList<HostSecret> Secrets) Tls() => (
        new ListenerTls
        {
            Hosts = _hosts.Select(pair => pair.Host).ToValueList(),
            Passthrough = _names.Where(pair => pair.Value.Rules == Passed).Select(pair => pair.Key).Order(StringComparer.Ordinal).ToValueList(),
        },
        _hosts.Index().Where(item => item.Item.Secret is not null).Select(item => new HostSecret(item.Index, item.Item.Secret!)).ToValueList());

    // Without the content of Secrets: who has connected by authorities of before may go on, as everywhere.
    private static string RulesOf(GatewayServer server)
    {
        if (server.Tls is not { Settings: var tls })
            return Passed;
        var words = new List<string>();
        if (tls.ClientCertificates != ClientCertificates.None)
            words.AddRange([tls.ClientCertificates == ClientCertificates.Required ? "mutual" : "optional-mutual", server.Tls.ClientSecret ?? "", .. tls.ClientNames.Select(name => name.Value)]);
        if (tls.MinVersion == TlsVersion.Tls13)
            words.Add("tls1.3");
        return string.Join(' ', words.Select(word => word.Replace(" ", "%20", StringComparison.Ordinal)));
    }

    private void Add(GatewayServer server, Problems problems)
    {
        var (rules, owner, own) = (RulesOf(server), $"Gateway {MeshIndex.Name(server.Gateway)} {server.Field}", new List<string>());
        foreach (var (i, host) in server.Server.Hosts.Index())
        {
            var name = GatewayHosts.Parse(server.Gateway, host).Name;
            if (_names.TryGetValue(name, out var other) && other.Rules != rules)
                problems.Error($"{server.Field}.hosts[{i}]", $"'{name}' of port {server.Server.Port.Number} has another kind of TLS by {other.Owner}, so it is not served here; use one kind, or another port");
            else if (_names.TryAdd(name, (rules, owner)))
                own.Add(name);
        }

        if (server.Tls is { Settings: var tls } && own.Count > 0)
        {
            _own.UnionWith(own.Where(name => name != "*"));
            _hosts.Add((new()
            {
                Names = own.ToValueList(), Rules = rules, Certificates = tls.Certificates, ClientCertificates = tls.ClientCertificates, ClientNames = tls.ClientNames, MinVersion = tls.MinVersion,
            }, server.Tls.ClientSecret));
        }
    }

    private void Add(Ingress ingress, MeshLookups lookups, Problems problems)
    {
        var hosts = IngressHosts.Of(ingress).Where(host => IngressHosts.HasTls(ingress, host)).ToList();
        foreach (var host in hosts.Where(host => !IsOpen(host)))
            problems.Error("spec.tls", $"'{host}' of port {DoorPort.Https} has another kind of TLS by {Find(host)!.Value.Owner}, so the Ingress is not served there");
        foreach (var (secret, covered) in IngressHosts.Covered(ingress, hosts, lookups))
        {
            var own = covered.Where(host => IsOpen(host) && _names.TryAdd(host, ("", $"Ingress {MeshIndex.Name(ingress)}"))).ToValueList();
            if (!own.IsEmpty)
                _hosts.Add((new() { Names = own, Certificates = [secret] }, null));
        }
    }

    private (string Rules, string Owner)? Find(string host)
    {
        if (_names.TryGetValue(host, out var exact))
            return exact;
        for (var dot = host.IndexOf('.', host.StartsWith('*') ? Math.Min(2, host.Length) : 0); dot >= 0; dot = host.IndexOf('.', dot + 1))
        {
            if (_names.TryGetValue("*" + host[dot..], out var below))
                return below;
        }

        return _names.TryGetValue("*", out var others) ? others : null;
    }
}
