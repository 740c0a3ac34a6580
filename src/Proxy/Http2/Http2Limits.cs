namespace Weft.Proxy.Http2;

/// <summary>What a connection puts up with. Shared by all connections of a listener or a pool.</summary>
internal sealed record Http2Limits
{
    /// <summary>RFC 9113 section 6.5.2 advises not less than 100; Kestrel, HAProxy and Go have 100 to 250. Each open request costs an exchange.</summary>
    public int MaxConcurrentStreams { get; init; } = 100;

    /// <summary>Of a stream, for data that we receive: what a paused stream may keep in memory. At 1 ms round trip it is 2 Gbit/s for one stream.</summary>
    public int StreamWindow { get; init; } = 256 << 10;

    /// <summary>Of all streams of a connection together: the most that paused streams keep in memory.</summary>
    public int ConnectionWindow { get; init; } = 1 << 20;

    /// <summary>As SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113 section 6.5.2). nginx and HAProxy take 32 KB of fields. Above it a request is answered with 431.</summary>
    public int MaxHeaderListSize { get; init; } = 32 << 10;

    /// <summary>A field costs work whatever its length: as many as Apache takes.</summary>
    public int MaxHeaderCount { get; init; } = 100;

    /// <summary>
    /// A list that is so many times over its limit is no longer decoded to its end: it ends the connection. One byte of a block can stand for
    /// 4 KB of the table, so without it 32 KB would be 128 MB to look at.
    /// </summary>
    public int HeaderBombFactor { get; init; } = 4;

    /// <summary>Bytes of one header block before it is decoded. Not less than a list at its limit without compression.</summary>
    public int MaxHeaderBlock { get; init; } = 64 << 10;

    /// <summary>CONTINUATION frames of one block (CVE-2024-27316 and others: blocks that never end). A block at its limit in whole frames has 3; nghttp2 takes 8.</summary>
    public int MaxContinuations { get; init; } = 8;

    /// <summary>
    /// Frames that cost us work and bring nobody anything: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, unknown ones (CVE-2019-9511, -9512, -9515, -9517,
    /// -9518). So many at once, then <see cref="IdleFramesPerSecond"/>; each request and each kilobyte that we send allow more, since both are answered with such frames.
    /// At 0.2 us each it is below a thousandth of a core.
    /// </summary>
    public int IdleFrameBurst { get; init; } = 1000;

    public int IdleFramesPerSecond { get; init; } = 200;

    public int IdleFramesPerRequest { get; init; } = 8;

    public int IdleFramesPerKilobyteSent { get; init; } = 4;

    /// <summary>gRPC's C core answers each DATA frame, however small, with WINDOW_UPDATE of stream and connection and now and then a PING. Envoy allows ten, too
    /// (max_inbound_window_update_frames_per_data_frame_sent).</summary>
    public int IdleFramesPerDataSent { get; init; } = 10;

    /// <summary>
    /// Streams that the client ended before their response, or that we had to end by its fault (CVE-2023-44487 rapid reset, CVE-2025-8671 MadeYouReset): each may
    /// have cost a request to an endpoint. Twice all open streams at once, as after a user's click on "stop"; then <see cref="ResetsPerSecond"/>;
    /// a response that was sent whole allows one more. So an attacker pays for half of the work at least.
    /// </summary>
    public int ResetBurst { get; init; } = 200;

    public int ResetsPerSecond { get; init; } = 20;

    /// <summary>Answers to the peer's frames that it does not read: beyond it the connection ends. The queue's watermark is 64 KB, and one read can ask for as much again.</summary>
    public int MaxUnreadOutput { get; init; } = 512 << 10;

    /// <summary>Of one stream, waiting for the peer's window or its turn. Beyond it the source is stopped, below half of it started again.</summary>
    public int SendWatermark { get; init; } = 64 << 10;

    /// <summary>From the first byte of a frame or header block to its last, and for the preface and the acknowledgement of SETTINGS (section 6.5.3): nobody may hold a half one for long (as the HTTP/1.1 head).</summary>
    public long FrameMilliseconds { get; init; } = 30_000;

    /// <summary>Without any stream. As HTTP/1.1 keep-alive.</summary>
    public long IdleMilliseconds { get; init; } = 75_000;

    /// <summary>With open streams and not a byte received: the peer is asked by a PING, so that a lost host is noticed (as gRPC's keep-alive).</summary>
    public long PingAfterMilliseconds { get; init; } = 30_000;

    public long PingMilliseconds { get; init; } = 10_000;

    /// <summary>Between the two GOAWAY of a graceful end, when the peer does not answer the PING between them (RFC 9113 section 6.8: at least one round trip).</summary>
    public long DrainMilliseconds { get; init; } = 1_000;
}
