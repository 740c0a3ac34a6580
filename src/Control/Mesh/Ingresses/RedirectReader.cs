using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>Redirects that stand in place of a service.</summary>
internal static class RedirectReader
{
    // nginx' variables at the end of an address: what the request has, stays.
    private const string WholeRequest = "$request_uri";

    public static RedirectAction? Read(IngressAnnotations annotations)
    {
        var temporal = Of("temporal-redirect", "temporal-redirect-code", 302, annotations);
        var permanent = Of("permanent-redirect", "permanent-redirect-code", 301, annotations);
        return temporal ?? permanent; // the temporal one has priority, as in ingress-nginx
    }

    public static string? AppRoot(IngressAnnotations annotations)
    {
        if (annotations.Text("app-root") is not { } root)
            return null;
        if (root.StartsWith('/') && root.Length > 1 && root.All(c => c is > ' ' and <= '~'))
            return root;
        annotations.Error("app-root", $"'{root}' is no path below '/'");
        return null;
    }

    private static RedirectAction? Of(string name, string codeName, int usual, IngressAnnotations annotations)
    {
        var code = annotations.Number(codeName, 300, 308) ?? usual;
        if (annotations.Text(name) is not { } text)
            return null;
        if (code is not (301 or 302 or 303 or 307 or 308))
        {
            annotations.Error(codeName, $"{code} is no redirect; 301, 302, 303, 307 or 308");
            code = usual;
        }

        var keeps = text.EndsWith(WholeRequest, StringComparison.Ordinal);
        var address = (keeps ? text[..^WholeRequest.Length] : text).Replace("$scheme://", "weft-same://", StringComparison.Ordinal);
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https" or "weft-same") || uri.UserInfo.Length > 0 || address.Contains('$')
            || !Hosts.HostNames.IsHost(uri.Host) || (keeps && uri.PathAndQuery is not ("/" or "")))
        {
            annotations.Close(name, $"'{text}' is no address that can be redirected to; write https://host/path, or https://host$request_uri");
            return null;
        }

        return new()
        {
            Scheme = uri.Scheme == "weft-same" ? null : uri.Scheme, Host = uri.Host, Port = uri.IsDefaultPort || uri.Port < 0 ? null : uri.Port,
            Path = keeps ? null : uri.PathAndQuery.Length == 0 ? "/" : uri.PathAndQuery, DropQuery = !keeps, Status = code,
        };
    }
}
