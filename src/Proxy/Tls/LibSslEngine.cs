using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Weft.Proxy.Tls.Native;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Tls.Settings;
using Weft.Proxy.Tls.Verification;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Tls;

/// <summary>
/// One SSL of libssl, on the loop of its connection. What libssl writes goes to the queue of the call under way, or waits for <see cref="Drain"/>.
/// Not pooled: SSL_clear leaves traces of the last peer, and SSL_new is a hundredth of a handshake (docs/decisions/0023).
/// </summary>
internal sealed unsafe class LibSslEngine : ITlsEngine
{
    private const int MaxRecord = 16 << 10;
    private const int MaxRecordOverhead = 64; // header, nonce, tag, content type: 29 at most

    private readonly TlsContext _context;
    private readonly TlsServerContext? _server;
    private readonly TlsClientContext? _client;
    private readonly ByteQueue _pending;
    private readonly TlsSessionCache? _sessions;
    private readonly string _sessionKey;
    private readonly nint _ssl;
    private readonly BioState* _io;
    private readonly GCHandle _self;
    private ByteQueue _output;
    private ServerHost? _host;
    private PeerPolicy? _peer;
    private bool _disposed;
    private string? _refusal;

    private LibSslEngine(TlsContext context, nint sslContext, BufferPool pool, TlsSessionCache? sessions, string sessionKey)
    {
        context.Acquire();
        (_context, _server, _client) = (context, context as TlsServerContext, context as TlsClientContext);
        (_sessions, _sessionKey) = (sessions, sessionKey);
        _output = _pending = new ByteQueue(pool);
        _ssl = LibSsl.SSL_new(sslContext);
        if (_ssl == 0)
        {
            context.Release();
            throw new InvalidOperationException("libssl has no memory for a connection");
        }

        _self = GCHandle.Alloc(this);
        _io = (BioState*)NativeMemory.AllocZeroed((nuint)sizeof(BioState));
        _io->Engine = GCHandle.ToIntPtr(_self);
        _ = LibSsl.SSL_set_ex_data(_ssl, 0, _io->Engine);
        var bio = EngineBio.Create(_io);
        LibSsl.SSL_set_bio(_ssl, bio, bio); // takes over the one reference
    }

    public TlsState State { get; private set; }

    public bool PeerClosed { get; private set; }

    public string? Error { get; private set; }

    public string? Protocol { get; private set; }

    public string? ServerName { get; private set; }

    public HostRules? Rules => _host?.Rules;

    public string? PeerUri { get; private set; }

    /// <summary>The handshake was a short one, by a ticket of an earlier connection.</summary>
    public bool Resumed { get; private set; }

    /// <summary>`TLSv1.3`; null before the handshake has ended.</summary>
    public string? Version { get; private set; }

    /// <summary>`TLS_AES_128_GCM_SHA256`; null before the handshake has ended.</summary>
    public string? Cipher { get; private set; }

    internal ImmutableArray<byte[]> Protocols => _server!.Protocols;

    internal TicketKeys? TicketKeys => _server?.TicketKeys;

    internal static LibSslEngine Of(nint ssl) => (LibSslEngine)GCHandle.FromIntPtr(LibSsl.SSL_get_ex_data(ssl, 0)).Target!;

    internal static LibSslEngine Server(TlsServerContext context, ServerHost first, BufferPool pool)
    {
        var engine = new LibSslEngine(context, first.Context, pool, null, "");
        LibSsl.SSL_set_accept_state(engine._ssl);
        return engine;
    }

