using Weft.Proxy.Http2;
using Weft.Proxy.Http2.Frames;
using Weft.Proxy.Tests.Http2.Support;

namespace Weft.Proxy.Tests.Http2;

/// <summary>Clients that keep to the letter and cost too much. Each is ended with ENHANCE_YOUR_CALM before it has cost much; one that does a little of it is served.</summary>
public sealed class FloodTests
{
    public static TheoryData<string> Floods => ["ping", "settings", "priority", "window", "unknown", "reset", "empty data", "made you reset", "goaway"];

    [Theory]
    [MemberData(nameof(Floods))]
    public void A_flood_ends_the_connection(string flood)
    {
        var server = new ServerSide();
        server.Send(Frame.Headers(1, false, Frame.Post));
        var sent = 0;
        while (!server.Transport.IsClosed && sent < 20_000)
            server.Send(Piece(flood, 3 + (2 * sent++)));
        Assert.Equal(ErrorCode.EnhanceYourCalm, server.Connection.Error);
        Assert.InRange(sent, 50, 1100);
        Assert.All(server.Exchanges.All, request => Assert.NotNull(request.Reset));
        Assert.Equal(0, server.Connection.OpenStreams);
    }

    [Theory]
    [MemberData(nameof(Floods))]
    public void The_same_slowly_is_served(string flood)
    {
        var server = new ServerSide();
        server.Send(Frame.Headers(1, false, Frame.Post));
        for (var i = 0; i < 3000; i++)
        {
            server.Transport.Now += 60;
            server.Send(Piece(flood, 3 + (2 * i)));
        }

        Assert.False(server.Transport.IsClosed);
    }

    /// <summary>A stream that was reset holds its place until the turn is over; over turns it is the budget of resets that holds (above).</summary>
    [Fact]
    public void Rapid_reset_in_one_turn_opens_no_more_streams_than_the_limit()
    {
        var server = new ServerSide(limits: new Http2Limits { MaxConcurrentStreams = 20 });
        server.Send([.. Enumerable.Range(0, 30).SelectMany(i => (byte[])[.. Frame.Headers((2 * i) + 1, true, Frame.Get), .. Frame.Reset((2 * i) + 1)])]);
        Assert.Equal(0, server.Transport.Yields);
        Assert.Equal(20, server.Exchanges.All.Count);
        Assert.Equal(10, server.Sent.Lines.Count(line => line.EndsWith("RefusedStream", StringComparison.Ordinal)));
    }

    [Fact]
    public void Section_5_1_2_more_streams_than_the_limit_are_refused()
    {
        var server = new ServerSide();
        for (var id = 1; id <= 201; id += 2)
            server.Send(Frame.Headers(id, true, Frame.Get));
        Assert.Equal("RST 201 RefusedStream", server.Sent.Text);
        Assert.Equal(100, server.Exchanges.All.Count);
        server.Exchanges.All[0].Respond(204);
        server.Send(Frame.Headers(203, true, Frame.Get));
        Assert.Equal(101, server.Exchanges.All.Count);
    }

    [Theory]
    [InlineData(0, 9)] // by their number
    [InlineData(16_000, 5)] // by their bytes
    public void A_block_without_end_is_given_up_before_it_is_decoded(int size, int frames)
    {
        var server = new ServerSide();
        server.Send(Frame.Raw(1, 1, 1, new byte[size]));
        var sent = 0;
        while (!server.Transport.IsClosed)
        {
            Assert.True(sent++ < 20);
            server.Send(Frame.Raw(9, 0, 1, new byte[size]));
        }

        Assert.InRange(sent, 1, frames);
        Assert.Equal(ErrorCode.EnhanceYourCalm, server.Connection.Error);
        Assert.Equal(0, server.Exchanges.HeadsRented);
    }

