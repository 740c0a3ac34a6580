using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;

namespace Weft.Proxy.Mesh.State;

/// <summary>The listeners of the front door with the certificates and filters that they name.</summary>
internal static class DoorJoin
{
    /// <param name="address">That they listen at; null: nowhere.</param>
    /// <param name="left">What is left out, and why.</param>
    public static ProxyConfig Of(MeshState state, string? address, out List<Rejection> left)
    {
        left = [];
        var listeners = new List<ListenerConfig>();
        var certificates = new List<CertificateConfig>();
        foreach (var unit in address is null ? [] : state.Listeners)
        {
            if (Listener(state, unit, address!, certificates, out var why) is { } listener)
                listeners.Add(listener);
            else
                left.Add(new Rejection(new UnitKey(UnitKind.Listener, unit.Listener.Name), "listener", why));
        }

        return new ProxyConfig
        {
            Listeners = listeners.ToValueList(), Certificates = certificates.DistinctBy(certificate => certificate.Name).ToValueList(), JwtProviders = state.JwtProviders.ToValueList(),
        };
    }

    public static CertificateConfig CertificateOf(string name, SecretUnit secret) =>
        new() { Name = name, Chain = new DataSource { Inline = secret.Certificate ?? "" }, Key = new DataSource { Inline = secret.Key ?? "" } };

    private static ListenerConfig? Listener(MeshState state, ListenerUnit unit, string address, List<CertificateConfig> certificates, out string why)
    {
        why = "";
        var filters = state.Filters(unit.Policies, unit.Tokens);
        var listener = unit.Listener with
        {
            Address = address,
            Filters = unit.Listener.Kind == ListenerKind.Http ? filters : Connections.PoliciesOf(filters) is { IsEmpty: false } policies ? [new AuthorizationFilter { Policies = policies }] : [],
        };
        if (listener.Tls is not { } tls)
            return listener;
        certificates.AddRange(unit.Certificates.AsSpan());
        var own = Certificates(state, unit, tls.Certificates, certificates);
        var hosts = tls.Hosts.Select((host, i) => Host(state, unit, host, i, certificates)).ToValueList();
        if (own.IsEmpty && hosts.All(host => host.Certificates.IsEmpty) && tls.Passthrough.IsEmpty)
        {
            why = $"no certificate is there: Secret {string.Join(", ", tls.Certificates.Concat(tls.Hosts.SelectMany(host => host.Certificates)).Distinct())} with a certificate and its key";
            return null;
        }

        if (unit.ClientSecret is { } clients)
        {
            if (state.Secret(clients)?.Authorities is not { } authorities)
            {
                why = $"Secret {clients} has no authorities for the certificates of clients";
                return null;
            }

            tls = tls with { ClientAuthorities = new DataSource { Inline = authorities } };
        }

        return listener with { Tls = tls with { Certificates = own, Hosts = hosts } };
    }

    // One that is not whole refuses its clients, and keeps its names: nobody else is to be met there in its place.
    private static ListenerTlsHost Host(MeshState state, ListenerUnit unit, ListenerTlsHost host, int number, List<CertificateConfig> certificates)
    {
        if (host.ClientCertificates == ClientCertificates.None)
            return host with { Certificates = Certificates(state, unit, host.Certificates, certificates) };
        return unit.HostSecrets.FirstOrDefault(clients => clients.Host == number) is { } named && state.Secret(named.Secret)?.Authorities is { } authorities
            ? host with { Certificates = Certificates(state, unit, host.Certificates, certificates), ClientAuthorities = new DataSource { Inline = authorities } }
            : host with { Certificates = [] };
    }

    /// <summary>Those that are there.</summary>
    private static ValueList<string> Certificates(MeshState state, ListenerUnit unit, ValueList<string> names, List<CertificateConfig> certificates)
    {
        var own = new List<string>();
        foreach (var name in names)
        {
            if (state.Secret(name) is { Certificate: not null, Key: not null } secret)
                certificates.Add(CertificateOf(name, secret));
            else if (!unit.Certificates.Any(certificate => certificate.Name == name))
                continue;
            own.Add(name);
        }

        return own.ToValueList();
    }
}
