namespace Weft.Api.Trees;

/// <summary>Bounds on untrusted input, checked before anything is built from it.</summary>
/// <param name="MaxDepth">
/// Nested objects and arrays. Deep CustomResourceDefinitions (a pod template inside a schema) reach about 100; everything that walks a tree recurses, and at
/// 256 levels of a few hundred bytes each stays far inside a thread's stack.
/// </param>
/// <param name="MaxNodes">
/// Values in one document. A node costs about 100 bytes, so the limit keeps a hostile 3 MB body (`[[],[],...`) below 40 MB, and is three times what a full 1.5 MB
/// object of small keys holds.
/// </param>
/// <param name="MaxAliasedNodes">Nodes that YAML aliases may add by expansion: what anchors are used for by hand is hundreds.</param>
public sealed record TreeLimits(int MaxDepth = 256, int MaxNodes = 400_000, int MaxAliasedNodes = 50_000)
{
    public static readonly TreeLimits Default = new();
}
