using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Weft.Proxy.Tls.Native;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Tls.Settings;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Tls;

/// <summary>TLS towards clients, ready to accept. Used by all loops.</summary>
internal sealed class TlsServerContext : TlsContext
{
    private readonly TlsServerSettings _settings;
    private readonly TicketKeyRing _tickets;
    private readonly ImmutableArray<ServerHost> _hosts;
    private readonly ServerNames<ServerHost> _names;
    private readonly ServerHost? _others;

    private TlsServerContext(TlsServerSettings settings, TicketKeyRing tickets, TimeProvider time, ImmutableArray<ServerHost> hosts)
        : base(time)
    {
        (_settings, _tickets, _hosts) = (settings, tickets, hosts);
        _names = new(hosts.SelectMany(h => h.Names.Select(n => (n, h))));
        _others = hosts.FirstOrDefault(host => host.Names.Contains("*"));
        Protocols = [.. settings.Protocols.Select(Encoding.ASCII.GetBytes)];
    }

    internal ImmutableArray<byte[]> Protocols { get; }

    internal bool RequireProtocol => _settings.RequireProtocol;

    internal TicketKeys? TicketKeys => _settings.SessionLifetime > TimeSpan.Zero ? _tickets.Current : null;

    public static bool TryCreate(
        TlsServerSettings settings, TicketKeyRing tickets, TimeProvider time, [NotNullWhen(true)] out TlsServerContext? context, [NotNullWhen(false)] out string? error)
    {
        var hosts = ImmutableArray.CreateBuilder<ServerHost>();
        error = settings.Hosts.IsEmpty ? "no certificate is configured" : null;
        for (var i = 0; i < settings.Hosts.Length && error is null; i++)
        {
            error = ServerHost.Create(settings, settings.Hosts[i], out var host);
            if (error is null)
                hosts.Add(host!);
            else
                error = $"hosts[{i}]: {error}";
        }

        context = error is null ? new(settings, tickets, time, hosts.ToImmutable()) : null;
        if (context is null)
        {
            foreach (var host in hosts)
                host.Free();
        }

        return error is null;
    }

    /// <summary>The engine of a new connection; the caller disposes it.</summary>
    public LibSslEngine Accept(BufferPool pool) => LibSslEngine.Server(this, _hosts[0], pool);

    /// <returns>Null: the client is refused.</returns>
    internal ServerHost? Find(string? serverName) =>
        ((serverName is null ? null : _names.Find(serverName)) ?? _others ?? (_settings.RequireServerName ? null : _hosts[_settings.Fallback])) is { Refuses: false } host ? host : null;

    protected override void Free()
    {
        foreach (var host in _hosts)
            host.Free();
    }
}

/// <summary>An SSL_CTX of its own for each host: certificates, authorities and what else libssl keeps there.</summary>
internal sealed unsafe class ServerHost
{
    private readonly byte[] _sessionContext;

    private readonly int _minVersion;

    private ServerHost(nint context, ImmutableArray<string> names, TlsHost host, int minVersion) =>
        (Context, Names, Clients, Rules, Refuses, _minVersion, _sessionContext) = (context, names, host.Clients, new(host.Rules, host.Clients.Mode != ClientCertificateMode.None), host.Refuses, minVersion, SessionContext(host.Clients));

    public nint Context { get; }

    public ImmutableArray<string> Names { get; }

    public ClientCertificateSettings Clients { get; }

    public HostRules Rules { get; }

    public bool Refuses { get; }

    private int VerifyMode => Clients.Mode switch
    {
        ClientCertificateMode.None => Constants.VerifyNone,
        ClientCertificateMode.Optional => Constants.VerifyPeer,
        _ => Constants.VerifyPeer | Constants.VerifyFailIfNoPeerCert,
    };

    public static string? Create(TlsServerSettings settings, TlsHost host, out ServerHost? made)
    {
        made = null;
        var minimum = host.MinVersion ?? settings.MinVersion;
        var error = SslContext.Create(server: true, minimum, settings.Ciphers, out var context);
        var names = host.Names;
        if (error is null && host.Certificates.IsEmpty && !host.Refuses)
            error = "no certificate is configured";
        foreach (var certificate in host.Certificates)
        {
            if (error is not null)
                break;
            error = SslContext.Use(context, certificate, out var own);
            if (host.Names.IsEmpty)
                names = [.. names, .. own.Dns];
        }

        if (error is null && host is { Refuses: false, Clients.Mode: not ClientCertificateMode.None })
            error = SslContext.Trust(context, host.Clients.AuthoritiesPem.Span, announce: true);
        if (error is not null)
        {
            LibSsl.SSL_CTX_free(context);
            return error;
        }

        ServerCallbacks.Install(context, alpn: !settings.Protocols.IsEmpty);
        SetTickets(context, settings);
        made = new ServerHost(context, names, host, minimum == TlsMinimum.Tls13 ? Constants.Tls13 : Constants.Tls12);
        return null;
    }

    public void Free() => LibSsl.SSL_CTX_free(Context);

    /// <summary>From now on the connection is this host's.</summary>
    public void Apply(nint ssl)
    {
        LibSsl.SSL_set_SSL_CTX(ssl, Context);
        LibSsl.SSL_set_verify(ssl, VerifyMode, 0); // libssl leaves these two with the context it began with
        _ = LibSsl.SSL_ctrl(ssl, Constants.CtrlMinVersion, _minVersion, 0);
        fixed (byte* id = _sessionContext)
            _ = LibSsl.SSL_set_session_id_context(ssl, id, (uint)_sessionContext.Length);
    }

    private static void SetTickets(nint context, TlsServerSettings settings)
    {
        // No cache on this side: a ticket carries the session, so any loop and any process with the keys can resume it.
        _ = LibSsl.SSL_CTX_ctrl(context, Constants.CtrlSessionCacheMode, Constants.SessionCacheOff, 0);
        if (settings.SessionLifetime <= TimeSpan.Zero)
        {
            _ = LibSsl.SSL_CTX_set_options(context, Constants.OpNoTicket);
            _ = LibSsl.SSL_CTX_set_num_tickets(context, 0);
            return;
        }

        _ = LibSsl.SSL_CTX_set_timeout(context, (nint)settings.SessionLifetime.TotalSeconds);
        _ = LibSsl.SSL_CTX_set_num_tickets(context, (nuint)settings.Tickets);
    }

    /// <summary>
    /// libssl resumes a session only where this is what it was made with. It is made of the rules for clients, so a session outlives neither a change of them nor a move to
    /// a host with others (CVE-2022-21654); the same rules give the same bytes in another process.
    /// </summary>
    private static byte[] SessionContext(ClientCertificateSettings clients)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([(byte)clients.Mode, clients.Policy.RequireUsage ? (byte)1 : (byte)0, clients.Policy.Spiffe ? (byte)1 : (byte)0]);
        hash.AppendData(SHA256.HashData(clients.AuthoritiesPem.Span));
        foreach (var domain in clients.Policy.TrustDomains.Order(StringComparer.Ordinal))
            hash.AppendData(Encoding.UTF8.GetBytes(domain + "\n"));
        return hash.GetHashAndReset();
    }
}
