using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Weft.Registry.Access;
using Weft.Registry.Names;

namespace Weft.Registry.Http;

/// <summary>
/// The OCI distribution specification 1.1 below `/v2/`. It listens nowhere itself: the loopback listener calls it with a client's credentials, the API
/// server with rights that it has decided on.
/// </summary>
public sealed partial class RegistryEndpoint(ImageRegistry registry, RegistryAccess access, ILogger logger)
{
    private readonly BlobHandler _blobs = new(registry);
    private readonly UploadHandler _uploads = new(registry);
    private readonly ManifestHandler _manifests = new(registry);
    private readonly ListHandler _lists = new(registry);

    /// <summary>Whoever asks has rights by the credentials of the request.</summary>
    public Task HandleAsync(HttpContext context) => GuardAsync(context, async () =>
    {
        var route = RegistryRoute.Parse(context.Request.Path.Value ?? "") ?? throw new RegistryException(404, "NAME_UNKNOWN", "no such path");
        if (route.Kind == RouteKind.Token)
        {
            await TokenAsync(context);
            return;
        }

        var rights = access.Check(context.Request);
        // docker asks here whether it has to log in, and never again.
        var needed = route.Kind == RouteKind.Ping || IsRead(context) ? RegistryRights.Pull : RegistryRights.Push;
        if (rights is null || rights < needed || (route.Kind == RouteKind.Ping && context.Request.Headers.Authorization.Count == 0))
        {
            context.Response.Headers.WWWAuthenticate = RegistryAccess.Challenge(context.Request, route.Name.Length > 0 ? route.Name : null, needed == RegistryRights.Push);
            throw new RegistryException(401, "UNAUTHORIZED", rights is null
                ? "wrong user name, password or token ('weft image login' says how to log in)"
                : "pushing and deleting need a login: 'weft image login' says how");
        }

        await DispatchAsync(context, route);
    });

    /// <summary>The caller was authenticated before, and has these rights.</summary>
    public Task HandleAsync(HttpContext context, RegistryRights rights) => GuardAsync(context, async () =>
    {
        var route = RegistryRoute.Parse(context.Request.Path.Value ?? "") ?? throw new RegistryException(404, "NAME_UNKNOWN", "no such path");
        if (rights < (IsRead(context) ? RegistryRights.Pull : RegistryRights.Push))
            throw RegistryException.Denied("images are pulled here, not pushed");
        if (route.Kind == RouteKind.Token)
            throw new RegistryException(404, "NAME_UNKNOWN", "tokens are not needed here");
        await DispatchAsync(context, route);
    });

    private static bool IsRead(HttpContext context) => HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);

    private Task DispatchAsync(HttpContext context, RegistryRoute route)
    {
        context.Response.Headers["Docker-Distribution-Api-Version"] = "registry/2.0";
        if (route.Kind == RouteKind.Ping)
            return RegistryJson.WriteAsync(context, StatusCodes.Status200OK, new JsonObject());
        if (route.Kind == RouteKind.Catalog)
            return _lists.CatalogAsync(context);

        var repository = RepositoryName.TryParse(route.Name, context.Request.Query["ns"], registry.Options.OwnHosts) ?? throw RegistryException.NameInvalid(route.Name);
        if (!IsRead(context) && repository.Host == registry.Options.ReservedHost)
            throw RegistryException.Denied($"images of {repository.Host} come with Weft and are not changed");
        var call = new RegistryCall(context, route, repository);
        return route.Kind switch
        {
            RouteKind.Tags => _lists.TagsAsync(call),
            RouteKind.Manifest => _manifests.HandleAsync(call),
            RouteKind.Referrers => _manifests.ReferrersAsync(call),
            RouteKind.Blob => _blobs.HandleAsync(call),
            RouteKind.Uploads => _uploads.BeginAsync(call),
            RouteKind.Upload => _uploads.ContinueAsync(call),
            _ => throw new InvalidOperationException($"no handler for {route.Kind}"),
        };
    }

    private Task TokenAsync(HttpContext context)
    {
        // A POST would be OAuth 2; clients go back to GET on 405.
        if (!HttpMethods.IsGet(context.Request.Method))
            throw RegistryException.Unsupported("tokens are asked for with GET");
        var rights = access.CheckBasic(context.Request)
            ?? throw new RegistryException(401, "UNAUTHORIZED", "wrong user name or password ('weft image login' says how to log in)");
        var token = access.Issue(rights);
        context.Response.Headers.CacheControl = "no-store";
        return RegistryJson.WriteAsync(context, StatusCodes.Status200OK, new JsonObject
        {
            ["token"] = token,
            ["access_token"] = token,
            ["expires_in"] = (int)RegistryTokens.Life.TotalSeconds,
        });
    }

    private async Task GuardAsync(HttpContext context, Func<Task> handle)
    {
        try
        {
            await handle();
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be answered.
        }
        catch (RegistryException refusal)
        {
            await RefuseAsync(context, refusal);
        }
        catch (BadHttpRequestException bad)
        {
            await RefuseAsync(context, new RegistryException(bad.StatusCode, "BLOB_UPLOAD_INVALID", bad.Message));
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            await RefuseAsync(context, RegistryException.BlobUnknown("of this request"));
        }
        catch (IOException failed)
        {
            // The disk: the next request may fare better, and this one must not look well.
            Log.Failed(logger, failed, context.Request.Method, context.Request.Path.Value ?? "");
            await RefuseAsync(context, new RegistryException(500, "UNKNOWN", "the registry could not read or write its files; the server's log says why"));
        }
    }

    private static async Task RefuseAsync(HttpContext context, RegistryException refusal)
    {
        if (context.Response.HasStarted)
        {
            context.Abort(); // half an answer must not look whole
            return;
        }

        context.Response.Headers.Remove("Content-Length");
        context.Response.Headers.Remove("Cache-Control");
        await RegistryJson.WriteErrorAsync(context, refusal.Status, refusal.Code, refusal.Message);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Method} {Path} failed")]
        public static partial void Failed(ILogger logger, Exception failure, string method, string path);
    }
}