    [Fact]
    public void A_header_bomb_ends_the_connection()
    {
        var server = new ServerSide();
        var large = Frame.Block(("a", new string('x', 4000)));
        large[0] = 0x40; // with incremental indexing
        server.Send(Frame.Raw(1, 5, 1, [.. Frame.Block(Frame.Get), .. large]));
        Assert.Single(server.Exchanges.All);
        var bomb = new byte[16_000];
        bomb.AsSpan().Fill(0xBE);
        var before = GC.GetAllocatedBytesForCurrentThread();
        server.Transport.Feed(Frame.Raw(1, 5, 3, bomb));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 400_000);
        Assert.Equal(ErrorCode.EnhanceYourCalm, server.Connection.Error);
    }

    [Fact]
    public void A_client_that_reads_no_answers_is_left()
    {
        var limits = new Http2Limits { IdleFrameBurst = 1_000_000 };
        var server = new ServerSide(limits: limits);
        var pings = Enumerable.Range(0, 1000).SelectMany(_ => Frame.Ping()).ToArray();
        for (var i = 0; i < 100 && !server.Transport.IsClosed; i++)
            server.Transport.Feed(pings);
        Assert.Equal(ErrorCode.EnhanceYourCalm, server.Connection.Error);
        Assert.InRange(server.Transport.Output.Length, 512 << 10, 530 << 10);
    }

    [Fact]
    public void Responses_in_single_bytes_are_not_served_for_long()
    {
        // CVE-2019-9511: a window of one byte at a time.
        var server = new ServerSide();
        server.Send(Frame.Settings((4, 0)), Frame.Headers(1, true, Frame.Get));
        server.Exchanges.All[0].Respond(200, new string('x', 50_000));
        var sent = 0;
        while (!server.Transport.IsClosed && sent++ < 20_000)
            server.Send(Frame.WindowUpdate(1, 1));
        Assert.InRange(sent, 100, 1100);
    }

    // gRPC's C core, whose connection ended in the middle of a stream of small messages.
    [Fact]
    public void A_peer_may_answer_each_small_message_with_three_frames()
    {
        var server = new ServerSide();
        server.Send(Frame.Headers(1, true, Frame.Get));
        var stream = server.Exchanges.All[0].Stream;
        stream.SendHead(RecordedRequest.Response(200), end: false);
        for (var i = 0; i < 20_000; i++)
        {
            stream.SendData("message"u8, end: false);
            server.Send(Frame.WindowUpdate(0, 7), Frame.WindowUpdate(1, 7), Frame.Ping());
            Assert.False(server.Transport.IsClosed, $"{i}: {server.Connection.Fault}");
        }
    }

    [Fact]
    public void A_busy_client_may_cancel_and_acknowledge_as_much_as_it_is_served()
    {
        var server = new ServerSide();
        for (var i = 0; i < 5000; i++)
        {
            var id = (4 * i) + 1;
            server.Send(Frame.Headers(id, true, Frame.Get), Frame.Headers(id + 2, true, Frame.Get));
            server.Exchanges.All[^2].Respond(200, "hello");
            server.Send(Frame.WindowUpdate(0, 5), Frame.WindowUpdate(id, 5), Frame.Ping(), Frame.Reset(id + 2));
            Assert.False(server.Transport.IsClosed, $"{i}: {server.Connection.Fault}");
        }
    }

    private static byte[] Piece(string flood, int id) => flood switch
    {
        "ping" => Frame.Ping(),
        "settings" => Frame.Settings((4, 1000)),
        "priority" => Frame.Raw(2, 0, id, new byte[5]),
        "window" => Frame.WindowUpdate(1, 1),
        "unknown" => Frame.Raw(0x20, 0, 0, new byte[100]),
        "reset" => [.. Frame.Headers(id, true, Frame.Get), .. Frame.Reset(id)],
        "empty data" => Frame.Data(1, false, ""),
        "made you reset" => [.. Frame.Headers(id, true, Frame.Get), .. Frame.WindowUpdate(id, 0)],
        "goaway" => Frame.GoAway(0),
        _ => throw new ArgumentException(flood),
    };
}
