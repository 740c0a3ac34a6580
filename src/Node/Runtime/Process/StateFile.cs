using System.Text.Json;

namespace Weft.Node.Runtime.Process;

/// <summary>Small JSON files that are either old or new, never half: what adoption after a kill -9 reads.</summary>
internal static class StateFile
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static void Write<T>(string path, T value)
    {
        // Of this writer alone: the record of sysctls belongs to the machine, and two nodes may start at the same moment.
        var temporary = $"{path}.{Environment.ProcessId}-{Environment.CurrentManagedThreadId}.new";
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(value, Options));
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Null when it is absent or unreadable: whoever wrote it died before it was whole.</summary>
    public static T? Read<T>(string path) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), Options);
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
