using System.Buffers;

namespace Weft.ApiServer.Streaming.Spdy;

/// <summary>A frame of SPDY/3.1 (draft section 2.6). Data comes in pieces as it arrives; everything else is complete.</summary>
internal abstract record SpdyFrame
{
    public sealed record SynStream(int StreamId, SpdyHeaders Headers, bool Fin, bool Unidirectional) : SpdyFrame;

    public sealed record SynReply(int StreamId, SpdyHeaders Headers, bool Fin) : SpdyFrame;

    public sealed record MoreHeaders(int StreamId, SpdyHeaders Fields, bool Fin) : SpdyFrame;

    public sealed record Reset(int StreamId, SpdyReset Status) : SpdyFrame;

    /// <param name="InitialWindow">The setting SETTINGS_INITIAL_WINDOW_SIZE, where it was sent; no other setting matters here.</param>
    public sealed record Settings(int? InitialWindow) : SpdyFrame;

    public sealed record Ping(uint Id) : SpdyFrame;

    public sealed record GoAway(int LastStreamId, int Status) : SpdyFrame;

    public sealed record WindowUpdate(int StreamId, int Delta) : SpdyFrame;

    /// <summary>A frame type this version does not know: skipped, as the draft says.</summary>
    public sealed record Unknown(int Type) : SpdyFrame;

    /// <param name="Bytes">Valid until the next read.</param>
    /// <param name="Fin">This is the last piece of the last frame of the sender.</param>
    public sealed record Data(int StreamId, ReadOnlySequence<byte> Bytes, bool Fin) : SpdyFrame;
}

/// <summary>Status of RST_STREAM (draft section 2.6.3).</summary>
internal enum SpdyReset { ProtocolError = 1, InvalidStream = 2, RefusedStream = 3, UnsupportedVersion = 4, Cancel = 5, InternalError = 6, FlowControlError = 7 }

/// <summary>Header names compare without case. Several values of one name are one text with NUL between them.</summary>
internal sealed record SpdyHeaders(IReadOnlyDictionary<string, string> All)
{
    public static SpdyHeaders None { get; } = new(new Dictionary<string, string>());

    public string? this[string name] => All.TryGetValue(name, out var value) ? value : null;
}

/// <summary>What the peer sent is not SPDY/3.1, or exceeds a limit: the connection ends.</summary>
internal sealed class SpdyException(string message) : IOException("SPDY: " + message);

internal static class SpdyLimits
{
    /// <summary>Compressed and plain size of one header block. Kubernetes' streams have about 100 bytes.</summary>
    public const int MaxHeaderBytes = 16 * 1024;

    /// <summary>Kubernetes sends at most 5.</summary>
    public const int MaxHeaders = 64;

    /// <summary>Open streams of a connection: two for each forwarded TCP connection.</summary>
    public const int MaxStreams = 1024;

    /// <summary>Bytes kept for a stream whose reader is slow; then the whole connection is read no further, which pushes back on the client.</summary>
    public const int StreamBuffer = 256 * 1024;

    /// <summary>Largest data frame sent. Small enough that streams take turns.</summary>
    public const int DataFrame = 32 * 1024;

    /// <summary>Window of a stream and of the session until told otherwise (draft section 2.6.8).</summary>
    public const int InitialWindow = 64 * 1024;
}
