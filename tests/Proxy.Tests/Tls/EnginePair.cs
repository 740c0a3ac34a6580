using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Tls.Settings;
using Weft.Proxy.Transport;
using Weft.Testing;

namespace Weft.Proxy.Tests.Tls;

/// <summary>A client and a server engine, and what passes between them, without a socket.</summary>
internal sealed class EnginePair : IDisposable
{
    private readonly ByteQueue _wire;

    public EnginePair(LibSslEngine client, LibSslEngine server, BufferPool pool)
    {
        (Client, Server, Pool, _wire) = (client, server, pool, new(pool));
        (AtClient, AtServer) = (new(pool), new(pool));
    }

    public LibSslEngine Client { get; }

    public LibSslEngine Server { get; }

    public BufferPool Pool { get; }

    /// <summary>What has arrived as plaintext.</summary>
    public ByteQueue AtClient { get; }

    public ByteQueue AtServer { get; }

    /// <summary>How many bytes a Feed gets at a time.</summary>
    public int Step { get; init; } = int.MaxValue;

    public bool BothOpen => Client.State == TlsState.Open && Server.State == TlsState.Open;

    /// <summary>Carries bytes until neither side has any.</summary>
    public void Run()
    {
        while (Carry(Client, Server, AtServer) | Carry(Server, Client, AtClient))
        {
        }
    }

    public void Send(LibSslEngine from, ReadOnlySpan<byte> data)
    {
        from.Write(data, _wire);
        var (to, into) = from == Client ? (Server, AtServer) : (Client, AtClient);
        Deliver(to, into);
        Run();
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        AtClient.Dispose();
        AtServer.Dispose();
    }

    private bool Carry(LibSslEngine from, LibSslEngine to, ByteQueue into)
    {
        from.Drain(_wire);
        if (_wire.IsEmpty)
            return false;
        Deliver(to, into);
        return true;
    }

    private void Deliver(LibSslEngine to, ByteQueue into)
    {
        while (!_wire.IsEmpty)
        {
            var count = Math.Min(Step, _wire.Length);
            to.Feed(_wire.Span[..count], into);
            _wire.Consume(count);
        }
    }
}

/// <summary>Contexts of one test, with the authority that both sides know.</summary>
internal sealed class TlsFixture : IDisposable
{
    private readonly List<IDisposable> _made = [];

    public TlsFixture() => _made.Add(Authority);

    public TestAuthority Authority { get; } = new();

    public ManualTime Time { get; } = new();

    public BufferPool Pool { get; } = new();

    public TicketKeyRing Tickets { get; } = new(TicketKeys.New());

    public TlsServerContext Server(TlsServerSettings? settings = null)
    {
        settings ??= new();
        if (settings.Hosts.IsEmpty)
            settings = settings with { Hosts = [new() { Certificates = [Authority.Issue()] }] };
        Assert.True(TlsServerContext.TryCreate(settings, Tickets, Time, out var context, out var error), error);
        _made.Add(context);
        return context;
    }

    public TlsServerContext Mutual(PeerPolicy policy, TestAuthority? authority = null, ClientCertificateMode mode = ClientCertificateMode.Required, TlsCertificate? certificate = null) =>
        Server(new()
        {
            Hosts =
            [
                new()
                {
                    Certificates = [certificate ?? Authority.Issue()],
                    Clients = new() { Mode = mode, AuthoritiesPem = (authority ?? Authority).Pem, Policy = policy },
                },
            ],
        });

    public TlsClientContext Client(TlsClientSettings? settings = null)
    {
        settings ??= new();
        if (settings.AuthoritiesPem is null)
            settings = settings with { AuthoritiesPem = Authority.Pem };
        Assert.True(TlsClientContext.TryCreate(settings, Time, out var context, out var error), error);
        _made.Add(context);
        return context;
    }

    public EnginePair Connect(TlsClientContext client, TlsServerContext server, string? name = "a.example", TlsSessionCache? sessions = null, int step = int.MaxValue)
    {
        var pair = new EnginePair(client.Connect(Pool, name, sessions), server.Accept(Pool), Pool) { Step = step };
        _made.Add(pair);
        pair.Run();
        return pair;
    }

    public void Dispose()
    {
        for (var i = _made.Count - 1; i >= 0; i--)
            _made[i].Dispose();
    }
}
