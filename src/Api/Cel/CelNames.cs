using System.Text;
using Weft.Api.Schemas;

namespace Weft.Api.Cel;

/// <summary>
/// Names of members in expressions. A name that is no identifier of CEL is written escaped (Kubernetes, "Validation rules"): `__dot__`, `__dash__`, `__slash__`,
/// `__underscores__` for two of them, and a reserved word between double underscores. A name that even so is none cannot be reached.
/// </summary>
public static class CelNames
{
    // Those that Kubernetes escapes.
    private static readonly System.Collections.Frozen.FrozenSet<string> Keywords = System.Collections.Frozen.FrozenSet.ToFrozenSet(
    [
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return",
    ]);

    // Of an object with metadata rules see its names alone: the rest changes under the server's hands.
    private static readonly Schema Metadata = new()
    {
        Type = SchemaType.Object,
        PropertiesFactory = () => System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(new Dictionary<string, Schema>
        {
            ["name"] = new() { Type = SchemaType.String },
            ["generateName"] = new() { Type = SchemaType.String },
        }),
    };

    public static string? Escape(string name)
    {
        if (name.Length == 0 || !(char.IsAsciiLetter(name[0]) || name[0] is '_' or '.' or '-' or '/'))
            return null;
        if (Keywords.Contains(name))
            return $"__{name}__";
        var text = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            if (name[i] == '_' && i + 1 < name.Length && name[i + 1] == '_')
            {
                text.Append("__underscores__");
                i++;
            }
            else if (char.IsAsciiLetterOrDigit(name[i]) || name[i] == '_')
                text.Append(name[i]);
            else if (name[i] is '.' or '-' or '/')
                text.Append(name[i] switch { '.' => "__dot__", '-' => "__dash__", _ => "__slash__" });
            else
                return null;
        }
        return text.ToString();
    }

    public static string Unescape(string identifier)
    {
        if (!identifier.Contains("__", StringComparison.Ordinal))
            return identifier;
        if (identifier.Length > 4 && identifier.StartsWith("__", StringComparison.Ordinal) && identifier.EndsWith("__", StringComparison.Ordinal) && Keywords.Contains(identifier[2..^2]))
            return identifier[2..^2];
        return identifier.Replace("__dot__", ".", StringComparison.Ordinal).Replace("__dash__", "-", StringComparison.Ordinal)
            .Replace("__slash__", "/", StringComparison.Ordinal).Replace("__underscores__", "__", StringComparison.Ordinal);
    }

    /// <summary>The member of an object that an identifier names.</summary>
    internal static (string Name, Schema Schema)? Find(Schema schema, string identifier)
    {
        // Most names are written as they are; this runs for each look at a member.
        var plain = !identifier.Contains("__", StringComparison.Ordinal);
        var name = plain ? identifier : Unescape(identifier);
        if (!schema.Properties.TryGetValue(name, out var found) || (plain ? Keywords.Contains(name) : Escape(name) != identifier))
            return null;
        var isResource = schema.Kind is not null || schema.EmbeddedResource;
        return (name, isResource && name == "metadata" ? Metadata : found);
    }
}
