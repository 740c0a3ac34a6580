using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Json;
using Weft.Api.Patches;
using Weft.Client;

namespace Weft.Control.Runtime;

/// <summary>
/// The least patch that makes one typed view into another. Controllers never replace an object: a field that this version does not know
/// stays as it is. Each patch names the uid, so that it cannot hit a later life of the name.
/// </summary>
public static class Patches
{
    /// <summary>Null when nothing differs.</summary>
    public static Patch? Status<TStatus>(IObject owner, TStatus old, TStatus @new) where TStatus : notnull
    {
        var difference = MergePatch.Diff(ApiJson.ToTree(old), ApiJson.ToTree(@new));
        return difference.Count == 0
            ? null
            : Patch.Merge(new JsonObject { ["metadata"] = Identity(owner), ["status"] = difference });
    }

    /// <summary>Null when nothing differs.</summary>
    public static Patch? Object<T>(T old, T @new) where T : IObject
    {
        var difference = MergePatch.Diff(ApiJson.ToTree(old), ApiJson.ToTree(@new));
        if (difference.Count == 0)
            return null;
        if (difference["metadata"] is not JsonObject metadata)
            difference["metadata"] = metadata = [];
        metadata["uid"] = old.Metadata.Uid;
        return Patch.Merge(difference);
    }

    public static Patch AddOwner(IObject target, OwnerReference owner) =>
        Patch.Strategic(new JsonObject { ["metadata"] = WithOwners(target, ApiJson.ToTree(owner)) });

    public static Patch RemoveOwner(IObject target, string ownerUid) =>
        Patch.Strategic(new JsonObject { ["metadata"] = WithOwners(target, new JsonObject { ["$patch"] = "delete", ["uid"] = ownerUid }) });

    private static JsonObject WithOwners(IObject target, JsonObject owner)
    {
        var metadata = Identity(target);
        metadata["ownerReferences"] = new JsonArray(owner);
        return metadata;
    }

    private static JsonObject Identity(IObject target) => new() { ["uid"] = target.Metadata.Uid };
}
