using System.Text.Json;
using System.Text.Json.Serialization;

namespace Weft.Control.Identity;

/// <summary>
/// The authority on disk, beside the cluster's other keys: readable by its owner alone, replaced as a whole, written before anything that rests on it is said.
/// </summary>
public sealed class AuthorityFile(string path)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Empty when there is none.</summary>
    /// <exception cref="InvalidDataException">It cannot be read; the message says what to do.</exception>
    public AuthorityState Load()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), AuthorityJson.Default.AuthorityState) ?? throw new JsonException("null");
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            return AuthorityState.Empty;
        }
        catch (JsonException)
        {
            // Not its words: they may quote a key.
            throw new InvalidDataException($"the mesh's authority in '{path}' is damaged: restore it, or move it away to begin with a new root (proxies then trust nobody until they have reached the server)");
        }
    }

    public void Save(AuthorityState state)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, OwnerOnly | UnixFileMode.UserExecute);
        var temporary = path + ".new";
        File.Delete(temporary);
        using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            JsonSerializer.Serialize(file, state, AuthorityJson.Default.AuthorityState);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(AuthorityState))]
internal sealed partial class AuthorityJson : JsonSerializerContext;
