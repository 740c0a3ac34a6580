using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.Trees;

/// <summary>Removes from a tree what its schema does not know.</summary>
public static class Pruner
{
    /// <summary>Changes <paramref name="tree"/>.</summary>
    /// <returns>Field paths of what was removed, in document order: the text of `unknown field "spec.foo"` for warnings and strict field validation.</returns>
    public static IReadOnlyList<string> Prune(JsonObject tree, Schema schema)
    {
        var walk = new Walk();
        walk.Object(tree, schema, isResource: true);
        return walk.Unknown;
    }

    /// <summary>
    /// Removes nulls of members that the schema knows as typed and not nullable: there null is the same as absent. What remains the validator judges: a null in a
    /// list, or one of a member that the schema does not know.
    /// </summary>
    public static void DropNulls(JsonNode? tree, Schema schema)
    {
        switch (tree)
        {
            case JsonObject members:
                List<string>? gone = null;
                foreach (var (name, value) in members)
                {
                    var member = schema.Member(name);
                    if (value is null)
                    {
                        if (member is { Nullable: false, PreserveUnknownFields: false })
                            (gone ??= []).Add(name);
                    }
                    else if (member is not null)
                        DropNulls(value, member);
                }
                foreach (var name in gone ?? [])
                    members.Remove(name);
                break;
            case JsonArray list when schema.Items is { } items:
                foreach (var item in list)
                    DropNulls(item, items);
                break;
        }
    }

    private sealed class Walk
    {
        private readonly FieldPath _path = new();

        public List<string> Unknown { get; } = [];

        public void Object(JsonObject tree, Schema schema, bool isResource)
        {
            // A value of any type has no list of fields that it could be held against.
            var keepsUnknown = schema.PreserveUnknownFields || schema is { Type: SchemaType.Any, Properties.Count: 0, AdditionalProperties: null };
            isResource |= schema.EmbeddedResource;
            List<string>? gone = null;
            foreach (var (name, value) in tree)
            {
                if (schema.Properties.TryGetValue(name, out var member))
                {
                    // `metadata` of a custom kind is often written as a bare `type: object`; its fields are known all the same.
                    if (isResource && name == "metadata" && member.Properties.Count == 0)
                        continue;
                    _path.Push(name);
                    Node(value, member);
                    _path.Pop();
                }
                else if (schema.AdditionalProperties is { } values)
                {
                    _path.Push(name);
                    Node(value, values);
                    _path.Pop();
                }
                else if (!keepsUnknown && !(isResource && name is ("apiVersion" or "kind" or "metadata")))
                {
                    Unknown.Add(_path.Child(name));
                    (gone ??= []).Add(name);
                }
            }
            foreach (var name in gone ?? [])
                tree.Remove(name);
        }

        private void Node(JsonNode? node, Schema schema)
        {
            switch (node)
            {
                case JsonObject members:
                    Object(members, schema, isResource: false);
                    break;
                case JsonArray list when schema.Items is { } items:
                    for (var i = 0; i < list.Count; i++)
                    {
                        _path.Push(i);
                        Node(list[i], items);
                        _path.Pop();
                    }
                    break;
            }
        }
    }
}
