using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.Control.Mesh;
using Weft.Proxy.Config;

namespace Weft.Control.Tests.Mesh;

/// <summary>A snapshot for people: each unit by its key, its content as YAML, and the diagnostics.</summary>
internal static class UnitText
{
    /// <param name="without">Units of these are left out: what a case adds to the world that it stands in is what it is about.</param>
    public static string Of(MeshSnapshot snapshot, IReadOnlyList<string> schemaErrors, MeshSnapshot? without = null)
    {
        var known = without?.Units.ToHashSet() ?? [];
        var text = new StringBuilder();
        foreach (var unit in snapshot.Units.Where(unit => !known.Contains(unit)))
            Block(text, unit.Key.ToString(), YamlTree.Write(JsonNode.Parse(unit.Bytes.Span)));
        foreach (var gone in known.Select(unit => unit.Key).Except(snapshot.Units.Select(unit => unit.Key)).OrderBy(key => key.ToString(), StringComparer.Ordinal))
            text.Append(gone).Append(" is gone\n\n");
        foreach (var error in schemaErrors)
            text.Append("schema ").Append(error).Append('\n');
        foreach (var diagnostic in snapshot.Diagnostics)
            text.Append(diagnostic).Append('\n');
        return text.ToString();
    }

    public static string Of(ConfigUnit unit) => $"{unit.Key} {Encoding.UTF8.GetString(unit.Bytes.Span)}";

    private static void Block(StringBuilder text, string title, string content)
    {
        text.Append(title).Append('\n');
        foreach (var line in content.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            text.Append("  ").Append(line).Append('\n');
        text.Append('\n');
    }
}
