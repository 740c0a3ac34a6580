using System.Net;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Configuration.Validation;

internal static class ListenerValidator
{
    public static void Validate(ListenerConfig listener, string path, KnownNames known, ConfigErrors errors)
    {
        errors.Name(listener.Name, $"{path}.name");
        errors.Require(listener.Port is >= 0 and < 65_536, $"{path}.port", $"{listener.Port} is no port; 1 to 65535, or 0 for one that the kernel chooses");
        errors.Require(IPAddress.TryParse(listener.Address, out _), $"{path}.address", $"'{listener.Address}' is no IP address");
        errors.AtLeast(listener.MaxConnections, 0, $"{path}.maxConnections");
        errors.NotNegative(listener.IdleTimeout, $"{path}.idleTimeout");
        errors.Require(listener.UdpSessionTimeout > TimeSpan.Zero, $"{path}.udpSessionTimeout", "must be above zero");
        var isHttp = listener.Kind == ListenerKind.Http;
        if (isHttp)
        {
            errors.Require(listener.RouteTable is not null || listener.DefaultCluster is not null, path, "an HTTP listener needs routes, or a cluster for everything");
            errors.Require(listener.ConnectionRoutes.IsEmpty || listener.Tls is { Passthrough.IsEmpty: false }, $"{path}.connectionRoutes", "an HTTP listener has routes, and rules for connections only for names that its tls passes on (passthrough)");
        }
        else
        {
            errors.Require(listener.RouteTable is null, $"{path}.routeTable", $"a listener of kind {listener.Kind} has no HTTP routes");
            errors.Require(listener.DefaultCluster is not null || !listener.ConnectionRoutes.IsEmpty, path, "needs a cluster to send to");
            errors.Require(listener.Filters.All(f => f is AuthorizationFilter), $"{path}.filters", "only authorization works on connections; the others need HTTP");
        }

        errors.Require(listener.Tls is null || listener.Kind is ListenerKind.Http or ListenerKind.Tcp, $"{path}.tls", "is ended by listeners of kind http and tcp only");
        errors.Require(!listener.ProxyProtocol || listener.Kind != ListenerKind.Udp, $"{path}.proxyProtocol", "is for TCP");
        errors.Require(!listener.Transparent || listener.Kind != ListenerKind.Udp, $"{path}.transparent", "is for TCP");
        ClusterValidator.KeepAlive(listener.KeepAlive, $"{path}.keepAlive", errors);
        if (listener.RouteTable is { } table)
            known.Table(table, $"{path}.routeTable", errors);
        if (listener.DefaultCluster is { } cluster)
            known.Cluster(cluster, null, $"{path}.defaultCluster", errors);
        foreach (var (i, route) in listener.ConnectionRoutes.Index())
            Connection(route, $"{path}.connectionRoutes[{i}]", known, errors);
        if (listener.Tls is { } tls)
            Tls(tls, $"{path}.tls", known, errors);
        Http(listener.Http, $"{path}.http", errors);
        foreach (var (i, filter) in listener.Filters.Index())
            FilterValidator.Validate(filter, $"{path}.filters[{i}]", known, errors);
    }

    internal static void Connection(ConnectionRoute route, string path, KnownNames known, ConfigErrors errors)
    {
        RouteValidator.Clusters(route.Clusters, $"{path}.clusters", known, errors);
        RouteValidator.Source(route.Source, $"{path}.source", errors);
        errors.Compiles(() => _ = new AddressRanges(route.DestinationRanges), $"{path}.destinationRanges");
        foreach (var (i, name) in route.ServerNames.Index())
            errors.Require(RouteValidator.IsDomain(name), $"{path}.serverNames[{i}]", $"'{name}' is neither a name, nor *.name, nor *");
    }

