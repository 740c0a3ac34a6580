using Weft.Proxy.Http;
using Weft.Proxy.Tests.Http2.Support;

namespace Weft.Proxy.Tests.Http2;

/// <summary>What a server must not do, and how our client ends it: the frames that answer a POST on stream 1 whose body is still open. Each also cut in two at every byte.</summary>
public sealed class ClientRulesTests
{
    private const string Rst1 = "RST 1 ProtocolError";

    private static readonly (string, string)[] Ok = [(":status", "200")];

    private static byte[] With(params (string, string)[] more) => Frame.Headers(1, true, [.. Ok, .. more]);

    private static byte[] Open(params (string, string)[] more) => Frame.Headers(1, false, [.. Ok, .. more]);

    private static byte[] Bytes(int count) => new byte[count];

    internal static readonly (string Rule, string Answer, byte[] Frames)[] Rules =
    [
        ("4.2 a frame above SETTINGS_MAX_FRAME_SIZE", "GOAWAY 0 FrameSizeError", Frame.Raw(0, 0, 1, Bytes(16_385))),
        ("4.3 a block that cannot be decoded", "GOAWAY 0 CompressionError", Frame.Raw(1, 5, 1, 0x80)),
        ("5.1 HEADERS on an idle stream", "GOAWAY 0 ProtocolError", Frame.Headers(3, true, Ok)),
        ("5.1 DATA on an idle stream", "GOAWAY 0 ProtocolError", Frame.Data(3, false, "x")),
        ("5.1 RST_STREAM on an idle stream", "GOAWAY 0 ProtocolError", Frame.Reset(3)),
        ("5.1 WINDOW_UPDATE on an idle stream", "GOAWAY 0 ProtocolError", Frame.WindowUpdate(3, 1)),
        ("5.1.1 a stream of the server's own", "GOAWAY 0 ProtocolError", Frame.Headers(2, true, Ok)),
        ("6.1 DATA on stream 0", "GOAWAY 0 ProtocolError", Frame.Data(0, false, "x")),
        ("6.1 DATA with padding as long as the frame", "GOAWAY 0 ProtocolError", [.. Open(), .. Frame.Raw(0, 8, 1, 5, 0, 0, 0, 0)]),
        ("6.2 HEADERS on stream 0", "GOAWAY 0 ProtocolError", Frame.Headers(0, true, Ok)),
        ("6.3 PRIORITY on stream 0", "GOAWAY 0 ProtocolError", Frame.Raw(2, 0, 0, Bytes(5))),
        ("6.3 PRIORITY of 4 bytes", "RST 1 FrameSizeError", Frame.Raw(2, 0, 1, Bytes(4))),
        ("6.4 RST_STREAM of 3 bytes", "GOAWAY 0 FrameSizeError", Frame.Raw(3, 0, 1, Bytes(3))),
        ("6.5 SETTINGS on a stream", "GOAWAY 0 ProtocolError", Frame.Raw(4, 0, 1)),
        ("6.5.2 ENABLE_PUSH 1 of a server", "GOAWAY 0 ProtocolError", Frame.Settings((2, 1))),
        ("6.5.2 INITIAL_WINDOW_SIZE 2^31", "GOAWAY 0 FlowControlError", Frame.Settings((4, 1u << 31))),
        ("6.5.2 MAX_FRAME_SIZE 16383", "GOAWAY 0 ProtocolError", Frame.Settings((5, 16_383))),
        ("8441 3 ENABLE_CONNECT_PROTOCOL taken back", "GOAWAY 0 ProtocolError", Frame.Settings((8, 0))),
        ("6.6 PUSH_PROMISE that was refused", "GOAWAY 0 ProtocolError", Frame.Raw(5, 4, 1, [0, 0, 0, 2, .. Frame.Block(Frame.Get)])),
        ("6.7 PING on a stream", "GOAWAY 0 ProtocolError", Frame.Raw(6, 0, 1, Bytes(8))),
        ("6.8 GOAWAY on a stream", "GOAWAY 0 ProtocolError", Frame.Raw(7, 0, 1, Bytes(8))),
        ("6.9 WINDOW_UPDATE of 0", Rst1, Frame.WindowUpdate(1, 0)),
        ("6.9.1 a stream's window beyond 2^31-1", "RST 1 FlowControlError", Frame.WindowUpdate(1, int.MaxValue)),
        ("6.10 another frame within a block", "GOAWAY 0 ProtocolError", [.. Frame.Raw(1, 0, 1, Frame.Block(Ok)), .. Frame.Ping()]),
        ("8.1 DATA before the head", Rst1, Frame.Data(1, false, "x")),
        ("8.1 trailers without END_STREAM", Rst1, [.. Open(), .. Frame.Headers(1, false, ("a", "b"))]),
        ("8.1 an informational head that ends", Rst1, Frame.Headers(1, true, (":status", "103"))),
        ("8.1 a pseudo-header in trailers", Rst1, [.. Open(), .. Frame.Headers(1, true, (":status", "200"))]),
        ("8.1.1 less than content-length", Rst1, [.. Open(("content-length", "5")), .. Frame.Data(1, true, "1234")]),
        ("8.1.1 more than content-length", Rst1, [.. Open(("content-length", "5")), .. Frame.Data(1, false, "123456")]),
        ("8.1.1 content-length without a body", Rst1, With(("content-length", "5"))),
        ("9110 8.6 two lengths", Rst1, Open(("content-length", "5"), ("content-length", "6"))),
        ("9110 15.3.5 a body of a 204", Rst1, [.. Frame.Headers(1, false, (":status", "204")), .. Frame.Data(1, true, "x")]),
        ("9110 15.4.5 a body of a 304", Rst1, [.. Frame.Headers(1, false, (":status", "304"), ("content-length", "5")), .. Frame.Data(1, true, "12345")]),
        ("8.2.1 upper case", Rst1, With(("X-Test", "1"))),
        ("8.2.1 CR LF in a value", Rst1, With(("a", "1\r\nset-cookie: x"))),
        ("8.2.1 NUL in a value", Rst1, With(("a", "\0"))),
        ("8.2.2 connection", Rst1, With(("connection", "close"))),
        ("8.2.2 transfer-encoding", Rst1, Open(("transfer-encoding", "chunked"))),
        ("8.3 a request's pseudo-header", Rst1, With((":path", "/"))),
        ("8.3.2 no :status", Rst1, Frame.Headers(1, true, ("a", "b"))),
        ("8.3.2 :status twice", Rst1, With((":status", "200"))),
        ("8.3.2 :status of two digits", Rst1, Frame.Headers(1, true, (":status", "20"))),
        ("8.3.2 :status of letters", Rst1, Frame.Headers(1, true, (":status", "2x0"))),
        ("8.3.2 :status 600", Rst1, Frame.Headers(1, true, (":status", "600"))),
        ("8.6 :status 101", Rst1, Frame.Headers(1, false, (":status", "101"))),
        ("6.2 HEADERS shorter than their priority", "GOAWAY 0 FrameSizeError", Frame.Raw(1, 0x24, 1, Bytes(4))),
        ("6.2 padding as long as HEADERS", "GOAWAY 0 ProtocolError", Frame.Raw(1, 0xC, 1, 5, 0, 0, 0, 0)),
        ("6.4 RST_STREAM on stream 0", "GOAWAY 0 ProtocolError", Frame.Reset(0)),
        ("6.5 SETTINGS of 5 bytes", "GOAWAY 0 FrameSizeError", Frame.Raw(4, 0, 0, Bytes(5))),
        ("6.5 an acknowledgement with a payload", "GOAWAY 0 FrameSizeError", Frame.Raw(4, 1, 0, Bytes(6))),
        ("6.7 PING of 7 bytes", "GOAWAY 0 FrameSizeError", Frame.Raw(6, 0, 0, Bytes(7))),
        ("6.8 GOAWAY of 7 bytes", "GOAWAY 0 FrameSizeError", Frame.Raw(7, 0, 0, Bytes(7))),
        ("6.9 WINDOW_UPDATE of 3 bytes", "GOAWAY 0 FrameSizeError", Frame.Raw(8, 0, 1, Bytes(3))),
        ("6.9 WINDOW_UPDATE of 0 on the connection", "GOAWAY 0 ProtocolError", Frame.WindowUpdate(0, 0)),
        ("6.9.1 the connection's window beyond 2^31-1", "GOAWAY 0 FlowControlError", Frame.WindowUpdate(0, int.MaxValue)),
        ("6.9.2 a window beyond 2^31-1 by SETTINGS", "GOAWAY 0 FlowControlError", [.. Frame.WindowUpdate(1, int.MaxValue - 65_535), .. Frame.Settings((4, 70_000))]),
        ("6.10 CONTINUATION without HEADERS", "GOAWAY 0 ProtocolError", Frame.Raw(9, 4, 1)),
        ("6.10 CONTINUATION of another stream", "GOAWAY 0 ProtocolError", [.. Frame.Raw(1, 0, 1, Frame.Block(Ok)), .. Frame.Raw(9, 4, 3)]),
        ("8.1 DATA after an informational head", Rst1, [.. Frame.Headers(1, false, (":status", "103")), .. Frame.Data(1, false, "x")]),
        ("8.1.1 less than content-length before trailers", Rst1, [.. Open(("content-length", "5")), .. Frame.Data(1, false, "1234"), .. Frame.Headers(1, true, ("t", "1"))]),
        ("8.2.1 upper case in trailers", Rst1, [.. Open(), .. Frame.Headers(1, true, ("T", "1"))]),
        ("8.2.1 an empty name", Rst1, With(("", "1"))),
        ("8.2.1 a colon in a name", Rst1, With(("a:b", "1"))),
        ("8.2.1 a space in a name", Rst1, With(("a b", "1"))),
        ("8.2.1 LF in a value", Rst1, With(("a", "1\n2"))),
        ("8.2.1 a space before a value", Rst1, With(("a", " 1"))),
        ("8.2.2 keep-alive", Rst1, With(("keep-alive", "5"))),
        ("8.2.2 proxy-connection", Rst1, With(("proxy-connection", "close"))),
        ("8.2.2 upgrade", Rst1, With(("upgrade", "h2c"))),
        ("8.2.2 connection in trailers", Rst1, [.. Open(), .. Frame.Headers(1, true, ("connection", "close"))]),
        ("8.3 a pseudo-header after a field", Rst1, Frame.Headers(1, true, ("a", "b"), (":status", "200"))),
        ("8.3 an unknown pseudo-header", Rst1, With((":foo", "1"))),
        ("9110 6.5.1 a length in trailers", Rst1, [.. Open(), .. Frame.Headers(1, true, ("content-length", "1"))]),
        ("9110 8.6 a length with a sign", Rst1, Open(("content-length", "+5"))),
        ("9110 8.6 an empty length", Rst1, Open(("content-length", ""))),
    ];

