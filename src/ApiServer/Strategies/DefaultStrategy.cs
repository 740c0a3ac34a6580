using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies;

/// <summary>
/// What most kinds do: a client cannot set the status at creation, a write to the main resource keeps it, a write to `status` keeps all else.
/// A kind overrides what is special about it.
/// </summary>
internal abstract class DefaultStrategy : IStrategy
{
    private static readonly FrozenDictionary<string, Func<JsonObject, string>> NoFields = FrozenDictionary<string, Func<JsonObject, string>>.Empty;

    public virtual bool Namespaced => true;

    /// <summary>False where the status is no subresource.</summary>
    public virtual bool HasStatus => true;

    public virtual IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields => NoFields;

    public virtual long? GracePeriodSeconds(JsonObject tree, long? requested) => null;

    public virtual void Default(JsonObject tree)
    {
    }

    public virtual void PrepareForCreate(JsonObject tree, StrategyContext context)
    {
        if (!HasStatus)
            return;
        tree.Remove("status");
        if (InitialStatus(tree) is { } status)
            tree["status"] = status;
    }

    public virtual void PrepareForUpdate(JsonObject tree, JsonObject old, StrategyContext context)
    {
        if (!HasStatus)
            return;
        if (context.Subresource == "status")
            KeepAllBut("status", tree, old);
        else
            tree.TakeFrom(old, "status");
    }

    public IEnumerable<FieldError> Validate(JsonObject tree, JsonObject? old, StrategyContext context)
    {
        var root = Field.Root(tree);
        Field? before = old is null ? null : Field.Root(old);
        return ObjectMetaValidation.Validate(root["metadata"], before?["metadata"], Namespaced, NameRule)
            .Concat(ValidateObject(root, before, context));
    }

    public virtual IEnumerable<string> Warnings(JsonObject tree, JsonObject? old) => [];

    public virtual IEnumerable<string> OldForms(JsonObject tree) => [];

    /// <summary>Answers what is wrong with a name, or null.</summary>
    protected virtual string? NameRule(string name) => NameRules.DnsSubdomain(name);

    /// <summary>The status of a new object, or null for none.</summary>
    protected virtual JsonObject? InitialStatus(JsonObject tree) => null;

    /// <summary>The rules of the kind, all errors. The shape (types, required members, enums, immutable members) has been checked against the schema.</summary>
    protected virtual IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context) => [];

    /// <summary>Everything but one member as stored; of metadata only what tells who wrote and against which version is new.</summary>
    protected static void KeepAllBut(string member, JsonObject tree, JsonObject old)
    {
        foreach (var name in tree.Select(entry => entry.Key).Union(old.Select(entry => entry.Key)).ToList())
        {
            if (name == "metadata")
                KeepMetadata(tree, old);
            else if (name != member)
                tree.TakeFrom(old, name);
        }
    }

    protected static void KeepMetadata(JsonObject tree, JsonObject old)
    {
        if (tree["metadata"] is not JsonObject written || old["metadata"] is not JsonObject stored)
            return;
        var kept = stored.DeepClone().AsObject();
        foreach (var name in (string[])["managedFields", "resourceVersion"])
            kept.TakeFrom(written, name);
        tree["metadata"] = kept;
    }
}
