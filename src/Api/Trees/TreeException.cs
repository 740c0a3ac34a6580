namespace Weft.Api.Trees;

/// <summary>Input that is no JSON or YAML document, or goes beyond a limit. The message says what and where.</summary>
public sealed class TreeException(string problem, long line, long column, Exception? inner = null)
    : Exception($"{problem} (line {line}, column {column})", inner)
{
    /// <summary>What is wrong, without the place.</summary>
    public string Problem => problem;

    /// <summary>From 1.</summary>
    public long Line => line;

    /// <summary>From 1: bytes in JSON, characters in YAML.</summary>
    public long Column => column;
}
