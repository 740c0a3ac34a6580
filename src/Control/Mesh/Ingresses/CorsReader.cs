using System.Text.RegularExpressions;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Ingresses;

internal static class CorsReader
{
    private static readonly string[] Methods = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"];

    // Those that ingress-nginx allows where nothing is said.
    private static readonly string[] Headers = ["DNT", "Keep-Alive", "User-Agent", "X-Requested-With", "If-Modified-Since", "Cache-Control", "Content-Type", "Range", "Authorization"];

    public static IEnumerable<FilterConfig> Read(IngressAnnotations annotations)
    {
        var isOn = annotations.Flag("enable-cors");
        var origins = annotations.List("cors-allow-origin");
        var (asksCredentials, credentials) = (annotations.Text("cors-allow-credentials") is not null, annotations.Flag("cors-allow-credentials", usual: true));
        var isAny = origins.Count == 0 || origins.Contains("*");
        if (isOn && isAny && asksCredentials && credentials)
            annotations.Error("cors-allow-credentials", "with every origin each site could act as the user, so credentials are not allowed; name the origins");
        var filter = new CorsFilter
        {
            AllowOrigins = isAny ? [StringMatch.Exact("*")] : origins.Select(Origin).ToValueList(),
            AllowMethods = Names("cors-allow-methods", Methods, annotations), AllowHeaders = Names("cors-allow-headers", Headers, annotations),
            ExposeHeaders = Names("cors-expose-headers", [], annotations), AllowCredentials = credentials && !isAny,
            MaxAge = TimeSpan.FromSeconds(annotations.Number("cors-max-age", 0, int.MaxValue) ?? 1_728_000),
        };
        return isOn ? [filter] : [];
    }

    // `https://*.example.com` is one label more.
    private static StringMatch Origin(string origin)
        => origin.Contains("*.", StringComparison.Ordinal) ? StringMatch.Regex(Regex.Escape(origin).Replace(@"\*\.", @"[A-Za-z0-9-]+\.", StringComparison.Ordinal)) : StringMatch.Exact(origin);

    private static ValueList<string> Names(string name, string[] usual, IngressAnnotations annotations)
    {
        var list = annotations.List(name);
        foreach (var bad in list.Where(item => !HeaderTexts.IsToken(item)))
            annotations.Error(name, $"'{bad}' is neither a method nor a name of a header field");
        return (list.Count > 0 ? list.Where(HeaderTexts.IsToken) : usual).ToValueList();
    }
}
