using System.Net;

namespace Weft.Proxy.Transport;

/// <summary>
/// A connection as its codec sees it: plaintext, whatever lies below. In a test it is a pair of queues. All calls are made on the connection's loop.
/// </summary>
internal interface ITransport
{
    /// <summary>What is composed here goes out at the end of the event, in one call. Ask for it anew at each event: asking is what marks the connection.</summary>
    ByteQueue Output { get; }

    /// <summary>After what is in <see cref="Output"/>. A large span goes to the socket at once and is not copied; what the socket does not take is.</summary>
    void Write(ReadOnlySpan<byte> data);

    /// <summary>More than the high watermark waits; <see cref="IProtocol.OnWritable"/> follows when it has fallen below the low one.</summary>
    bool IsBlocked { get; }

    /// <summary>No <see cref="IProtocol.OnData"/> until <see cref="ResumeReading"/>. The rest stays in the kernel.</summary>
    void PauseReading();

    /// <summary>What is there already is handed over after this event, not inside the call.</summary>
    void ResumeReading();

    /// <summary>The protocol can now take what it left: it is handed over again after this event.</summary>
    void OfferAgain();

    /// <summary><see cref="IProtocol.OnData"/> is called after this event, with nothing if nothing is left: the protocol has something to hand on that it keeps itself.</summary>
    void CallAgain() => OfferAgain();

    /// <summary>The protocol leaves the rest of its data for a later turn, so that other connections have theirs: no <see cref="IProtocol.OnData"/> before that.</summary>
    void Yield() => OfferAgain();

    /// <summary>Milliseconds of a clock that does not go back, read once for each wake-up of the loop (decision 29).</summary>
    long Now { get; }

    /// <summary><see cref="IProtocol.OnTimeout"/> is called at this time or some milliseconds later; long.MaxValue: never. One for each connection: the codec keeps the earliest of its own.</summary>
    void SetTimeout(long at);

    /// <summary>Sends what waits, then tells the peer that no more comes. Reading goes on.</summary>
    void ShutdownWriting();

    /// <summary>Sends what waits, and closes. No call to the protocol follows.</summary>
    /// <param name="peerMaySend">The peer is first told that no more comes, and what it still sends is read and dropped for a while: a close with unread
    /// bytes would be a reset, and could take the answer with it (RFC 9112 section 9.6).</param>
    void CloseGracefully(bool peerMaySend);

    /// <summary>At once; what waits is lost. No call to the protocol follows.</summary>
    void Abort();

    /// <summary>As <see cref="Abort"/>, and the peer hears of it as of a cut (RFC 9293 section 3.5.3): what it has is not the whole.</summary>
    void Reset() => Abort();

    /// <summary>A connection on which nobody waits for anything. Also where a close would be heard as a cut, this is none.</summary>
    void Leave() => Abort();

    /// <summary>Something has come that was not handed over yet: who is about to close an idle connection looks here first. A call to the kernel.</summary>
    bool HasUnread => false;

    IPEndPoint? Peer { get; }
}

/// <summary>What a connection calls: a codec, or a tunnel.</summary>
internal interface IProtocol
{
    /// <summary>How many bytes of the front are done with. The rest comes again, together with more.</summary>
    int OnData(ReadOnlySpan<byte> data);

    /// <summary>The peer sends no more. Called once, after all data; what was not consumed will not be completed.</summary>
    void OnEnd();

    void OnWritable();

    void OnTimeout();

    /// <summary>The connection is gone, not by the protocol's own wish. Nothing can be sent any more.</summary>
    void OnClosed();
}
