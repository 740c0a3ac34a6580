using System.Text.Json;
using Weft.Cli.Clusters;

namespace Weft.Cli.Supervision;

/// <summary>What a proxy is told of its node: `node.json` in its directory, written before its first start.</summary>
/// <param name="Node">The node's name.</param>
/// <param name="DnsAddress">Where the DNS server and the mesh's sockets listen; on the loopback interface.</param>
/// <param name="DoorAddress">The first address of the node's range of pods, on the loopback interface: where the front door's listeners are.</param>
/// <param name="RunDir">Gone after a reboot.</param>
public sealed record ProxyNodeFile(string Node, string DnsAddress, string DoorAddress, string RunDir)
{
    /// <summary>From which pods and nodes have their addresses; empty: it is not known.</summary>
    public string ClusterCidr { get; init; } = "";

    /// <summary>Likewise of services.</summary>
    public string ServiceCidr { get; init; } = "";

    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public static string PathIn(string directory) => Path.Combine(directory, "node.json");

    /// <summary>Null when there is none.</summary>
    /// <exception cref="InvalidDataException">It cannot be read.</exception>
    public static ProxyNodeFile? Load(string directory)
    {
        var path = PathIn(directory);
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ClusterJson.Default.ProxyNodeFile);
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException kept)
        {
            throw new InvalidDataException($"{path} may not be read by this user ({Environment.UserName}): let others pass the folders above it", kept);
        }
        catch (JsonException bad)
        {
            throw new InvalidDataException($"{path} cannot be read: {bad.Message}", bad);
        }
    }

    public void Save(string directory) => AtomicFile.Update(PathIn(directory), JsonSerializer.SerializeToUtf8Bytes(this, ClusterJson.Default.ProxyNodeFile), Readable);
}
