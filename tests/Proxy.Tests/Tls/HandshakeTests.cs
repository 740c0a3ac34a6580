using System.Runtime.InteropServices;
using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Settings;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Tests.Tls;

public sealed class HandshakeTests : IDisposable
{
    private readonly TlsFixture _tls = new();

    [Fact]
    public void Both_sides_agree_and_data_arrives_both_ways()
    {
        using var pair = _tls.Connect(_tls.Client(new() { Protocols = ["h2", "http/1.1"] }), _tls.Server(new() { Protocols = ["http/1.1", "h2"] }));

        Assert.True(pair.BothOpen, pair.Client.Error ?? pair.Server.Error);
        Assert.Equal("http/1.1", pair.Client.Protocol); // the server's order
        Assert.Equal("http/1.1", pair.Server.Protocol);
        Assert.Equal("a.example", pair.Server.ServerName);
        Assert.Equal(("TLSv1.3", "TLS_AES_128_GCM_SHA256"), (pair.Server.Version, pair.Server.Cipher));
        pair.Send(pair.Client, "ping"u8);
        pair.Send(pair.Server, "pong"u8);
        Assert.Equal("ping"u8, pair.AtServer.Span);
        Assert.Equal("pong"u8, pair.AtClient.Span);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(1000)]
    public void Any_split_of_the_bytes_will_do(int step)
    {
        using var pair = _tls.Connect(_tls.Client(), _tls.Server(), step: step);

        Assert.True(pair.BothOpen, pair.Client.Error ?? pair.Server.Error);
        pair.Send(pair.Client, "a message"u8);
        pair.Send(pair.Server, "an answer"u8);
        Assert.Equal("a message"u8, pair.AtServer.Span);
        Assert.Equal("an answer"u8, pair.AtClient.Span);
    }

    [Fact]
    public void A_record_may_be_cut_at_each_of_its_bytes()
    {
        using var pair = _tls.Connect(_tls.Client(), _tls.Server());
        using var wire = new ByteQueue(_tls.Pool);
        pair.Client.Write("small"u8, wire);
        var length = wire.Length;
        pair.Server.Feed(wire.Span, pair.AtServer);
        wire.Clear();
        pair.AtServer.Clear();

        for (var cut = 0; cut <= length; cut++)
        {
            pair.Client.Write("small"u8, wire);
            Assert.True(pair.Server.Feed(wire.Span[..cut], pair.AtServer));
            Assert.Equal(cut == length, !pair.AtServer.IsEmpty);
            Assert.True(pair.Server.Feed(wire.Span[cut..], pair.AtServer));
            Assert.Equal("small"u8, pair.AtServer.Span);
            wire.Clear();
            pair.AtServer.Clear();
        }
    }

    [Fact]
    public void Several_records_in_one_read_and_much_data_in_one_write()
    {
        using var pair = _tls.Connect(_tls.Client(), _tls.Server());
        var data = new byte[3_000_000];
        new Random(1).NextBytes(data);

        pair.Send(pair.Client, data);

        Assert.True(pair.AtServer.Span.SequenceEqual(data));
    }

    [Fact]
    public void An_engine_without_data_holds_no_buffer()
    {
        using var pair = _tls.Connect(_tls.Client(), _tls.Server());
        pair.Send(pair.Client, "x"u8);
        pair.AtServer.Consume(1);

        Assert.False(HoldsBuffer(pair.AtServer) || HoldsBuffer(pair.AtClient));
    }

    [Fact]
    public void No_shared_protocol_is_refused_with_an_alert()
    {
        using var pair = _tls.Connect(_tls.Client(new() { Protocols = ["h3"] }), _tls.Server(new() { Protocols = ["h2"] }));

        Assert.Equal("the peer and this side share no protocol (ALPN)", pair.Server.Error);
        Assert.Equal("the peer refused: its alert is 'no_application_protocol'", pair.Client.Error);
        Assert.Equal(TlsState.Closed, pair.Server.State);
    }

    [Fact]
    public void A_client_without_ALPN_passes_where_it_may_and_is_refused_where_it_must_not()
    {
        using var free = _tls.Connect(_tls.Client(), _tls.Server(new() { Protocols = ["h2"] }));
        Assert.True(free.BothOpen);
        Assert.Null(free.Server.Protocol);

        using var strict = _tls.Connect(_tls.Client(), _tls.Server(new() { Protocols = ["h2"], RequireProtocol = true }));
        Assert.Equal("the peer chose no protocol (ALPN), and one is required", strict.Server.Error);
        Assert.True(strict.Client.PeerClosed);

        using var server = _tls.Connect(_tls.Client(new() { Protocols = ["h2"], RequireProtocol = true }), _tls.Server());
        Assert.Equal("the peer chose no protocol (ALPN), and one is required", server.Client.Error);
    }

    [Fact]
    public void An_end_with_close_notify_is_told_from_a_truncation()
    {
        using var pair = _tls.Connect(_tls.Client(), _tls.Server());
        pair.Send(pair.Client, "last words"u8);
        Assert.False(pair.Server.PeerClosed);

        pair.Client.Close();
        pair.Run();

        Assert.True(pair.Server.PeerClosed);
        Assert.Null(pair.Server.Error);
        // Half-closed (RFC 8446 section 6.1): the other direction goes on.
        pair.Send(pair.Server, "answer"u8);
        Assert.Equal("answer"u8, pair.AtClient.Span);
        pair.Server.Close();
        pair.Run();
        Assert.True(pair.Client.PeerClosed);
        Assert.Throws<InvalidOperationException>(() => pair.Server.Write("more"u8, new ByteQueue(_tls.Pool)));
    }

    [Fact]
    public void A_damaged_record_ends_the_connection()
    {
        using var pair = _tls.Connect(_tls.Client(), _tls.Server());
        using var wire = new ByteQueue(_tls.Pool);
        pair.Client.Write("some text"u8, wire);
        var bytes = wire.Span.ToArray();
        bytes[^3] ^= 1;

        Assert.False(pair.Server.Feed(bytes, pair.AtServer));

        Assert.Equal("a record of the peer is damaged", pair.Server.Error);
        Assert.True(pair.AtServer.IsEmpty);
        Assert.False(pair.Server.Feed("more"u8, pair.AtServer));
        pair.Run();
        Assert.Equal("the peer refused: its alert is 'bad_record_mac'", pair.Client.Error);
    }

    [Fact]
    public void Plain_HTTP_is_named()
    {
        using var engine = _tls.Server().Accept(_tls.Pool);
        using var plaintext = new ByteQueue(_tls.Pool);

        Assert.False(engine.Feed("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"u8, plaintext));

        Assert.Equal("plain HTTP came where TLS was expected", engine.Error);
    }

    public void Dispose() => _tls.Dispose();

    private static bool HoldsBuffer(ByteQueue queue) => MemoryMarshal.TryGetArray(queue.Memory, out var segment) && segment.Array is { Length: > 0 };
}
