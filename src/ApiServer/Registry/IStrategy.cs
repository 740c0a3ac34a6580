using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Authentication;

namespace Weft.ApiServer.Registry;

/// <param name="Subresource">Empty, `status`, `scale`, ...: what the write goes through.</param>
/// <param name="Namespace">Of the request; empty for a cluster-scoped object.</param>
public sealed record StrategyContext(UserInfo User, string Subresource, string Namespace, DateTimeOffset Now)
{
    /// <summary>The server's own write at its start.</summary>
    public bool IsOwn { get; init; }
}

/// <summary>
/// What is special about a kind. Called by the generic registry in this order: schema defaults, <see cref="Default"/>, Prepare, admission (and Prepare
/// once more when a webhook changed the object), schema validation, Validate, Warnings. Trees are in the storage version. Only Default and Prepare may change the tree.
/// </summary>
public interface IStrategy
{
    /// <summary>Defaults that depend on other fields (imagePullPolicy from the tag); also applied to an apply configuration's result and to CRD objects.</summary>
    void Default(JsonObject tree);

    /// <summary>Clears what a client may not set at creation (status) and sets what the server owns (generation is set by the registry).</summary>
    void PrepareForCreate(JsonObject tree, StrategyContext context);

    /// <summary>The same for an update: a write to the main resource keeps the old status, a write to `status` keeps everything else.</summary>
    void PrepareForUpdate(JsonObject tree, JsonObject old, StrategyContext context);

    /// <summary>All errors, not the first. <paramref name="old"/> is null at creation.</summary>
    IEnumerable<FieldError> Validate(JsonObject tree, JsonObject? old, StrategyContext context);

    /// <summary>Sentences for `Warning:` headers: deprecated fields, names that are not DNS labels, ...</summary>
    IEnumerable<string> Warnings(JsonObject tree, JsonObject? old);

    /// <summary>Sentences for `Warning:` headers about forms that <see cref="Default"/> turns into today's: the tree is as the client wrote it.</summary>
    IEnumerable<string> OldForms(JsonObject tree) => [];

    /// <summary>Fields of field selectors besides metadata.name and metadata.namespace, with how to read them.</summary>
    IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; }

    /// <summary>Graceful deletion: the seconds to grant, or null when this object is removed at once.</summary>
    long? GracePeriodSeconds(JsonObject tree, long? requested);
}
