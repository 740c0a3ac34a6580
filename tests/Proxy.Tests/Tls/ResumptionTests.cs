using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Tls.Settings;

namespace Weft.Proxy.Tests.Tls;

/// <summary>Checklist 37: sessions are resumed, and only under the rules they were made under.</summary>
public sealed class ResumptionTests : IDisposable
{
    private const string Uri = "spiffe://weft.test/ns/default/sa/web";
    private static readonly PeerPolicy Mesh = new() { Spiffe = true };
    private readonly TlsFixture _tls = new();
    private readonly TlsSessionCache _sessions = new();

    [Fact]
    public void A_second_connection_resumes_the_first_and_a_third_the_second()
    {
        var (client, server) = (_tls.Client(), _tls.Server());
        Assert.Equal([false, true, true, true], Enumerable.Range(0, 4).Select(_ => Resumed(client, server)));
    }

    [Fact]
    public void It_is_the_same_client()
    {
        var client = _tls.Client(new() { Certificate = _tls.Authority.Issue(Wanted.Workload(Uri)) });
        var server = _tls.Mutual(Mesh);
        Assert.False(Resumed(client, server));
        using var pair = _tls.Connect(client, server, sessions: _sessions);
        Assert.True(pair.Server.Resumed);
        Assert.Equal(Uri, pair.Server.PeerUri);
    }

    [Fact]
    public void Another_context_or_process_with_the_same_ticket_keys_resumes()
    {
        var client = _tls.Client();
        Assert.False(Resumed(client, _tls.Server()));
        var exported = _tls.Tickets.Current.Export();
        _tls.Tickets.Replace(TicketKeys.Parse(exported)!);
        Assert.True(Resumed(client, _tls.Server()));
    }

    [Fact]
    public void Other_ticket_keys_mean_a_full_handshake()
    {
        var (client, server) = (_tls.Client(), _tls.Server());
        Assert.False(Resumed(client, server));
        _tls.Tickets.Replace(TicketKeys.New());
        Assert.False(Resumed(client, server));
        Assert.True(Resumed(client, server));
    }

    [Fact]
    public void Old_keys_open_tickets_until_they_fall_off_the_end()
    {
        var (client, server) = (_tls.Client(), _tls.Server());
        using var single = new TlsSessionCache(maxPerEndpoint: 1);
        Assert.False(Resumed(client, server, single));
        _tls.Tickets.Replace(_tls.Tickets.Current.Rotate(keep: 2));
        Assert.Equal(2, _tls.Tickets.Current.Count);
        Assert.True(Resumed(client, server, single)); // and gets a ticket of the new key
        _tls.Tickets.Replace(_tls.Tickets.Current.Rotate(keep: 2));
        Assert.True(Resumed(client, server, single));
        _tls.Tickets.Replace(_tls.Tickets.Current.Rotate(keep: 2).Rotate(keep: 2));
        Assert.False(Resumed(client, server, single));
    }

    [Fact]
    public void After_a_change_of_the_authorities_the_certificate_is_asked_for_again()
    {
        using var other = new TestAuthority("Other authority");
        var client = _tls.Client(new() { Certificate = _tls.Authority.Issue(Wanted.Workload(Uri)) });
        Assert.False(Resumed(client, _tls.Mutual(Mesh)));

        using var pair = _tls.Connect(client, _tls.Mutual(Mesh, other), sessions: _sessions);

        Assert.Equal("the peer's certificate is signed by an unknown authority", pair.Server.Error);
    }

    [Fact]
    public void After_a_change_of_the_names_that_are_allowed_too()
    {
        var client = _tls.Client(new() { Certificate = _tls.Authority.Issue(Wanted.Workload(Uri)) });
        Assert.False(Resumed(client, _tls.Mutual(Mesh with { Names = _ => true })));
        using var pair = _tls.Connect(client, _tls.Mutual(Mesh with { Names = _ => false }), sessions: _sessions);
        Assert.Equal("no name of the peer's certificate is allowed", pair.Server.Error);
    }