    public static TheoryData<string> RuleNames => [.. Rules.Select(rule => rule.Rule)];

    [Theory]
    [MemberData(nameof(RuleNames))]
    public void A_server_that_breaks_a_rule_loses_the_stream_or_the_connection(string rule)
    {
        var (_, answer, frames) = Rules.Single(r => r.Rule == rule);
        for (var cut = frames.Length; cut > 0; cut -= frames.Length > 1000 ? 997 : 1)
        {
            var client = new ClientSide();
            var (_, response) = client.Request(RecordedResponse.Request("POST", length: -1), end: false);
            client.Sent.Lines.Clear();
            client.Send(frames[..cut], frames[cut..]);
            Assert.Equal(answer, client.Sent.Text);
            Assert.NotNull(response.Reset);
            Assert.Equal(answer.StartsWith("GOAWAY", StringComparison.Ordinal), client.Transport.IsClosed);
            Assert.Equal(0, client.Connection.Taken);
        }
    }

    [Fact]
    public void Section_3_4_the_first_frame_of_a_server_is_SETTINGS()
    {
        var client = new ClientSide(preface: false);
        client.Send(Frame.Ping());
        Assert.Equal("GOAWAY 0 ProtocolError", client.Sent.Text);
    }

    [Theory]
    [InlineData("HEAD", "200", 5)]
    [InlineData("GET", "304", 5)]
    [InlineData("GET", "204", 0)]
    public void Section_8_1_1_some_responses_have_a_length_and_no_body(string method, string status, long length)
    {
        var client = new ClientSide();
        var (_, response) = client.Request(RecordedResponse.Request(method));
        client.Send(Frame.Headers(1, true, (":status", status), ("content-length", "5")));
        Assert.Equal([int.Parse(status)], response.Statuses);
        Assert.Equal(length, response.ContentLength);
        Assert.True(response.Ended);
    }

