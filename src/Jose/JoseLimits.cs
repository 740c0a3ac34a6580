namespace Weft.Jose;

/// <summary>What a token or key set may cost before its signature is known to be good.</summary>
public sealed record JoseLimits
{
    /// <summary>A bound service account token is about 1 KiB; an identity provider's with many groups stays below 16 KiB, as header limits of servers are.</summary>
    public int MaxTokenLength { get; init; } = 16 * 1024;
    public int MaxHeaderBytes { get; init; } = 2 * 1024;
    public int MaxDepth { get; init; } = 16;
    public int MaxKeyIdLength { get; init; } = 256;

    /// <summary>Of a key set document.</summary>
    public int MaxKeySetBytes { get; init; } = 256 * 1024;
    public int MaxKeys { get; init; } = 100;

    public static JoseLimits Default { get; } = new();
}
