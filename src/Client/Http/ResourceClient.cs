using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api;

namespace Weft.Client;

/// <summary>
/// The verbs on one resource. A kind that Weft does not own is never replaced (PUT) by a typed client: an older type would delete newer
/// fields; it is patched. <see cref="UpdateAsync"/> is for trees and for Weft's own kinds.
/// </summary>
public sealed class ResourceClient<T> where T : class
{
    // Enough to make a page's overhead small, small enough that its bytes are (500 is kubectl's and client-go's page, too).
    private const int PageSize = 500;

    private readonly ApiTransport _transport;
    private readonly Codec<T> _codec;

    internal ResourceClient(ApiTransport transport, ApiResource resource, Codec<T> codec)
    {
        _transport = transport;
        _codec = codec;
        Resource = resource;
    }

    public ApiResource Resource { get; }

    public async Task<T> GetAsync(ObjectKey key, CancellationToken cancellationToken, string subresource = "") =>
        _codec.Read(await _transport.SendAsync(HttpMethod.Get, Resource.ObjectPath(key, subresource), _codec.Accept, null, cancellationToken));

    /// <summary>Null when there is no such object.</summary>
    public async Task<T?> FindAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await GetAsync(key, cancellationToken);
        }
        catch (ApiStatusException refused) when (refused.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>One page, as the options ask for it.</summary>
    public async Task<ListPage<T>> ListPageAsync(string? @namespace, ListOptions options, CancellationToken cancellationToken)
    {
        var path = Resource.CollectionPath(@namespace) + new Query().Add(options);
        return ListReader.Read(await _transport.SendAsync(HttpMethod.Get, path, _codec.AcceptList, null, cancellationToken), _codec);
    }

    /// <summary>All objects, page by page, as of one revision.</summary>
    public async Task<ListPage<T>> ListAsync(string? @namespace, CancellationToken cancellationToken, ListOptions? options = null)
    {
        options ??= new ListOptions();
        var items = new List<T>();
        var next = options with { Limit = options.Limit ?? PageSize };
        while (true)
        {
            var page = await ListPageAsync(@namespace, next, cancellationToken);
            if (string.IsNullOrEmpty(page.Metadata.Continue))
                return items.Count == 0 ? page : new ListPage<T>([.. items, .. page.Items], page.Metadata);
            items.AddRange(page.Items);
            // A continued list is as of the token's revision: the other two parameters are not allowed beside it.
            next = next with { Continue = page.Metadata.Continue, ResourceVersion = null, ResourceVersionMatch = null };
        }
    }

    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync(
        string? @namespace, WatchOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var path = Resource.CollectionPath(@namespace) + new Query().Add(options);
        using var response = await _transport.OpenAsync(HttpMethod.Get, path, _codec.Accept, null, cancellationToken);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (var change in WatchReader.ReadAsync(stream, _codec, cancellationToken))
            yield return change;
    }

    public async Task<T> CreateAsync(string? @namespace, T value, CancellationToken cancellationToken, WriteOptions? options = null)
    {
        var path = Resource.CollectionPath(@namespace) + new Query().Add(options ?? WriteOptions.None);
        return _codec.Read(await _transport.SendAsync(HttpMethod.Post, path, _codec.Accept, ("application/json", _codec.Write(value)), cancellationToken));
    }

    public async Task<T> UpdateAsync(ObjectKey key, T value, CancellationToken cancellationToken, WriteOptions? options = null)
    {
        options ??= WriteOptions.None;
        var path = Resource.ObjectPath(key, options.Subresource) + new Query().Add(options);
        return _codec.Read(await _transport.SendAsync(HttpMethod.Put, path, _codec.Accept, ("application/json", _codec.Write(value)), cancellationToken));
    }

    public async Task<T> PatchAsync(ObjectKey key, Patch patch, CancellationToken cancellationToken, WriteOptions? options = null)
    {
        options ??= WriteOptions.None;
        var path = Resource.ObjectPath(key, options.Subresource) + new Query().Add(options);
        return _codec.Read(await _transport.SendAsync(HttpMethod.Patch, path, _codec.Accept, (patch.ContentType, patch.Body), cancellationToken));
    }

    public Task<T> PatchStatusAsync(ObjectKey key, Patch patch, CancellationToken cancellationToken, WriteOptions? options = null) =>
        PatchAsync(key, patch, cancellationToken, (options ?? WriteOptions.None) with { Subresource = "status" });

    /// <summary>Server-side apply.</summary>
    public Task<T> ApplyAsync(ObjectKey key, JsonObject configuration, string fieldManager, CancellationToken cancellationToken, WriteOptions? options = null) =>
        PatchAsync(key, Patch.Apply(configuration), cancellationToken, (options ?? WriteOptions.None) with { FieldManager = fieldManager });

    /// <returns>The object, when it has only begun to terminate (or the server shows what it removed); null when it is gone.</returns>
    public async Task<T?> DeleteAsync(ObjectKey key, CancellationToken cancellationToken, Deletion? options = null)
    {
        var answer = await _transport.SendAsync(HttpMethod.Delete, Resource.ObjectPath(key), _codec.Accept, DeleteBody(options), cancellationToken);
        return IsStatus(answer) ? null : _codec.Read(answer);
    }

    /// <summary>False when there was nothing to delete: no such object, or another life of the name than the one asked for.</summary>
    public async Task<bool> DeleteIfThereAsync(ObjectKey key, CancellationToken cancellationToken, Deletion? options = null)
    {
        try
        {
            await DeleteAsync(key, cancellationToken, options);
            return true;
        }
        catch (ApiStatusException refused) when (refused.IsNotFound || (refused.IsConflict && options?.Uid is not null))
        {
            return false;
        }
    }

    public async Task DeleteCollectionAsync(
        string? @namespace, CancellationToken cancellationToken, ListOptions? selection = null, Deletion? options = null)
    {
        var path = Resource.CollectionPath(@namespace) + new Query().Add(selection ?? new ListOptions());
        await _transport.SendAsync(HttpMethod.Delete, path, _codec.Accept, DeleteBody(options), cancellationToken);
    }

    /// <summary>POST to a subresource: `pods/binding`, `pods/eviction`, `serviceaccounts/token`.</summary>
    public async Task<JsonObject> PostAsync(ObjectKey key, string subresource, JsonObject body, CancellationToken cancellationToken)
    {
        var answer = await _transport.SendAsync(
            HttpMethod.Post, Resource.ObjectPath(key, subresource), "application/json",
            ("application/json", JsonSerializer.SerializeToUtf8Bytes(body)), cancellationToken);
        return JsonNode.Parse(answer) as JsonObject ?? throw new JsonException("The server sent something else than a JSON object.");
    }

    private static bool IsStatus(ReadOnlySpan<byte> answer)
    {
        var json = new Utf8JsonReader(answer);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isKind = json.ValueTextEquals("kind"u8);
            json.Read();
            if (isKind)
                return json.TokenType == JsonTokenType.String && json.ValueTextEquals("Status"u8);
            json.Skip();
        }

        return false;
    }

    private static (string, ReadOnlyMemory<byte>)? DeleteBody(Deletion? options)
    {
        if (options is null || options == Deletion.None)
            return null;
        var body = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "DeleteOptions" };
        if (options.GracePeriodSeconds is { } grace)
            body["gracePeriodSeconds"] = grace;
        if (options.Propagation is { } propagation)
            body["propagationPolicy"] = propagation.ToString();
        if (options.DryRun)
            body["dryRun"] = new JsonArray("All");
        if (options.Uid is not null || options.ResourceVersion is not null)
        {
            var preconditions = new JsonObject();
            if (options.Uid is not null)
                preconditions["uid"] = options.Uid;
            if (options.ResourceVersion is not null)
                preconditions["resourceVersion"] = options.ResourceVersion;
            body["preconditions"] = preconditions;
        }

        return ("application/json", JsonSerializer.SerializeToUtf8Bytes(body));
    }
}