    [Fact]
    public void Heads_data_and_trailers_arrive_in_their_order()
    {
        var client = new ClientSide();
        var (_, response) = client.Request(RecordedResponse.Request());
        Assert.Equal("HEADERS 1 :method: GET, :scheme: http, :path: /, :authority: a.test end", client.Sent.Lines[^1]);
        client.Send(
            Frame.Headers(1, false, (":status", "103"), ("link", "</a>")), Frame.Headers(1, false, (":status", "200"), ("content-type", "application/grpc")),
            Frame.Data(1, false, "ab"), Frame.Data(1, false, "c"), Frame.Headers(1, true, ("grpc-status", "0")));
        Assert.Equal([103, 200], response.Statuses);
        Assert.Equal("abc", response.Body);
        Assert.Equal(["grpc-status: 0"], response.Trailers);
        Assert.True(response.Ended);
        Assert.Equal(0, client.Connection.OpenStreams);
    }

    [Fact]
    public void Section_8_1_a_response_that_ends_first_ends_the_request()
    {
        var client = new ClientSide();
        var (stream, response) = client.Request(RecordedResponse.Request("POST", length: -1), end: false);
        client.Send(With());
        Assert.True(response.Ended);
        Assert.Equal("RST 1 Cancel", client.Sent.Lines[^1]);
        stream.SendData("late"u8, end: true);
        client.Send(Frame.Reset(1, Weft.Proxy.Http2.Frames.ErrorCode.NoError));
        Assert.Equal("RST 1 Cancel", client.Sent.Lines[^1]);
        Assert.Null(response.Reset);
    }

