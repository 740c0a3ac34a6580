using Microsoft.AspNetCore.Http;
using Weft.Api.Schemas;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.OpenApi;

/// <summary>/openapi/v2 (JSON and protobuf) and /openapi/v3: what kubectl explains, validates and plans patches by.</summary>
/// <param name="serverVersion">As /version says it: `v1.33.0`.</param>
public sealed class OpenApiHandler(IResourceCatalog catalog, SchemaReader schemas, string serverVersion) : IPathHandler
{
    private const string V3Root = "/openapi/v3";

    private readonly MetaDefinitions _meta = new(schemas);
    private readonly Lock _gate = new();
    private OpenApiDocuments? _documents;

    public bool Matches(RequestInfo request) =>
        request.Path is "/openapi/v2" or V3Root || request.Path.StartsWith(V3Root + "/", StringComparison.Ordinal);

    public Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken)
    {
        var documents = Documents();
        var document = request.Path switch
        {
            "/openapi/v2" => documents.V2(WantsProtobuf(context.Request.Headers.Accept.ToString())),
            V3Root => documents.V3Index,
            var path => documents.V3(path[(V3Root.Length + 1)..]) ?? throw Statuses.NoSuchPath(),
        };
        return document.WriteAsync(context, cancellationToken);
    }

    // One snapshot of documents at a time, so that two first requests do not build them twice.
    private OpenApiDocuments Documents()
    {
        var snapshot = catalog.Current;
        lock (_gate)
        {
            if (_documents is null || _documents.Epoch != snapshot.Epoch)
                _documents = new OpenApiDocuments(snapshot, _meta, serverVersion, _documents);
            return _documents;
        }
    }

    // `@` in the request, `.` in the answer: clients ask by the first name, and `@` is no character of a media type.
    private static bool WantsProtobuf(string accept)
    {
        foreach (var type in accept.Split(',', StringSplitOptions.TrimEntries))
        {
            var name = type.Split(';')[0].Trim();
            if (name is "application/com.github.proto-openapi.spec.v2@v1.0+protobuf" or OpenApiDocuments.ProtobufV2)
                return true;
            if (name is "application/json" or "*/*" or "application/*")
                return false;
        }

        return false;
    }
}
