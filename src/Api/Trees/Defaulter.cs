using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.Trees;

/// <summary>
/// Sets the defaults of a schema: absent members, and null ones where null is no value, in objects that exist (a default below an absent object does not make
/// that object). A default may itself be completed by defaults below it.
/// </summary>
public static class Defaulter
{
    /// <summary>Changes <paramref name="tree"/>; true when anything was set.</summary>
    public static bool Apply(JsonNode? tree, Schema schema)
    {
        var changed = false;
        switch (tree)
        {
            case JsonObject members:
                foreach (var (name, member) in schema.Properties)
                {
                    if (members.TryGetPropertyValue(name, out var value) && (value is not null || member.Nullable))
                    {
                        changed |= Apply(value, member);
                        continue;
                    }
                    if (member.Default is null)
                        continue;
                    var given = member.Default.DeepClone();
                    Apply(given, member);
                    members[name] = given;
                    changed = true;
                }
                if (schema.AdditionalProperties is { } values)
                    changed |= Values(members, schema, values);
                break;
            case JsonArray list when schema.Items is { } items:
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i] is null && items is { Default: not null, Nullable: false })
                    {
                        list[i] = items.Default.DeepClone();
                        changed = true;
                    }
                    changed |= Apply(list[i], items);
                }
                break;
        }
        return changed;
    }

    private static bool Values(JsonObject members, Schema schema, Schema values)
    {
        var changed = false;
        foreach (var name in members.Select(m => m.Key).ToList())
        {
            if (schema.Properties.ContainsKey(name))
                continue;
            if (members[name] is null && values is { Default: not null, Nullable: false })
            {
                members[name] = values.Default.DeepClone();
                changed = true;
            }
            changed |= Apply(members[name], values);
        }
        return changed;
    }
}