    [Theory]
    [InlineData(7u, nameof(ResetReason.Refused))]
    [InlineData(8u, nameof(ResetReason.PeerReset))]
    [InlineData(0u, nameof(ResetReason.PeerReset))]
    public void Section_7_what_a_reset_means(uint code, string reason)
    {
        var client = new ClientSide();
        var (_, response) = client.Request(RecordedResponse.Request());
        client.Send(Frame.Reset(1, (Weft.Proxy.Http2.Frames.ErrorCode)code));
        Assert.Equal(reason, response.Reset.ToString());
    }

    [Fact]
    public void Section_6_8_streams_above_the_last_of_a_GOAWAY_were_not_looked_at()
    {
        var client = new ClientSide();
        var (_, first) = client.Request(RecordedResponse.Request());
        var (_, second) = client.Request(RecordedResponse.Request());
        client.Send(Frame.GoAway(1));
        Assert.Null(first.Reset);
        Assert.Equal(ResetReason.Refused, second.Reset);
        Assert.False(client.Connection.CanOpen);
        Assert.Equal(1, client.Done);
        client.Send(With());
        Assert.True(first.Ended);
        Assert.True(client.Transport.IsClosed);
    }

    [Fact]
    public void Section_5_1_2_no_more_streams_than_the_server_takes()
    {
        var client = new ClientSide(preface: false);
        client.Send(Frame.Settings((3, 2)));
        client.Request(RecordedResponse.Request());
        Assert.True(client.Connection.CanOpen);
        client.Request(RecordedResponse.Request());
        Assert.False(client.Connection.CanOpen);
        client.Send(With());
        Assert.True(client.Connection.CanOpen);
    }

