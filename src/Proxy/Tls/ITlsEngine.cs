using Weft.Proxy.Transport;

namespace Weft.Proxy.Tls;

internal enum TlsState { Handshaking, Open, Closed }

/// <summary>What a host asks of its clients.</summary>
/// <param name="Name">Hosts whose requests may share a connection have the same.</param>
/// <param name="AsksClients">For certificates.</param>
internal sealed record HostRules(string Name, bool AsksClients);

/// <summary>
/// TLS without a socket (decision 24): bytes of the peer in, plaintext out; plaintext in, bytes for the peer out. One for each connection, on its loop.
/// </summary>
internal interface ITlsEngine : IDisposable
{
    TlsState State { get; }

    /// <summary>Takes what came from the network and appends the plaintext of it. What the peer must be told (handshake, alerts) goes to <see cref="Drain"/>.</summary>
    /// <returns>False when the connection is over: a failed handshake, a bad record. <see cref="Error"/> says why; an alert may wait in <see cref="Drain"/>.</returns>
    bool Feed(ReadOnlySpan<byte> ciphertext, ByteQueue plaintext);

    /// <summary>Encrypts; only when <see cref="TlsState.Open"/>.</summary>
    void Write(ReadOnlySpan<byte> plaintext, ByteQueue ciphertext);

    /// <summary>Appends what has to go to the peer.</summary>
    void Drain(ByteQueue ciphertext);

    /// <summary>Queues close_notify.</summary>
    void Close();

    /// <summary>The peer has sent close_notify: an end of its data that is no truncation.</summary>
    bool PeerClosed { get; }

    /// <summary>A sentence for the log; null while all is well.</summary>
    string? Error { get; }

    /// <summary>The protocol agreed upon by ALPN (`h2`, `http/1.1`); null: none.</summary>
    string? Protocol { get; }

    /// <summary>The name the client asked for, in lower case; null: none.</summary>
    string? ServerName { get; }

    /// <summary>Of the host that the client met, on the server's side; null: there is none yet.</summary>
    HostRules? Rules { get; }

    /// <summary>The URI name of the peer's verified certificate (`spiffe://...`); null: no certificate, or it has none.</summary>
    string? PeerUri { get; }
}
