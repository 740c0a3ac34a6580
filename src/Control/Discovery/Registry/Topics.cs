namespace Weft.Control.Discovery.Registry;

/// <summary>What a blocking query waits for. A change wakes those alone that ask about what it touched.</summary>
internal static class Topics
{
    public const string Nodes = "nodes";
    public const string Names = "names";
    public const string Checks = "checks";
    public const string Values = "values";
    public const string Sessions = "sessions";

    public static string Name(string name) => "name/" + name.ToLowerInvariant();

    public static string Value(string key) => "value/" + key;
}