    [Fact]
    public void Section_6_9_no_more_than_the_windows_and_each_in_its_turn()
    {
        var client = new ClientSide(preface: false);
        client.Send(Frame.Settings((4, 3)));
        var (first, _) = client.Request(RecordedResponse.Request("POST", length: -1), end: false);
        var (second, _) = client.Request(RecordedResponse.Request("POST", length: -1), end: false);
        client.Sent.Lines.Clear();
        first.SendData("abcdef"u8, end: true);
        second.SendData("uvwxyz"u8, end: false);
        second.SendTrailers(Trailers(("t", "1")));
        client.Take();
        Assert.Equal("DATA 1 abc; DATA 3 uvw", client.Sent.Text);
        client.Send(Frame.WindowUpdate(3, 2), Frame.WindowUpdate(1, 100), Frame.Settings((4, 1)), Frame.WindowUpdate(3, 3));
        Assert.Equal("DATA 1 abc; DATA 3 uvw; DATA 3 xy; DATA 1 def end; DATA 3 z; HEADERS 3 t: 1 end", client.Sent.Text);
    }

    [Fact]
    public void RFC_8441_an_upgrade_waits_for_the_servers_word()
    {
        var client = new ClientSide(preface: false);
        var (stream, response) = client.Request(RecordedResponse.Request(upgrade: "websocket"), end: false);
        stream.SendData("early"u8, end: false);
        client.Take();
        Assert.Equal("", client.Sent.Text);
        client.Send(Frame.Settings((8, 1)));
        Assert.Equal("HEADERS 1 :method: CONNECT, :protocol: websocket, :scheme: http, :path: /, :authority: a.test; DATA 1 early", client.Sent.Text);
        client.Send(Frame.Headers(1, false, (":status", "200")), Frame.Data(1, true, "hello"));
        Assert.Equal([101], response.Statuses);
        Assert.Equal("hello", response.Body);
        Assert.Equal(1, client.Connection.OpenStreams);
        stream.SendData("bye"u8, end: true);
        client.Take();
        Assert.Equal("DATA 1 bye end", client.Sent.Lines[^1]);
        Assert.Equal(0, client.Connection.OpenStreams);
    }

    [Fact]
    public void RFC_8441_a_server_that_cannot_is_not_asked()
    {
        var client = new ClientSide(preface: false);
        client.Send(Frame.Settings());
        var (_, response) = client.Request(RecordedResponse.Request(upgrade: "websocket"), end: false);
        Assert.Equal(ResetReason.Refused, response.Reset);
        Assert.Equal("", client.Sent.Text);
    }

    [Fact]
    public void Fields_of_a_connection_are_not_sent_whoever_put_them_there()
    {
        var client = new ClientSide();
        client.Request(RecordedResponse.Request("PUT", fields: [("connection", "x"), ("te", "trailers"), ("keep-alive", "1"), ("upgrade", "h2c"), ("http2-settings", "x"), ("transfer-encoding", "chunked"), ("x", "y")]));
        Assert.Equal("HEADERS 1 :method: PUT, :scheme: http, :path: /, :authority: a.test, content-length: 0, te: trailers, x: y end", client.Sent.Text);
    }

    [Fact]
    public void A_field_that_would_split_a_message_is_not_sent()
    {
        var client = new ClientSide();
        var (_, response) = client.Request(RecordedResponse.Request(fields: [("a", "1\r\nb: 2")]));
        Assert.Equal(ResetReason.ProtocolError, response.Reset);
        Assert.Equal("", client.Sent.Text);
        Assert.Equal(0, client.Connection.Taken);
    }

    private static HeaderList Trailers(params (string Name, string Value)[] fields)
    {
        var list = new HeaderList();
        foreach (var (name, value) in fields)
            list.Add(System.Text.Encoding.ASCII.GetBytes(name), System.Text.Encoding.ASCII.GetBytes(value));
        return list;
    }
}
