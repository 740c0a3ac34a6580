using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.Registry.Names;

namespace Weft.Registry.Http;

/// <summary>Lists by pages: `tags/list` and `_catalog`.</summary>
internal sealed class ListHandler(ImageRegistry registry)
{
    // A page that nobody has limited.
    private const int MaxPage = 10_000;

    internal Task TagsAsync(RegistryCall call)
    {
        if (!HttpMethods.IsGet(call.Request.Method) && !call.IsHead)
            throw call.NoSuchMethod();
        if (!registry.Repositories.Exists(call.Repository))
            throw RegistryException.NameUnknown(call.Repository.Full);
        var (page, more) = Page(call.Request, registry.Repositories.TagsOf(call.Repository));
        if (more)
            Link(call.Context, $"/v2/{call.Name}/tags/list", page);
        return RegistryJson.WriteAsync(call.Context, StatusCodes.Status200OK, new JsonObject { ["name"] = call.Name, ["tags"] = Array(page) });
    }

    internal Task CatalogAsync(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
            throw RegistryException.Unsupported($"{context.Request.Method} is not possible on the catalogue");
        var (page, more) = Page(context.Request, [.. registry.Repositories.All().Select(repository => repository.Full)]);
        if (more)
            Link(context, "/v2/_catalog", page);
        return RegistryJson.WriteAsync(context, StatusCodes.Status200OK, new JsonObject { ["repositories"] = Array(page) });
    }

    private static (IReadOnlyList<string> Page, bool More) Page(HttpRequest request, IReadOnlyList<string> all)
    {
        var size = MaxPage;
        if (request.Query["n"].ToString() is { Length: > 0 } asked && (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out size) || size < 0))
            throw new RegistryException(400, "PAGINATION_NUMBER_INVALID", $"n={asked} is no number of entries");
        size = Math.Min(size, MaxPage);
        var last = request.Query["last"].ToString();
        var rest = last.Length == 0 ? all : [.. all.Where(entry => string.CompareOrdinal(entry, last) > 0)];
        return (rest.Count > size ? [.. rest.Take(size)] : rest, size > 0 && rest.Count > size);
    }

    // RFC 8288, as the specification asks for.
    private static void Link(HttpContext context, string path, IReadOnlyList<string> page)
    {
        var query = $"?n={page.Count}&last={Uri.EscapeDataString(page[^1])}";
        if (context.Request.Query["ns"].ToString() is { Length: > 0 } origin)
            query += "&ns=" + Uri.EscapeDataString(origin);
        context.Response.Headers.Link = $"<{path}{query}>; rel=\"next\"";
    }

    private static JsonArray Array(IEnumerable<string> entries) => [.. entries.Select(entry => (JsonNode)entry)];
}
