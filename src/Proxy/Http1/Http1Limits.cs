namespace Weft.Proxy.Http1;

/// <summary>What a peer may make this proxy keep. Checked before anything else of a message is.</summary>
/// <param name="StartLine">RFC 9112 section 3 asks for at least 8,000; label selectors and OAuth redirects pass that.</param>
/// <param name="Head">Start line and all fields: Envoy's 60 KB, rounded.</param>
/// <param name="Fields">Envoy's and HAProxy's hundred.</param>
/// <param name="ChunkExtensions">Of one message together: nobody uses them but to attack (CVE-2025-55315).</param>
internal sealed record Http1Limits(int StartLine = 16 << 10, int Head = 64 << 10, int Fields = 100, int Trailers = 16 << 10, int ChunkExtensions = 4 << 10)
{
    public static Http1Limits Default { get; } = new();
}

internal enum ParseResult { Incomplete, Done, Failed }
