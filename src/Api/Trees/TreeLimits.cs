using System.Text.Json.Nodes;

namespace Weft.Api.Trees;

/// <summary>Bounds on untrusted input, checked before anything is built from it.</summary>
/// <param name="MaxDepth">
/// Nested objects and arrays. The JSON readers of .NET stop at 64 by default, here and in other people's clients: an object that is stored must stay readable with
/// up to 5 levels more (its managedFields, one deeper than the object itself) and 3 around it (a row of a Table). A definition of a kind with a whole pod template in
/// its schema needs about 40.
/// </param>
/// <param name="MaxNodes">
/// Values in one document. A node costs about 100 bytes, so the limit keeps a hostile 3 MB body (`[[],[],...`) below 40 MB, and is three times what a full 1.5 MB
/// object of small keys holds.
/// </param>
/// <param name="MaxAliasedNodes">Nodes that YAML aliases may add by expansion: what anchors are used for by hand is hundreds.</param>
public sealed record TreeLimits(int MaxDepth = 56, int MaxNodes = 400_000, int MaxAliasedNodes = 50_000)
{
    public static readonly TreeLimits Default = new();

    /// <summary>How deep a tree is; 0 for a scalar.</summary>
    internal static int DepthOf(JsonNode? node)
    {
        var deepest = 0;
        switch (node)
        {
            case JsonObject members:
                foreach (var (_, member) in members)
                    deepest = Math.Max(deepest, DepthOf(member));
                return deepest + 1;
            case JsonArray list:
                foreach (var item in list)
                    deepest = Math.Max(deepest, DepthOf(item));
                return deepest + 1;
            default:
                return 0;
        }
    }
}
