using Weft.Proxy.Http;
using Weft.Proxy.Http2;
using Weft.Proxy.Http2.Frames;
using Weft.Proxy.Tests.Http2.Support;

namespace Weft.Proxy.Tests.Http2;

/// <summary>What a request and its response go through on the server's side.</summary>
public sealed class ServerStreamTests
{
    private static readonly Exchanges Echo = new() { OnEnd = request => request.Respond(200, request.Body) };

    [Fact]
    public void Heads_data_and_trailers_go_out_in_their_order()
    {
        var server = new ServerSide();
        server.Send(Frame.Headers(1, true, Frame.Get));
        var stream = server.Exchanges.All[0].Stream;
        stream.SendHead(RecordedRequest.Response(103, fields: ("link", "</a>")), end: false);
        stream.SendHead(RecordedRequest.Response(200, fields: ("content-type", "application/grpc")), end: false);
        stream.SendData("abc"u8, end: false);
        var trailers = new HeaderList();
        trailers.Add("grpc-status"u8, "0"u8);
        stream.SendTrailers(trailers);
        server.Take();
        Assert.Equal("HEADERS 1 :status: 103, link: </a>; HEADERS 1 :status: 200, content-type: application/grpc; DATA 1 abc; HEADERS 1 grpc-status: 0 end", server.Sent.Text);
        Assert.Equal(0, server.Connection.OpenStreams);
    }

    [Fact]
    public void Section_8_1_an_early_response_asks_for_no_more_of_the_request()
    {
        var server = new ServerSide();
        server.Send(Frame.Headers(1, false, Frame.Post));
        server.Exchanges.All[0].Respond(413);
        server.Send(Frame.Data(1, false, "late"), Frame.Data(1, true, "later"));
        Assert.Equal("HEADERS 1 :status: 413, content-length: 0 end; RST 1 NoError", server.Sent.Text);
        Assert.Equal("", server.Exchanges.All[0].Body);
        Assert.Null(server.Exchanges.All[0].Reset);
    }

    [Fact]
    public void A_paused_request_keeps_its_window_closed_and_what_came_is_handed_on_later()
    {
        var server = new ServerSide(new() { OnRequest = request => request.Stream.PauseRequest() });
        server.Send(Frame.Headers(1, false, Frame.Post));
        var piece = new string('x', 16_000);
        for (var i = 0; i < 16; i++)
            server.Send(Frame.Data(1, i == 15, piece));
        var request = server.Exchanges.All[0];
        Assert.Equal("", request.Body);
        Assert.DoesNotContain(server.Sent.Lines, line => line.StartsWith("WINDOW_UPDATE 1", StringComparison.Ordinal));
        request.Stream.ResumeRequest();
        Assert.Equal("", request.Body); // not inside the call
        server.Transport.Settle();
        Assert.Equal(256_000, request.Body.Length);
        Assert.True(request.Ended);
    }

    [Fact]
    public void Section_6_9_a_client_that_sends_more_than_a_window_is_stopped()
    {
        var limits = new Http2Limits { StreamWindow = 20_000 };
        var server = new ServerSide(new() { OnRequest = request => request.Stream.PauseRequest() }, limits);
        server.Send(Frame.Headers(1, false, Frame.Post), Frame.Data(1, false, new string('x', 16_000)), Frame.Data(1, false, new string('x', 4_001)));
        Assert.Equal("RST 1 FlowControlError", server.Sent.Text);
        Assert.Equal(ResetReason.ProtocolError, server.Exchanges.All[0].Reset);
    }

    [Fact]
    public void Section_6_9_windows_come_back_in_halves_padding_too()
    {
        var limits = new Http2Limits { StreamWindow = 1000, ConnectionWindow = 65_535 };
        var server = new ServerSide(limits: limits);
        server.Send(Frame.Headers(1, false, Frame.Post), Frame.Data(1, false, new string('x', 499)));
        Assert.Equal("", server.Sent.Text);
        server.Send(Frame.Raw(0, 8, 1, 0)); // one byte of padding length
        Assert.Equal("WINDOW_UPDATE 1 500", server.Sent.Text);
    }

