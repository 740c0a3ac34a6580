namespace Weft.Registry.Http;

internal enum RouteKind
{
    Ping,
    Token,
    Catalog,
    Tags,
    Manifest,
    Blob,
    Uploads,
    Upload,
    Referrers,
}

/// <summary>A path below `/v2/`, read from its end: a repository may well be named `blobs/manifests`.</summary>
/// <param name="Reference">Tag, digest or upload id.</param>
internal sealed record RegistryRoute(RouteKind Kind, string Name = "", string Reference = "")
{
    internal static RegistryRoute? Parse(string path)
    {
        if (path is "/v2" or "/v2/")
            return new(RouteKind.Ping);
        if (!path.StartsWith("/v2/", StringComparison.Ordinal))
            return null;
        var rest = path["/v2/".Length..];
        if (rest == "token")
            return new(RouteKind.Token);
        if (rest == "_catalog")
            return new(RouteKind.Catalog);

        var parts = rest.Split('/');
        return parts switch
        {
            [.. var name, "blobs", "uploads", ""] => Make(RouteKind.Uploads, name, ""),
            [.. var name, "blobs", "uploads"] => Make(RouteKind.Uploads, name, ""),
            [.. var name, "blobs", "uploads", var id] => Make(RouteKind.Upload, name, id),
            [.. var name, "tags", "list"] => Make(RouteKind.Tags, name, ""),
            [.. var name, "manifests", var reference] => Make(RouteKind.Manifest, name, reference),
            [.. var name, "blobs", var digest] => Make(RouteKind.Blob, name, digest),
            [.. var name, "referrers", var digest] => Make(RouteKind.Referrers, name, digest),
            _ => null,
        };

        static RegistryRoute? Make(RouteKind kind, string[] name, string reference) => name.Length > 0 ? new(kind, string.Join('/', name), reference) : null;
    }
}
