using System.Text.Json.Nodes;

namespace Weft.Api.Apply;

/// <summary>The JSON form of a field set in managedFields.</summary>
public static class FieldsV1
{
    public static JsonObject Write(FieldSet set)
    {
        var tree = new JsonObject();
        foreach (var (element, isMember, below) in set.Elements)
        {
            var node = Write(below);
            // A step without anything below it is a member by itself.
            if (isMember && node.Count > 0)
                node.Insert(0, ".", new JsonObject());
            tree[element.Serialize()] = node;
        }
        return tree;
    }

    /// <exception cref="FieldsException">Not a field set.</exception>
    public static FieldSet Read(JsonNode? tree)
    {
        var builder = new FieldSet.Builder();
        Read(tree, builder);
        return builder.Build();
    }

    /// <returns>True when the node says that its own step is a member.</returns>
    private static bool Read(JsonNode? tree, FieldSet.Builder builder)
    {
        if (tree is not JsonObject members)
            throw new FieldsException("a field set must be an object of objects");
        var isMember = members.Count == 0;
        foreach (var (name, value) in members)
        {
            if (name == ".")
                isMember = true;
            else if (PathElement.Parse(name) is { } element && Read(value, builder.Below(element)))
                builder.AddMember(element);
        }
        return isMember;
    }
}
