using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Apply;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Registry;

/// <summary>Keeps `metadata.managedFields` at every write, and merges apply configurations by them.</summary>
internal static class FieldOwnership
{
    public static void Created(WriteContext context, JsonObject tree)
    {
        if (!context.IsApply)
            ManagedFields.Update(null, tree, context.Resource.Schema, Manager(context), context.Now);
    }

    public static void Updated(WriteContext context, JsonObject tree, JsonObject old)
    {
        if (!context.IsApply)
            ManagedFields.Update(old, tree, context.Resource.Schema, Manager(context), context.Now);
    }

    /// <summary>The object that an apply makes of the current one (null: there is none yet).</summary>
    public static JsonObject Apply(WriteContext context, JsonObject? current, JsonObject configuration, bool force)
    {
        try
        {
            var outcome = ServerSideApply.Apply(current, configuration, context.Resource.Schema, Manager(context), force, context.Now,
                complete: tree => Conform.Default(context.Resource, tree));
            return outcome.Object ?? throw Conflict(outcome.Conflicts);
        }
        catch (FieldsException e)
        {
            throw Statuses.BadRequest(e.Message);
        }
    }

    private static ApiException Conflict(IReadOnlyList<FieldConflict> conflicts) =>
        Statuses.ApplyConflict(FieldConflict.Summary(conflicts),
            conflicts.Select(conflict => new StatusCause { Reason = "FieldManagerConflict", Message = conflict.Message, Field = conflict.Field }));

    private static FieldManager Manager(WriteContext context) =>
        new(context.FieldManager, context.Resource.Kind.ApiVersion, context.Subresource, context.Resource.HasStatus);
}