    [Fact]
    public void A_slow_reader_stops_the_source_and_starts_it_again()
    {
        var server = new ServerSide();
        server.Send(Frame.Settings((4, 0)), Frame.Headers(1, true, Frame.Get));
        var request = server.Exchanges.All[0];
        request.Stream.SendHead(RecordedRequest.Response(200), end: false);
        var sent = 0;
        while (!request.Stream.IsBlocked)
        {
            request.Stream.SendData(new byte[10_000], end: false);
            sent += 10_000;
        }

        Assert.Equal(70_000, sent);
        server.Take();
        Assert.DoesNotContain(server.Sent.Lines, line => line.StartsWith("DATA", StringComparison.Ordinal));
        server.Send(Frame.WindowUpdate(1, 30_000));
        Assert.Equal(0, request.Writable);
        Assert.False(request.Stream.IsBlocked);
        server.Send(Frame.WindowUpdate(1, 30_000));
        Assert.Equal(1, request.Writable);
    }

    [Fact]
    public void Streams_take_turns_when_the_connections_window_is_short()
    {
        var server = new ServerSide();
        for (var id = 1; id <= 5; id += 2)
        {
            server.Send(Frame.Headers(id, true, Frame.Get));
            server.Exchanges.All[^1].Stream.SendHead(RecordedRequest.Response(200), end: false);
        }

        server.Exchanges.All[0].Stream.SendData(new byte[65_535], end: false); // all of the window
        foreach (var request in server.Exchanges.All)
            request.Stream.SendData(new byte[40_000], end: true);
        server.Take();
        server.Sent.Lines.Clear();
        server.Send(Frame.WindowUpdate(1, 100_000), Frame.WindowUpdate(0, 60_000));
        Assert.Equal(["DATA 3", "DATA 5", "DATA 1", "DATA 3"], server.Sent.Lines.Select(line => line[..6]));
    }