    [Fact]
    public void A_ticket_of_a_server_that_asked_for_nothing_opens_none_that_does()
    {
        var client = _tls.Client();
        Assert.False(Resumed(client, _tls.Server()));
        using var pair = _tls.Connect(client, _tls.Mutual(Mesh), sessions: _sessions);
        Assert.Equal("the peer sent no certificate", pair.Server.Error);
    }

    [Fact]
    public void A_certificate_that_has_expired_since_is_refused()
    {
        var client = _tls.Client(new() { Certificate = _tls.Authority.Issue(Wanted.Workload(Uri) with { NotAfter = _tls.Time.GetUtcNow().AddHours(1) }) });
        var server = _tls.Mutual(Mesh);
        Assert.False(Resumed(client, server));
        _tls.Time.Advance(TimeSpan.FromHours(2));
        using var pair = _tls.Connect(client, server, sessions: _sessions);
        Assert.Equal("the peer's certificate has expired", pair.Server.Error);
    }

    [Fact]
    public void An_endpoint_whose_certificate_has_expired_since_is_asked_again()
    {
        var certificate = _tls.Authority.Issue(new() { NotAfter = _tls.Time.GetUtcNow().AddHours(1) });
        var (client, server) = (_tls.Client(), _tls.Server(new() { Hosts = [new() { Certificates = [certificate] }] }));
        Assert.False(Resumed(client, server));
        _tls.Time.Advance(TimeSpan.FromHours(2));
        using var pair = _tls.Connect(client, server, sessions: _sessions);
        Assert.Equal("the peer's certificate has expired", pair.Client.Error);
    }

    [Fact]
    public void A_client_behind_an_intermediate_makes_full_handshakes()
    {
        using var intermediate = _tls.Authority.Intermediate();
        var client = _tls.Client(new() { Certificate = intermediate.Issue(Wanted.Workload(Uri)) });
        var server = _tls.Mutual(Mesh);
        Assert.Equal([false, false], Enumerable.Range(0, 2).Select(_ => Resumed(client, server)));
    }

    [Fact]
    public void Switched_off_there_are_no_tickets()
    {
        var (client, server) = (_tls.Client(), _tls.Server(new() { SessionLifetime = TimeSpan.Zero }));
        Assert.False(Resumed(client, server));
        Assert.Equal(0, _sessions.Count);
        Assert.False(Resumed(client, server));
    }

    [Fact]
    public void The_cache_keeps_the_newest_of_a_bounded_number_of_endpoints()
    {
        var (client, server) = (_tls.Client(), _tls.Server());
        using var sessions = new TlsSessionCache(maxEndpoints: 2, maxPerEndpoint: 1);
        foreach (var endpoint in (string[])["one", "two", "three"])
            Assert.False(ResumedAt(endpoint));
        Assert.Equal(2, sessions.Count);
        Assert.True(ResumedAt("three"));
        Assert.True(ResumedAt("two"));
        Assert.False(ResumedAt("one"));

        bool ResumedAt(string endpoint)
        {
            using var pair = new EnginePair(client.Connect(_tls.Pool, "a.example", sessions, endpoint), server.Accept(_tls.Pool), _tls.Pool);
            pair.Run();
            return pair.Server.Resumed;
        }
    }

    [Fact]
    public void Keys_of_another_length_are_none()
    {
        Assert.Null(TicketKeys.Parse([]));
        Assert.Null(TicketKeys.Parse(new byte[79]));
        Assert.Equal(2, TicketKeys.Parse(new byte[160])!.Count);
        Assert.Equal("(1 ticket keys)", TicketKeys.New().ToString());
    }

    public void Dispose()
    {
        _sessions.Dispose();
        _tls.Dispose();
    }

    private bool Resumed(TlsClientContext client, TlsServerContext server, TlsSessionCache? sessions = null)
    {
        using var pair = _tls.Connect(client, server, sessions: sessions ?? _sessions);
        Assert.True(pair.BothOpen, pair.Server.Error ?? pair.Client.Error);
        Assert.Equal(pair.Client.Resumed, pair.Server.Resumed);
        return pair.Server.Resumed;
    }
}
