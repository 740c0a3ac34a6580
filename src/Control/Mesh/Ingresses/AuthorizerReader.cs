using Weft.Api.Networking;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>
/// Another server decides (auth-url). It must be a host of the mesh: whoever writes an Ingress must not make the proxy ask any address of the machine's networks, whose answer would be seen.
/// </summary>
internal static class AuthorizerReader
{
    public static IEnumerable<FilterConfig> Read(Ingress ingress, IngressAnnotations annotations, MeshLookups lookups)
    {
        var method = annotations.Text("auth-method");
        var headers = annotations.List("auth-response-headers");
        if (annotations.Text("auth-url") is not { } text)
            return [];
        if (Target(ingress, text, lookups) is not { } target)
        {
            annotations.Close("auth-url", $"'{Shown(text)}' is no http or https address of a Service or ServiceEntry, such as http://auth.shop.svc.cluster.local/check, without variables; create a ServiceEntry for a server outside");
            return [];
        }

        if (method is not null && !HeaderTexts.IsToken(method))
            annotations.Close("auth-method", $"'{method}' is no method");
        foreach (var bad in headers.Where(header => !HeaderTexts.IsToken(header)))
            annotations.Close("auth-response-headers", $"'{bad}' is no name of a header field");
        return
        [
            new ExternalAuthorizationFilter
            {
                Name = $"{MeshIndex.Name(ingress)}/auth-url", Cluster = target.Cluster, Path = target.Path, Method = method is not null && HeaderTexts.IsToken(method) ? method : "GET", Host = target.Authority,
                // nginx passes on what the client sent.
                RequestHeaders = ["*"], UpstreamHeaders = headers.Where(HeaderTexts.IsToken).ToValueList(),
                Timeout = TimeSpan.FromSeconds(10),
            },
        ];
    }

    /// <summary>Service, port and traits of its cluster, where it is one of the mesh.</summary>
    public static (string Host, int Port, BackendTraits Traits, string Cluster, string Path, string Authority)? Target(Ingress ingress, string text, MeshLookups lookups)
    {
        if (text.Contains('$') || text.Any(c => c is <= ' ' or > '~') || !Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0)
            return null;
        // `auth.shop.svc` and `auth.shop` are names that pods know, too.
        var @namespace = ingress.Metadata.Namespace ?? "";
        var domain = lookups.Settings.ClusterDomain;
        var host = new[] { uri.Host, $"{uri.Host}.{domain}", $"{uri.Host}.svc.{domain}", HostNames.Whole(uri.Host, @namespace, domain) }
            .Select(name => lookups.Host(name)).OfType<MeshHost>().FirstOrDefault(host => HostNames.IsExported(host.ExportTo, host.Namespace, @namespace));
        if (host is null || HostNames.IsWildcard(host.Name) || host.Port(uri.Port) is null)
            return null;
        var traits = uri.Scheme == "https" ? new BackendTraits { Protocol = BackendProtocol.Https } : BackendTraits.None;
        return (host.Name, uri.Port, traits, IngressBackends.ClusterOf(host, uri.Port, traits, lookups), uri.PathAndQuery, uri.Authority);
    }

    // A query may have a key in it.
    private static string Shown(string text) => text.Split('?')[0] is var shown && shown.Contains('@') ? "auth-url" : shown;
}
