using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.Control.Mesh.Inputs;

/// <summary>The text of the mesh's configuration as a tree, for all who read a part of it: what one of them takes for unreadable must not end another.</summary>
internal static class MeshConfigText
{
    /// <param name="tree">Null: it is empty.</param>
    /// <param name="problem">Why it is none.</param>
    public static bool TryParse(string yaml, out JsonNode? tree, out string problem)
    {
        (tree, problem) = (null, "");
        try
        {
            tree = YamlTree.Parse(yaml).Root;
            return true;
        }
        catch (Exception unreadable) when (unreadable is TreeException or FormatException)
        {
            problem = unreadable.Message;
            return false;
        }
    }
}