    [Fact]
    public void No_DATA_is_made_while_the_socket_takes_nothing()
    {
        var server = new ServerSide();
        server.Send(Frame.Settings((4, 1 << 30)), Frame.WindowUpdate(0, 1 << 30), Frame.Headers(1, true, Frame.Get));
        var request = server.Exchanges.All[0];
        request.Stream.SendHead(RecordedRequest.Response(200), end: false);
        request.Stream.SendData(new byte[1 << 20], end: true);
        Assert.InRange(server.Transport.Output.Length, 64 << 10, 96 << 10);
        server.Take();
        Assert.EndsWith(" end", server.Sent.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void RFC_8441_an_upgrade_becomes_a_tunnel()
    {
        var server = new ServerSide();
        server.Send(Frame.Headers(1, false, (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"), (":authority", "a.test")), Frame.Data(1, false, "early"));
        var request = server.Exchanges.All[0];
        Assert.Equal("GET", System.Text.Encoding.ASCII.GetString(request.Head.Method));
        Assert.Equal("websocket", System.Text.Encoding.ASCII.GetString(request.Head.Upgrade));
        Assert.Equal("", request.Body);
        request.Stream.SendHead(RecordedRequest.Response(101), end: false);
        server.Transport.Settle();
        Assert.Equal("early", request.Body);
        request.Stream.SendData("bye"u8, end: true);
        server.Take();
        Assert.Equal("HEADERS 1 :status: 200; DATA 1 bye end", server.Sent.Text);
        server.Send(Frame.Data(1, true, "!"));
        Assert.Equal("early!", request.Body);
        Assert.True(request.Ended);
        Assert.Equal(0, server.Connection.OpenStreams);
    }

    [Fact]
    public void A_tunnel_that_is_refused_has_ended()
    {
        var server = new ServerSide();
        server.Send(Frame.Headers(1, false, (":method", "CONNECT"), (":authority", "a.test:443")), Frame.Data(1, false, "smuggled"));
        server.Exchanges.All[0].Respond(403);
        server.Take();
        Assert.Equal("HEADERS 1 :status: 403, content-length: 0 end; RST 1 NoError", server.Sent.Text);
        Assert.Equal("", server.Exchanges.All[0].Body);
    }

    [Fact]
    public void RFC_9110_10_1_1_a_client_that_waits_is_told_to_go_on_unless_it_is_answered()
    {
        var waiting = Frame.Headers(1, false, [.. Frame.Post, ("expect", "100-continue")]);
        var server = new ServerSide();
        server.Send(waiting);
        Assert.Equal("HEADERS 1 :status: 100", server.Sent.Text);
        Assert.Equal(0, server.Exchanges.All[0].Head.Headers.Count);
        server = new ServerSide(new() { OnRequest = request => request.Respond(401) });
        server.Send(waiting);
        Assert.Equal("HEADERS 1 :status: 401, content-length: 0 end; RST 1 NoError", server.Sent.Text);
    }

    [Fact]
    public void RFC_6585_a_head_that_is_too_large_is_answered_with_431()
    {
        var server = new ServerSide();
        server.Send(Frame.Headers(1, true, [.. Frame.Get, .. Enumerable.Range(0, 101).Select(i => ($"x{i}", "1"))]));
        Assert.Equal("HEADERS 1 :status: 431 end", server.Sent.Text);
        Assert.Empty(server.Exchanges.All);
        Assert.Equal(0, server.Exchanges.HeadsRented);
    }

    [Fact]
    public void A_head_longer_than_a_frame_goes_out_in_pieces()
    {
        var server = new ServerSide();
        server.Send(Frame.Headers(1, true, Frame.Get));
        var fields = Enumerable.Range(0, 40).Select(i => ($"x{i}", new string('#', 1000))).ToArray();
        server.Exchanges.All[0].Respond(200, "", fields);
        server.Take();
        Assert.StartsWith("Headers 1 end ...; Continuation 1 ...; ", server.Sent.Text, StringComparison.Ordinal);
        Assert.EndsWith($"x39: {new string('#', 1000)}", server.Sent.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Section_6_8_a_graceful_end_has_two_GOAWAY_and_cuts_no_stream()
    {
        var server = new ServerSide();
        server.Send(Frame.Headers(1, true, Frame.Get));
        server.Connection.Drain();
        server.Take();
        Assert.Equal($"GOAWAY {int.MaxValue} NoError; PING", server.Sent.Text);
        server.Send(Frame.Headers(3, true, Frame.Get)); // was under way
        server.Transport.RunTo(server.Transport.Now + 1_100);
        server.Send(Frame.Headers(5, true, Frame.Get)); // is told to go elsewhere
        Assert.Equal($"GOAWAY {int.MaxValue} NoError; PING; GOAWAY 3 NoError", server.Sent.Text);
        Assert.Equal(2, server.Exchanges.All.Count);
        server.Exchanges.All[0].Respond(204);
        Assert.False(server.Transport.IsClosed);
        server.Exchanges.All[1].Respond(204);
        Assert.False(server.Transport.IsClosed); // is the client's to do, for a while
        server.Transport.RunTo(server.Transport.Now + 1_100);
        Assert.True(server.Transport.IsClosed);
    }

    [Fact]
    public void A_client_is_told_with_the_last_request_that_its_connection_may_have()
    {
        var server = new ServerSide(maxRequests: 2);
        server.Send(Frame.Headers(1, true, Frame.Get));
        Assert.Equal("", server.Sent.Text);
        server.Send(Frame.Headers(3, true, Frame.Get));
        Assert.Equal($"GOAWAY {int.MaxValue} NoError; PING", server.Sent.Text);
        server.Send(Frame.Headers(5, true, Frame.Get)); // before it has heard of it
        Assert.Equal(3, server.Exchanges.All.Count);
        server.Transport.RunTo(server.Transport.Now + 1_100);
        server.Exchanges.All.ForEach(exchange => exchange.Respond(204));
        server.Transport.RunTo(server.Transport.Now + 1_100);
        Assert.True(server.Transport.IsClosed);
    }

    [Fact]
    public void A_client_that_goes_away_takes_its_requests_with_it()
    {
        var server = new ServerSide();
        server.Send(Frame.Headers(1, false, Frame.Post), Frame.Headers(3, true, Frame.Get));
        server.Send(Frame.Reset(1));
        Assert.Equal(ResetReason.PeerReset, server.Exchanges.All[0].Reset);
        server.Connection.OnClosed();
        Assert.Equal(ResetReason.PeerReset, server.Exchanges.All[1].Reset);
    }

    [Theory]
    [InlineData(nameof(ResetReason.Cancelled), "Cancel")]
    [InlineData(nameof(ResetReason.PeerReset), "InternalError")]
    [InlineData(nameof(ResetReason.Refused), "RefusedStream")]
    public void A_response_that_is_cut_ends_with_a_reset(string reason, string code)
    {
        var server = new ServerSide();
        server.Send(Frame.Headers(1, true, Frame.Get));
        server.Exchanges.All[0].Stream.Reset(Enum.Parse<ResetReason>(reason));
        server.Send(Frame.WindowUpdate(1, 5), Frame.Reset(1));
        Assert.Equal($"RST 1 {code}", server.Sent.Text);
        Assert.Null(server.Exchanges.All[0].Reset);
    }

    [Fact]
    public void Timers_a_silent_peer_is_asked_and_then_given_up()
    {
        var server = new ServerSide();
        server.Send(Frame.Headers(1, true, Frame.Get));
        server.Transport.RunTo(server.Transport.Now + 31_000);
        server.Take();
        Assert.Equal("PING", server.Sent.Text);
        server.Transport.RunTo(server.Transport.Now + 11_000);
        Assert.True(server.Transport.IsAborted);
        Assert.Equal(ResetReason.PeerReset, server.Exchanges.All[0].Reset);
    }

    [Theory]
    [InlineData(0)] // nothing at all
    [InlineData(30)] // the preface and a half frame
    public void Timers_a_preface_that_does_not_come(int bytes)
    {
        var server = new ServerSide(preface: false);
        server.Send(Frame.ClientPreface[..bytes]);
        server.Transport.RunTo(server.Transport.Now + 31_000);
        Assert.True(server.Transport.IsClosed);
    }

    [Fact]
    public void Timers_a_half_frame_or_block_is_not_waited_for_and_an_idle_connection_ends()
    {
        foreach (var half in new[] { Frame.Headers(1, true, Frame.Get)[..20], Frame.Raw(1, 1, 1, Frame.Block(Frame.Get)) })
        {
            var server = new ServerSide();
            server.Send(half);
            server.Transport.RunTo(server.Transport.Now + 31_000);
            Assert.Equal("GOAWAY 0 EnhanceYourCalm", Last(server));
        }

        var idle = new ServerSide();
        idle.Transport.RunTo(idle.Transport.Now + 70_000);
        Assert.False(idle.Transport.IsClosed);
        idle.Transport.RunTo(idle.Transport.Now + 6_000);
        Assert.Equal("GOAWAY 0 NoError", Last(idle));
    }

    [Fact]
    public void An_echo_of_many_streams_at_once()
    {
        var server = new ServerSide(Echo);
        for (var id = 1; id < 200; id += 2)
            server.Send(Frame.Headers(id, false, Frame.Post));
        for (var id = 1; id < 200; id += 2)
            server.Send(Frame.Data(id, true, $"{id}"));
        Assert.Equal(100, server.Sent.Lines.Count(line => line.StartsWith("DATA", StringComparison.Ordinal)));
        Assert.Contains("DATA 199 199 end", server.Sent.Lines);
        Assert.Equal(0, server.Connection.OpenStreams);
    }

    private static string Last(ServerSide server)
    {
        server.Take();
        return server.Sent.Lines[^1];
    }
}