    private static void Tls(ListenerTls tls, string path, KnownNames known, ConfigErrors errors)
    {
        errors.Require(!tls.Certificates.IsEmpty || !tls.Hosts.IsEmpty || !tls.Passthrough.IsEmpty, path, "needs a certificate");
        foreach (var (i, name) in tls.Certificates.Index())
            known.Certificate(name, $"{path}.certificates[{i}]", errors);
        errors.Require(tls.ClientCertificates == ClientCertificates.None || tls.ClientAuthorities is not null, $"{path}.clientAuthorities", "is missing: whose certificates are good?");
        if (tls.ClientAuthorities is { } authorities)
            ConfigValidator.Source(authorities, $"{path}.clientAuthorities", errors);
        foreach (var (i, name) in tls.ClientNames.Index())
            errors.Compiles(() => _ = new TextMatcher(name), $"{path}.clientNames[{i}]");
        foreach (var (i, host) in tls.Hosts.Index())
            Host(host, $"{path}.hosts[{i}]", known, errors);
        Names(tls.Passthrough, $"{path}.passthrough", errors);
        errors.Require(tls.Hosts.GroupBy(host => host.Rules).All(same => same.Select(host => (host.ClientCertificates, host.ClientAuthorities, host.ClientNames)).Distinct().Count() == 1)
            && (tls.ClientCertificates == ClientCertificates.None || tls.Hosts.All(host => host.Rules.Length > 0)), $"{path}.hosts", "rules of one name ask the same of clients; those without a name are the listener's own");
        errors.Require(tls.HandshakeTimeout > TimeSpan.Zero, $"{path}.handshakeTimeout", "must be above zero");
        errors.NotNegative(tls.SessionLifetime, $"{path}.sessionLifetime");
    }

    private static void Host(ListenerTlsHost host, string path, KnownNames known, ConfigErrors errors)
    {
        errors.Require(!host.Names.IsEmpty, $"{path}.names", "is missing: for whom is it?");
        Names(host.Names, $"{path}.names", errors);
        foreach (var (i, name) in host.Certificates.Index())
            known.Certificate(name, $"{path}.certificates[{i}]", errors);
        errors.Require(host.Certificates.IsEmpty || host.ClientCertificates == ClientCertificates.None || host.ClientAuthorities is not null, $"{path}.clientAuthorities", "is missing: whose certificates are good?");
        errors.Require(host.ClientCertificates == ClientCertificates.None || host.Rules.Length > 0, $"{path}.rules", "is missing: hosts that ask for certificates are told apart by the name of their rules");
        if (host.ClientAuthorities is { } authorities)
            ConfigValidator.Source(authorities, $"{path}.clientAuthorities", errors);
        foreach (var (i, name) in host.ClientNames.Index())
            errors.Compiles(() => _ = new TextMatcher(name), $"{path}.clientNames[{i}]");
    }

    private static void Names(ValueList<string> names, string path, ConfigErrors errors)
    {
        foreach (var (i, name) in names.Index())
            errors.Require(RouteValidator.IsDomain(name), $"{path}[{i}]", $"'{name}' is neither a name, nor *.name, nor *");
    }

    private static void Http(HttpSettings http, string path, ConfigErrors errors)
    {
        errors.Require(http.Http1 || http.Http2, path, "one of http1, http2 must be on");
        errors.AtLeast(http.MaxRequestLineBytes, 256, $"{path}.maxRequestLineBytes");
        errors.AtLeast(http.MaxHeaderBytes, 1024, $"{path}.maxHeaderBytes");
        errors.AtLeast(http.MaxHeaders, 1, $"{path}.maxHeaders");
        errors.AtLeast(http.MaxRequestBytes, 0, $"{path}.maxRequestBytes");
        errors.AtLeast(http.MaxConcurrentStreams, 1, $"{path}.maxConcurrentStreams");
        // RFC 9113 section 6.9.2: neither below what the protocol starts with, nor above 2^31-1.
        errors.AtLeast(http.StreamWindowBytes, 65_535, $"{path}.streamWindowBytes");
        errors.AtLeast(http.ConnectionWindowBytes, 65_535, $"{path}.connectionWindowBytes");
        errors.NotNegative(http.HeaderTimeout, $"{path}.headerTimeout");
        errors.NotNegative(http.KeepAliveTimeout, $"{path}.keepAliveTimeout");
        errors.NotNegative(http.StreamIdleTimeout, $"{path}.streamIdleTimeout");
        errors.NotNegative(http.MaxConnectionAge, $"{path}.maxConnectionAge");
        errors.AtLeast(http.MaxRequestsPerConnection, 0, $"{path}.maxRequestsPerConnection");
        errors.Compiles(() => _ = new AddressRanges(http.TrustedProxies), $"{path}.trustedProxies");
    }
}
