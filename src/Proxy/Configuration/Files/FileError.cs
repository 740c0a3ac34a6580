namespace Weft.Proxy.Configuration.Files;

/// <summary>What is wrong with a configuration file, and where.</summary>
/// <param name="Path">`listeners[0].routes[2].timeout`; empty: the file as a whole.</param>
/// <param name="Line">From 1 on; 0: unknown.</param>
public sealed record FileError(string Path, long Line, string Message)
{
    public override string ToString() => $"{(Line > 0 ? $"line {Line}: " : "")}{(Path.Length > 0 ? $"{Path}: " : "")}{Message}";
}
