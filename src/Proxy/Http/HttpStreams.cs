namespace Weft.Proxy.Http;

/// <summary>Why a stream ended before its message did: feeds the answer to the other side, the metric and the record.</summary>
internal enum ResetReason
{
    /// <summary>Ended by this proxy on purpose: a time-out, a shut-down, nobody there to read on.</summary>
    Cancelled,
    /// <summary>The peer ended it (RST_STREAM, or the connection was closed).</summary>
    PeerReset,
    /// <summary>The peer broke the protocol.</summary>
    ProtocolError,
    /// <summary>The peer has said that it did not look at the request (REFUSED_STREAM, GOAWAY): safe to send again.</summary>
    Refused,
    /// <summary>A connection that had been used before was closed before a byte of the answer: most likely it was being closed as idle. Safe to send again if the method is idempotent (RFC 9112 section 9.3.1).</summary>
    Stale,
    /// <summary>No connection could be made.</summary>
    ConnectFailed,
    /// <summary>It has waited for a connection as long as it may: the cluster had none to spare. Not the endpoint's fault.</summary>
    Overflow,
    /// <summary>A message larger than its limit.</summary>
    TooLarge,
}

/// <summary>
/// The client's side of an exchange as the exchange sees it: one request on a connection of any protocol. All calls are made on the connection's loop.
/// What is sent is always taken, into a buffer that is sent soon; a sender that finds <see cref="IsBlocked"/> stops its source until it hears
/// <see cref="IServerStreamHandler.OnResponseWritable"/>. So a buffer holds its high watermark and one more read at most.
/// The stream is over, and neither side calls the other any more, when the end of the response was sent: what is left of the request then is the codec's
/// affair. A tunnel (a request with <see cref="RequestHead.Upgrade"/>, or CONNECT, that was answered with 101 or 2xx) is over when both directions have ended.
/// </summary>
internal interface IServerStream
{
    /// <summary>The head, informational ones too; hop-by-hop fields are the codec's business, not the sender's. <paramref name="end"/>: no body follows.</summary>
    void SendHead(ResponseHead head, bool end);

    void SendData(ReadOnlySpan<byte> data, bool end);

    /// <summary>Ends the message.</summary>
    void SendTrailers(HeaderList trailers);

    /// <summary>More is waiting to be sent than the high watermark.</summary>
    bool IsBlocked { get; }

    /// <summary>No <see cref="IServerStreamHandler.OnRequestData"/> until <see cref="ResumeRequest"/>: what the peer sends stays in the kernel or under its flow-control window.</summary>
    void PauseRequest();

    void ResumeRequest();

    /// <summary>The rest of the response does not come: RST_STREAM, or the connection is closed so that the message is cut and cannot be taken for whole. The handler hears no more.</summary>
    void Reset(ResetReason reason);
}

/// <summary>What an exchange hears from the client's side. The spans are valid during the call.</summary>
internal interface IServerStreamHandler
{
    /// <summary>
    /// First of all calls. <paramref name="head"/> belongs to the handler from here on. A request that asks for a tunnel has no <paramref name="end"/>; data
    /// of the client follow when the tunnel stands, and if it is refused, the request has ended.
    /// </summary>
    void OnRequest(IServerStream stream, RequestHead head, bool end);

    void OnRequestData(ReadOnlySpan<byte> data, bool end);

    void OnRequestTrailers(HeaderList trailers);

    void OnResponseWritable();

    /// <summary>The client went away or broke the protocol. No call follows, and the stream must not be used.</summary>
    void OnRequestReset(ResetReason reason);
}

/// <summary>
/// The upstream's side of an exchange: one request on a connection to an endpoint, which may still be being made: what is sent waits for it. Rules as in
/// <see cref="IServerStream"/>; the end of the response ends the stream, also when the request has not been sent to its end.
/// </summary>
internal interface IClientStream
{
    void SendHead(RequestHead head, bool end);

    void SendData(ReadOnlySpan<byte> data, bool end);

    void SendTrailers(HeaderList trailers);

    bool IsBlocked { get; }

    void PauseResponse();

    void ResumeResponse();

    /// <summary>The exchange wants no more of it. The handler hears no more; a connection whose messages are not whole is not used again.</summary>
    void Reset(ResetReason reason);
}

internal interface IClientStreamHandler
{
    /// <summary>Called for each informational head, then once for the final one (101 to a request for a tunnel is final). <paramref name="head"/> is valid until the next call; the handler may change it.</summary>
    void OnResponse(ResponseHead head, bool end);

    void OnResponseData(ReadOnlySpan<byte> data, bool end);

    void OnResponseTrailers(HeaderList trailers);

    void OnRequestWritable();

    /// <param name="reason"><see cref="ResetReason.Refused"/> and <see cref="ResetReason.ConnectFailed"/> mean: certainly not processed.</param>
    void OnResponseReset(ResetReason reason);
}
