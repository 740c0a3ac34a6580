using System.Runtime.CompilerServices;

namespace Weft.Control.Tests.Mesh.Feed;

/// <summary>Manifests in the wild, as they stand.</summary>
internal static class Seeds
{
    public static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "seeds");
}
