using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.Api.Patches;

/// <summary>JSON patch (RFC 6902): all operations or none. The arguments are not changed.</summary>
public static class JsonPatch
{
    // As the API server allows (resource.maxJSONPatchOperations in its patch handler).
    public const int MaxOperations = 10_000;

    // What all copy operations together may add: without it, copying a value into itself doubles the object with every operation. The API server takes its body
    // limit, 3 MiB.
    public const int MaxCopiedBytes = 3 * 1024 * 1024;

    /// <exception cref="PatchException">Not a patch, too large, or it does not apply.</exception>
    public static JsonNode? Apply(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonArray operations)
            throw new PatchException(PatchFailure.Malformed, "a JSON patch must be an array of operations");
        if (operations.Count > MaxOperations)
            throw new PatchException(PatchFailure.TooLarge, $"The allowed maximum operations in a JSON patch is {MaxOperations}, got {operations.Count}");

        var root = target?.DeepClone();
        long copied = 0;
        for (var i = 0; i < operations.Count; i++)
        {
            if (operations[i] is not JsonObject operation)
                throw new PatchException(PatchFailure.Malformed, $"operation {i} of the JSON patch is not an object");
            root = Apply(root, operation, ref copied);
        }
        // Moves and copies can put a deep value below a deep place; other patches cannot go beyond what was parsed.
        if (TreeLimits.DepthOf(root) > TreeLimits.Default.MaxDepth)
            throw new PatchException(PatchFailure.DoesNotApply, $"the patched object would be nested deeper than {TreeLimits.Default.MaxDepth} levels");
        return root;
    }

    private static JsonNode? Apply(JsonNode? root, JsonObject operation, ref long copied)
    {
        var op = operation["op"].AsText() ?? throw Malformed("an operation lacks \"op\"");
        var path = Pointer(operation, op, "path");
        switch (op)
        {
            case "add":
                return Add(root, path, Value(operation, op), op);
            case "remove":
                return Remove(root, path, op);
            case "replace":
                if (!path.TryGet(root, out _))
                    throw Missing(op, path);
                return path.IsRoot ? Value(operation, op) : Replace(root, path, Value(operation, op));
            case "move":
            {
                var from = Pointer(operation, op, "from");
                if (path.IsWithin(from))
                    throw Malformed($"move operation cannot put \"{from.Text}\" into itself");
                if (!from.TryGet(root, out var moved))
                    throw Missing(op, from);
                moved = moved?.DeepClone();
                return Add(Remove(root, from, op), path, moved, op);
            }
            case "copy":
            {
                var from = Pointer(operation, op, "from");
                if (!from.TryGet(root, out var source))
                    throw Missing(op, from);
                copied += JsonTree.WriteUtf8(source).Length;
                if (copied > MaxCopiedBytes)
                    throw new PatchException(PatchFailure.TooLarge, $"the copy operations of the JSON patch add more than {MaxCopiedBytes} bytes");
                return Add(root, path, source?.DeepClone(), op);
            }
            case "test":
            {
                var wanted = Value(operation, op);
                // A missing place equals null, as in the API server's library.
                path.TryGet(root, out var actual);
                if (!JsonNode.DeepEquals(actual, wanted))
                    throw new PatchException(PatchFailure.DoesNotApply, $"testing value {path.Text} failed: test failed");
                return root;
            }
            default:
                throw Malformed($"unexpected operation \"{op}\": it must be add, remove, replace, move, copy or test");
        }
    }

    private static JsonNode? Add(JsonNode? root, JsonPointer path, JsonNode? value, string op)
    {
        if (path.IsRoot)
            return value;
        switch (path.Parent(root))
        {
            case JsonObject members:
                members[path.Last] = value;
                return root;
            case JsonArray list when path.Last == "-":
                list.Add(value);
                return root;
            case JsonArray list when JsonPointer.Index(path.Last, list.Count + 1) is { } index:
                list.Insert(index, value);
                return root;
            default:
                throw Missing(op, path);
        }
    }

    private static JsonNode? Replace(JsonNode? root, JsonPointer path, JsonNode? value)
    {
        if (path.Parent(root) is JsonArray list)
            list[JsonPointer.Index(path.Last, list.Count)!.Value] = value;
        else
            path.Parent(root)!.AsObject()[path.Last] = value;
        return root;
    }

    private static JsonNode? Remove(JsonNode? root, JsonPointer path, string op)
    {
        if (path.IsRoot)
            return null;
        switch (path.Parent(root))
        {
            case JsonObject members when members.Remove(path.Last):
                return root;
            case JsonArray list when JsonPointer.Index(path.Last, list.Count) is { } index:
                list.RemoveAt(index);
                return root;
            default:
                throw Missing(op, path);
        }
    }

    private static JsonPointer Pointer(JsonObject operation, string op, string member) =>
        JsonPointer.Parse(operation[member].AsText() ?? throw Malformed($"{op} operation lacks \"{member}\""));

    private static JsonNode? Value(JsonObject operation, string op) =>
        operation.TryGetPropertyValue("value", out var value) ? value?.DeepClone() : throw Malformed($"{op} operation lacks \"value\"");

    private static PatchException Malformed(string message) => new(PatchFailure.Malformed, "invalid JSON patch: " + message);

    private static PatchException Missing(string op, JsonPointer path) =>
        new(PatchFailure.DoesNotApply, $"{op} operation does not apply: doc is missing path: \"{path.Text}\": missing value");
}
