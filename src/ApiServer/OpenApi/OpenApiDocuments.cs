using System.Text.Json.Nodes;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.OpenApi;

/// <summary>The OpenAPI documents of one snapshot. Each is built when first asked for, off the start path; v3 documents of unchanged versions are taken over.</summary>
internal sealed class OpenApiDocuments
{
    internal const string ProtobufV2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

    private readonly IReadOnlyList<ServedVersion> _versions;
    private readonly Lazy<CachedDocument> _v2;
    private readonly Lazy<CachedDocument> _v2Proto;
    private readonly Dictionary<string, (ServedVersion Served, Lazy<CachedDocument> Document)> _v3 = [];
    private readonly Lazy<CachedDocument> _index;

    internal OpenApiDocuments(ResourceSnapshot snapshot, MetaDefinitions meta, string serverVersion, OpenApiDocuments? previous)
    {
        Epoch = snapshot.Epoch;
        _versions = [.. ServedGroups.Of(snapshot).SelectMany(g => g.Versions)];
        _v2 = new(() => CachedDocument.Json(V2()));
        _v2Proto = new(() => new CachedDocument(OpenApiV2Proto.Encode(V2()), ProtobufV2));
        _index = new(Index);
        foreach (var served in _versions)
        {
            var path = PathOf(served);
            if (previous is not null && previous._v3.TryGetValue(path, out var kept) && kept.Served.Resources.SequenceEqual(served.Resources, ReferenceEqualityComparer.Instance))
                _v3[path] = kept;
            else
                _v3[path] = (served, new(() => CachedDocument.Json(OpenApiV3.Document(served, meta, serverVersion))));
        }

        JsonObject V2() => OpenApiV2.Document(_versions, meta, serverVersion);
    }

    internal long Epoch { get; }

    internal CachedDocument V2(bool protobuf) => protobuf ? _v2Proto.Value : _v2.Value;

    internal CachedDocument V3Index => _index.Value;

    /// <param name="path">`api/v1`, `apis/apps/v1`.</param>
    internal CachedDocument? V3(string path) => _v3.TryGetValue(path, out var found) ? found.Document.Value : null;

    // Clients keep a document under its address for as long as they like: the hash in it changes with the content.
    private CachedDocument Index()
    {
        var paths = new JsonObject();
        foreach (var (path, entry) in _v3.OrderBy(p => p.Key, StringComparer.Ordinal))
            paths[path] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{path}?hash={entry.Document.Value.Hash}" };
        return CachedDocument.Json(new JsonObject { ["paths"] = paths });
    }

    private static string PathOf(ServedVersion served) => served.Group.Length == 0 ? $"api/{served.Version}" : $"apis/{served.Group}/{served.Version}";
}
