namespace Weft.Node.Volumes;

/// <param name="Path">Relative, with `/`; checked by <see cref="VolumePaths"/>.</param>
/// <param name="Mode">Permission bits.</param>
internal sealed record VolumeFile(string Path, ReadOnlyMemory<byte> Content, int Mode);

internal sealed class VolumeException(string message) : Exception(message);

internal static class VolumePaths
{
    /// <exception cref="VolumeException">The path is absolute, empty or leaves the volume.</exception>
    public static string Check(string path)
    {
        if (path.Length == 0 || path.StartsWith('/') || path.Contains('\0', StringComparison.Ordinal) || path.Split('/').Any(part => part is "" or "." or "..") || path.StartsWith("..", StringComparison.Ordinal))
            throw new VolumeException($"'{path}' is no path inside a volume: it must be relative, without '..'");
        return path;
    }
}