    internal static LibSslEngine Client(TlsClientContext context, nint sslContext, BufferPool pool, string? name, PeerPolicy? peer, TlsSessionCache? sessions, string sessionKey)
    {
        var engine = new LibSslEngine(context, sslContext, pool, sessions, sessionKey) { ServerName = name, _peer = peer };
        try
        {
            LibSsl.SSL_set_connect_state(engine._ssl);
            context.Prepare(engine._ssl, name, peer);
            engine.Resume();
            engine.Handshake(); // the ClientHello
            return engine;
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    public bool Feed(ReadOnlySpan<byte> ciphertext, ByteQueue plaintext)
    {
        if (Error is not null || _disposed)
            return false;
        if (PeerClosed)
            return true;
        fixed (byte* input = ciphertext)
        {
            _io->Input = input;
            _io->Remaining = ciphertext.Length;
            try
            {
                return State == TlsState.Handshaking && !Handshake() ? Error is null : Read(plaintext);
            }
            finally
            {
                _io->Input = null;
                _io->Remaining = 0;
            }
        }
    }

    public void Write(ReadOnlySpan<byte> plaintext, ByteQueue ciphertext)
    {
        if (State != TlsState.Open)
            throw new InvalidOperationException($"nothing can be written while the connection is {State}");
        if (plaintext.IsEmpty)
            return;
        Drain(ciphertext);
        ciphertext.GetSpan(plaintext.Length + (plaintext.Length / MaxRecord + 1) * MaxRecordOverhead); // once, not by doubling
        _output = ciphertext;
        try
        {
            nuint written;
            LibCrypto.ERR_clear_error();
            fixed (byte* data = plaintext)
            {
                if (LibSsl.SSL_write_ex(_ssl, data, (nuint)plaintext.Length, &written) != 1)
                    Fail();
            }
        }
        finally
        {
            _output = _pending;
        }
    }

    public void Drain(ByteQueue ciphertext)
    {
        if (_pending.IsEmpty)
            return;
        ciphertext.Write(_pending.Span);
        _pending.Clear();
    }

    public void Close()
    {
        if (State == TlsState.Open && Error is null)
        {
            LibCrypto.ERR_clear_error();
            _ = LibSsl.SSL_shutdown(_ssl);
        }

        State = TlsState.Closed;
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        // Otherwise libssl forbids the use of the last ticket: most connections end without the peer's close_notify.
        if (Error is null && Version is not null)
            LibSsl.SSL_set_shutdown(_ssl, Constants.ShutdownBoth);
        State = TlsState.Closed;
        LibSsl.SSL_free(_ssl);
        NativeMemory.Free(_io);
        _self.Free();
        _pending.Dispose();
        _context.Release();
    }

    internal void Emit(ReadOnlySpan<byte> ciphertext) => _output.Write(ciphertext);

    internal bool ChooseHost(nint ssl, string? serverName)
    {
        ServerName = serverName;
        _host = _server!.Find(serverName);
        if (_host is null)
        {
            Refuse(serverName is null ? "the client named no server" : $"the client asked for the server '{serverName}', which is not here");
            return false;
        }

        _host.Apply(ssl);
        return true;
    }

    internal bool VerifyPeer(nint store)
    {
        if (_client is { Settings.SkipVerification: true })
            return true;
        LibCrypto.X509_VERIFY_PARAM_set_time(LibCrypto.X509_STORE_CTX_get0_param(store), _context.Time.GetUtcNow().ToUnixTimeSeconds());
        if (LibCrypto.X509_verify_cert(store) != 1)
        {
            Refuse(TlsReasons.OfCertificate(LibCrypto.X509_STORE_CTX_get_error(store), LibCrypto.X509_STORE_CTX_get_error_depth(store)));
            return false;
        }

        if ((_host?.Clients.Policy ?? _peer) is not { } policy
            || PeerCheck.Check(LibCrypto.X509_STORE_CTX_get0_cert(store), policy, clientSide: _server is not null) is not { } reason)
            return true;
        LibCrypto.X509_STORE_CTX_set_error(store, Constants.VerifyErrorApplication);
        Refuse(reason);
        return false;
    }

    /// <summary>
    /// A ticket says who the client was; whether that is still good is asked again, of the authorities and rules of now. Its chain is not in it: a client whose certificate
    /// needs one between it and the authorities makes a full handshake.
    /// </summary>
    internal bool MayResume(nint ssl, nint session)
    {
        var clients = _host!.Clients;
        if (clients.Mode == ClientCertificateMode.None)
            return true;
        var certificate = LibSsl.SSL_SESSION_get0_peer(session);
        if (certificate == 0)
            return clients.Mode == ClientCertificateMode.Optional;

        var store = LibCrypto.X509_STORE_CTX_new();
        try
        {
            fixed (byte* use = "ssl_client\0"u8)
            {
                if (LibCrypto.X509_STORE_CTX_init(store, LibSsl.SSL_CTX_get_cert_store(LibSsl.SSL_get_SSL_CTX(ssl)), certificate, 0) != 1
                    || LibCrypto.X509_STORE_CTX_set_default(store, use) != 1)
                    return false;
            }

            LibCrypto.X509_VERIFY_PARAM_set_time(LibCrypto.X509_STORE_CTX_get0_param(store), _context.Time.GetUtcNow().ToUnixTimeSeconds());
            return LibCrypto.X509_verify_cert(store) == 1 && PeerCheck.Check(certificate, clients.Policy, clientSide: true) is null;
        }
        finally
        {
            LibCrypto.X509_STORE_CTX_free(store);
            LibCrypto.ERR_clear_error();
        }
    }

    /// <returns>The reference is taken over.</returns>
    internal bool Keep(nint session)
    {
        if (_sessions is null || LibSsl.SSL_SESSION_is_resumable(session) != 1)
            return false;
        _sessions.Put(_sessionKey, session);
        return true;
    }

    private void Resume()
    {
        if (_sessions is null || _sessions.Take(_sessionKey) is not (var session and not 0))
            return;
        // Its authorities and rules are those of this context, and cannot have changed; the time has.
        var now = (long)_context.Time.GetUtcNow().ToUnixTimeSeconds();
        var certificate = LibSsl.SSL_SESSION_get0_peer(session);
        if (certificate == 0 || LibCrypto.X509_cmp_time(LibCrypto.X509_get0_notAfter(certificate), &now) > 0)
            _ = LibSsl.SSL_set_session(_ssl, session);
        LibSsl.SSL_SESSION_free(session);
    }

    private bool Handshake()
    {
        LibCrypto.ERR_clear_error();
        var result = LibSsl.SSL_do_handshake(_ssl);
        if (result == 1)
            return Complete();
        if (LibSsl.SSL_get_error(_ssl, result) != Constants.ErrorWantRead)
            Fail();
        return false;
    }

    private bool Complete()
    {
        State = TlsState.Open;
        Resumed = LibSsl.SSL_session_reused(_ssl) == 1;
        Version = LibSsl.SSL_version(_ssl) == Constants.Tls13 ? "TLSv1.3" : "TLSv1.2";
        Cipher = OpenSsl.Text(LibSsl.SSL_CIPHER_get_name(LibSsl.SSL_get_current_cipher(_ssl)));
        byte* protocol;
        uint length;
        LibSsl.SSL_get0_alpn_selected(_ssl, &protocol, &length);
        Protocol = length == 0 ? null : Encoding.ASCII.GetString(protocol, (int)length);
        if (_client is not { Settings.SkipVerification: true } && LibSsl.SSL_get0_peer_certificate(_ssl) is var certificate and not 0)
            PeerUri = CertificateNames.Read(certificate) is { Uris: [var uri] } ? uri : null;

        if (Protocol is not null || !(_server?.RequireProtocol ?? _client!.Settings.RequireProtocol))
            return true;
        Close();
        Error = "the peer chose no protocol (ALPN), and one is required";
        return false;
    }

    private bool Read(ByteQueue plaintext)
    {
        while (true)
        {
            nuint count;
            int result;
            var span = plaintext.GetSpan(Math.Clamp(_io->Remaining, 4 << 10, 64 << 10));
            LibCrypto.ERR_clear_error();
            fixed (byte* buffer = span)
                result = LibSsl.SSL_read_ex(_ssl, buffer, (nuint)span.Length, &count);
            if (result == 1)
            {
                plaintext.Advance((int)count);
                if (_io->Remaining == 0 && LibSsl.SSL_has_pending(_ssl) == 0)
                    return true;
                continue;
            }

            if (plaintext.IsEmpty)
                plaintext.Clear(); // gives the buffer back that nothing was written to
            switch (LibSsl.SSL_get_error(_ssl, result))
            {
                case Constants.ErrorWantRead:
                    return true;
                case Constants.ErrorZeroReturn:
                    PeerClosed = true;
                    return true;
                default:
                    Fail();
                    return false;
            }
        }
    }

    // The first reason is the closest to the cause: a callback's, else libssl's.
    private void Refuse(string reason) => _refusal ??= reason;

    private void Fail()
    {
        State = TlsState.Closed;
        var error = LibCrypto.ERR_get_error();
        Error = _refusal ?? TlsReasons.OfProtocol(error);
        LibCrypto.ERR_clear_error();
    }
}
