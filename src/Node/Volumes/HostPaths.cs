using Weft.Api.Core;

namespace Weft.Node.Volumes;

internal static class HostPaths
{
    /// <summary>Checks, and where the type says so makes, what a hostPath volume names.</summary>
    /// <exception cref="VolumeException">It is not of the type that the pod asks for.</exception>
    public static string Resolve(HostPathVolumeSource source)
    {
        var path = source.Path;
        if (!path.StartsWith('/') || path.Split('/').Contains(".."))
            throw new VolumeException($"hostPath '{path}' must be absolute, without '..'");
        switch (source.Type)
        {
            case "DirectoryOrCreate" when !Path.Exists(path):
                Directory.CreateDirectory(path);
                break;
            case "FileOrCreate" when !Path.Exists(path):
                if (!Directory.Exists(Path.GetDirectoryName(path)))
                    throw new VolumeException($"hostPath '{path}' cannot be made: its directory does not exist");
                using (File.Create(path))
                {
                }
                break;
        }

        if (!Path.Exists(path))
            throw new VolumeException($"hostPath '{path}' does not exist on this node");
        var problem = source.Type switch
        {
            "Directory" or "DirectoryOrCreate" when !Directory.Exists(path) => "is not a directory",
            "File" or "FileOrCreate" when !IsType(path, FileKind.Regular) => "is not a file",
            "Socket" when !IsType(path, FileKind.Socket) => "is not a socket",
            "CharDevice" when !IsType(path, FileKind.CharacterDevice) => "is not a character device",
            "BlockDevice" when !IsType(path, FileKind.BlockDevice) => "is not a block device",
            _ => null,
        };
        return problem is null ? path : throw new VolumeException($"hostPath type check failed: {path} {problem}");
    }

    private enum FileKind { Regular, Socket, CharacterDevice, BlockDevice }

    private static bool IsType(string path, FileKind kind) => Interop.Libc.FileType(path) == kind switch
    {
        FileKind.Regular => 0x8000u,
        FileKind.Socket => 0xC000u,
        FileKind.CharacterDevice => 0x2000u,
        _ => 0x6000u,
    };
}
