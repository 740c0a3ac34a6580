using Weft.Proxy.Http2.Frames;
using Weft.Proxy.Tests.Http2.Support;

namespace Weft.Proxy.Tests.Http2;

/// <summary>
/// What a client must not do, one row for each rule of RFC 9113 (and RFC 8441, 9110 where named) that it can break: the frames after the preface, and how
/// the answer ends. Each also cut in two at every byte, with the same answer to the letter.
/// </summary>
public sealed class ServerRulesTests
{
    private const string Rst1 = "RST 1 ProtocolError";

    private static byte[] Open(params (string, string)[] more) => Frame.Headers(1, false, [.. Frame.Post, .. more]);

    private static byte[] With(params (string, string)[] more) => Frame.Headers(1, true, [.. Frame.Get, .. more]);

    private static byte[] Pseudo(string method, string? scheme, string? path, string? authority, params (string, string)[] more)
    {
        var fields = new List<(string, string)> { (":method", method) };
        if (scheme is not null)
            fields.Add((":scheme", scheme));
        if (path is not null)
            fields.Add((":path", path));
        if (authority is not null)
            fields.Add((":authority", authority));
        return Frame.Headers(1, true, [.. fields, .. more]);
    }

    private static byte[] Bytes(int count) => new byte[count];

    internal static readonly (string Rule, string Answer, byte[] Frames)[] Rules =
    [
        // Frames.
        ("4.2 a frame above SETTINGS_MAX_FRAME_SIZE", "GOAWAY 0 FrameSizeError", Frame.Raw(0, 0, 1, Bytes(16_385))),
        ("4.3 a block that cannot be decoded", "GOAWAY 1 CompressionError", Frame.Raw(1, 5, 1, 0x80)),
        ("5.1 DATA on an idle stream", "GOAWAY 0 ProtocolError", Frame.Data(1, false, "x")),
        ("5.1 RST_STREAM on an idle stream", "GOAWAY 0 ProtocolError", Frame.Reset(1)),
        ("5.1 WINDOW_UPDATE on an idle stream", "GOAWAY 0 ProtocolError", Frame.WindowUpdate(1, 1)),
        ("5.1 CONTINUATION on an idle stream", "GOAWAY 0 ProtocolError", Frame.Raw(9, 4, 1)),
        ("5.1 half-closed: DATA", "RST 1 StreamClosed", [.. With(), .. Frame.Data(1, false, "x")]),
        ("5.1 half-closed: HEADERS", "RST 1 StreamClosed", [.. With(), .. Frame.Headers(1, true, ("a", "b"))]),
        ("5.1 half-closed: CONTINUATION", "GOAWAY 1 ProtocolError", [.. With(), .. Frame.Raw(9, 4, 1)]),
        ("5.1 closed by the client: HEADERS", "GOAWAY 1 StreamClosed", [.. Open(), .. Frame.Reset(1), .. With()]),
        ("5.1 closed by the client: DATA", "RST 1 StreamClosed", [.. Open(), .. Frame.Reset(1), .. Frame.Data(1, true, "x")]),
        ("5.1.1 an even number", "GOAWAY 0 ProtocolError", Frame.Headers(2, true, Frame.Get)),
        ("5.1.1 a number that goes back", "GOAWAY 5 StreamClosed", [.. Frame.Headers(5, true, Frame.Get), .. Frame.Headers(3, true, Frame.Get)]),
        ("6.1 DATA on stream 0", "GOAWAY 0 ProtocolError", Frame.Data(0, false, "x")),
        ("6.1 DATA with padding as long as the frame", "GOAWAY 1 ProtocolError", [.. Open(), .. Frame.Raw(0, 8, 1, 5, 0, 0, 0, 0)]),
        ("6.1 padded DATA without a length", "GOAWAY 1 FrameSizeError", [.. Open(), .. Frame.Raw(0, 8, 1)]),
        ("6.2 HEADERS on stream 0", "GOAWAY 0 ProtocolError", Frame.Headers(0, true, Frame.Get)),
        ("6.2 HEADERS with padding as long as the frame", "GOAWAY 0 ProtocolError", Frame.Raw(1, 8 | 5, 1, 9, 0)),
        ("6.2 HEADERS with a priority cut short", "GOAWAY 0 FrameSizeError", Frame.Raw(1, 0x20 | 5, 1, 0, 0, 0)),
        ("6.3 PRIORITY on stream 0", "GOAWAY 0 ProtocolError", Frame.Raw(2, 0, 0, Bytes(5))),
        ("6.3 PRIORITY of 4 bytes", "RST 1 FrameSizeError", [.. Open(), .. Frame.Raw(2, 0, 1, Bytes(4))]),
        ("6.4 RST_STREAM on stream 0", "GOAWAY 0 ProtocolError", Frame.Reset(0)),
        ("6.4 RST_STREAM of 3 bytes", "GOAWAY 1 FrameSizeError", [.. Open(), .. Frame.Raw(3, 0, 1, Bytes(3))]),
        ("6.5 SETTINGS on a stream", "GOAWAY 0 ProtocolError", Frame.Raw(4, 0, 1)),
        ("6.5 SETTINGS acknowledged with a payload", "GOAWAY 0 FrameSizeError", Frame.Raw(4, 1, 0, Bytes(6))),
        ("6.5 SETTINGS of 5 bytes", "GOAWAY 0 FrameSizeError", Frame.Raw(4, 0, 0, Bytes(5))),
        ("6.5.2 ENABLE_PUSH 2", "GOAWAY 0 ProtocolError", Frame.Settings((2, 2))),
        ("6.5.2 INITIAL_WINDOW_SIZE 2^31", "GOAWAY 0 FlowControlError", Frame.Settings((4, 1u << 31))),
        ("6.5.2 MAX_FRAME_SIZE 16383", "GOAWAY 0 ProtocolError", Frame.Settings((5, 16_383))),
        ("6.5.2 MAX_FRAME_SIZE 2^24", "GOAWAY 0 ProtocolError", Frame.Settings((5, 1 << 24))),
        ("8441 3 ENABLE_CONNECT_PROTOCOL 2", "GOAWAY 0 ProtocolError", Frame.Settings((8, 2))),
        ("8441 3 ENABLE_CONNECT_PROTOCOL taken back", "GOAWAY 0 ProtocolError", [.. Frame.Settings((8, 1)), .. Frame.Settings((8, 0))]),
        ("6.6 PUSH_PROMISE of a client", "GOAWAY 1 ProtocolError", [.. Open(), .. Frame.Raw(5, 4, 1, [0, 0, 0, 2, .. Frame.Block(Frame.Get)])]),
        ("6.7 PING on a stream", "GOAWAY 0 ProtocolError", Frame.Raw(6, 0, 1, Bytes(8))),
        ("6.7 PING of 7 bytes", "GOAWAY 0 FrameSizeError", Frame.Raw(6, 0, 0, Bytes(7))),
        ("6.8 GOAWAY on a stream", "GOAWAY 0 ProtocolError", Frame.Raw(7, 0, 1, Bytes(8))),
        ("6.8 GOAWAY of 7 bytes", "GOAWAY 0 FrameSizeError", Frame.Raw(7, 0, 0, Bytes(7))),
        ("6.9 WINDOW_UPDATE of 0", "RST 1 ProtocolError", [.. Open(), .. Frame.WindowUpdate(1, 0)]),
        ("6.9 WINDOW_UPDATE of 0 of the connection", "GOAWAY 0 ProtocolError", Frame.WindowUpdate(0, 0)),
        ("6.9 WINDOW_UPDATE of 5 bytes", "GOAWAY 0 FrameSizeError", Frame.Raw(8, 0, 0, Bytes(5))),
        ("6.9.1 a stream's window beyond 2^31-1", "RST 1 FlowControlError", [.. Open(), .. Frame.WindowUpdate(1, int.MaxValue)]),
        ("6.9.1 the connection's window beyond 2^31-1", "GOAWAY 0 FlowControlError", Frame.WindowUpdate(0, int.MaxValue)),
        ("6.9.2 a stream's window beyond 2^31-1 by SETTINGS", "GOAWAY 1 FlowControlError", [.. Open(), .. Frame.WindowUpdate(1, 1000), .. Frame.Settings((4, int.MaxValue))]),
        ("6.10 CONTINUATION without HEADERS", "GOAWAY 1 ProtocolError", [.. Open(), .. Frame.Raw(9, 4, 1)]),
        ("6.10 CONTINUATION of another stream", "GOAWAY 0 ProtocolError", [.. Frame.Raw(1, 1, 1, Frame.Block(Frame.Get)), .. Frame.Raw(9, 4, 3)]),
        ("6.10 another frame within a block", "GOAWAY 0 ProtocolError", [.. Frame.Raw(1, 1, 1, Frame.Block(Frame.Get)), .. Frame.Ping()]),
        ("5.5 an unknown frame within a block", "GOAWAY 0 ProtocolError", [.. Frame.Raw(1, 1, 1, Frame.Block(Frame.Get)), .. Frame.Raw(0x42, 0, 0)]),

        // Messages.
        ("8.1 trailers without END_STREAM", Rst1, [.. Open(), .. Frame.Headers(1, false, ("a", "b"))]),
        ("8.1 a pseudo-header in trailers", Rst1, [.. Open(), .. Frame.Headers(1, true, (":path", "/x"))]),
        ("9110 6.5.1 content-length in trailers", Rst1, [.. Open(), .. Frame.Headers(1, true, ("content-length", "0"))]),
        ("9110 6.5.1 host in trailers", Rst1, [.. Open(), .. Frame.Headers(1, true, ("host", "b.test"))]),
        ("8.1.1 less than content-length", Rst1, [.. Open(("content-length", "5")), .. Frame.Data(1, true, "1234")]),
        ("8.1.1 less than content-length, with trailers", Rst1, [.. Open(("content-length", "5")), .. Frame.Data(1, false, "1234"), .. Frame.Headers(1, true, ("a", "b"))]),
        ("8.1.1 more than content-length", Rst1, [.. Open(("content-length", "5")), .. Frame.Data(1, false, "123456")]),
        ("8.1.1 content-length without a body", Rst1, With(("content-length", "5"))),
        ("9110 8.6 two lengths", Rst1, Open(("content-length", "5"), ("content-length", "6"))),
        ("9110 8.6 a list of lengths", Rst1, Open(("content-length", "5, 5"))),
        ("9110 8.6 a signed length", Rst1, Open(("content-length", "+5"))),
        ("9110 8.6 an empty length", Rst1, Open(("content-length", ""))),
        ("9110 8.6 a length beyond 64 bits", Rst1, Open(("content-length", "99999999999999999999"))),
        ("8.2.1 upper case", Rst1, With(("X-Test", "1"))),
        ("8.2.1 an empty name", Rst1, With(("", "1"))),
        ("8.2.1 a space in a name", Rst1, With(("a b", "1"))),
        ("8.2.1 a colon in a name", Rst1, With(("a:b", "1"))),
        ("8.2.1 CR LF in a name", Rst1, With(("a\r\nb", "1"))),
        ("8.2.1 NUL in a name", Rst1, With(("a\0", "1"))),
        ("8.2.1 8 bits in a name", Rst1, With(("a\u00e9", "1"))),
        ("8.2.1 CR in a value", Rst1, With(("a", "1\r2"))),
        ("8.2.1 LF in a value", Rst1, With(("a", "1\n2"))),
        ("8.2.1 CR LF and a field in a value", Rst1, With(("a", "1\r\nhost: evil"))),
        ("8.2.1 NUL in a value", Rst1, With(("a", "1\02"))),
        ("8.2.1 a space before a value", Rst1, With(("a", " 1"))),
        ("8.2.1 a tab after a value", Rst1, With(("a", "1\t"))),
        ("8.2.2 connection", Rst1, With(("connection", "close"))),
        ("8.2.2 keep-alive", Rst1, With(("keep-alive", "5"))),
        ("8.2.2 proxy-connection", Rst1, With(("proxy-connection", "close"))),
        ("8.2.2 transfer-encoding", Rst1, Open(("transfer-encoding", "chunked"))),
        ("8.2.2 upgrade", Rst1, With(("upgrade", "h2c"))),
        ("8.2.2 te: gzip", Rst1, With(("te", "gzip"))),
        ("8.2.2 te: trailers, gzip", Rst1, With(("te", "trailers, gzip"))),
        ("8.3 an unknown pseudo-header", Rst1, Pseudo("GET", "http", "/", "a.test", (":foo", "1"))),
        ("8.3 a response's pseudo-header", Rst1, Pseudo("GET", "http", "/", "a.test", (":status", "200"))),
        ("8.3 a pseudo-header after a field", Rst1, Frame.Headers(1, true, (":method", "GET"), (":scheme", "http"), ("a", "b"), (":path", "/"))),
        ("8.3 :method twice", Rst1, Pseudo("GET", "http", "/", "a.test", (":method", "GET"))),
        ("8.3 :path twice", Rst1, Pseudo("GET", "http", "/", "a.test", (":path", "/"))),
        ("8.3 :scheme twice", Rst1, Pseudo("GET", "http", "/", "a.test", (":scheme", "http"))),
        ("8.3 :authority twice", Rst1, Pseudo("GET", "http", "/", "a.test", (":authority", "a.test"))),
        ("8.3.1 no :method", Rst1, Frame.Headers(1, true, (":scheme", "http"), (":path", "/"), (":authority", "a.test"))),
        ("8.3.1 no :scheme", Rst1, Pseudo("GET", null, "/", "a.test")),
        ("8.3.1 no :path", Rst1, Pseudo("GET", "http", null, "a.test")),
        ("8.3.1 neither :authority nor host", Rst1, Pseudo("GET", "http", "/", null)),
        ("8.3.1 an empty :path", Rst1, Pseudo("GET", "http", "", "a.test")),
        ("8.3.1 an empty :authority", Rst1, Pseudo("GET", "http", "/", "")),
        ("8.3.1 an empty :method", Rst1, Pseudo("", "http", "/", "a.test")),
        ("8.3.1 a space in :method", Rst1, Pseudo("GET /x HTTP/1.1", "http", "/", "a.test")),
        ("8.3.1 a space in :path", Rst1, Pseudo("GET", "http", "/ HTTP/1.1", "a.test")),
        ("8.3.1 CR LF in :path", Rst1, Pseudo("GET", "http", "/\r\nhost: evil", "a.test")),
        ("8.3.1 a fragment in :path", Rst1, Pseudo("GET", "http", "/#x", "a.test")),
        ("8.3.1 an absolute :path", Rst1, Pseudo("GET", "http", "http://b.test/", "a.test")),
        ("8.3.1 :path * of a GET", Rst1, Pseudo("GET", "http", "*", "a.test")),
        ("8.3.1 user information in :authority", Rst1, Pseudo("GET", "http", "/", "user@a.test")),
        ("8.3.1 a slash in :authority", Rst1, Pseudo("GET", "http", "/", "a.test/x")),
        ("8.3.1 another scheme", Rst1, Pseudo("GET", "ftp", "/", "a.test")),
        ("8.3.1 host is not :authority", Rst1, With(("host", "b.test"))),
        ("8.3.1 host twice", Rst1, Pseudo("GET", "http", "/", null, ("host", "a.test"), ("host", "a.test"))),
        ("8.5 CONNECT with :path", Rst1, Pseudo("CONNECT", null, "/", "a.test:80")),
        ("8.5 CONNECT with :scheme", Rst1, Pseudo("CONNECT", "http", null, "a.test:80")),
        ("8.5 CONNECT without :authority", Rst1, Frame.Headers(1, false, (":method", "CONNECT"), ("host", "a.test:80"))),
        ("8.5 CONNECT without a port", Rst1, Pseudo("CONNECT", null, null, "a.test")),
        ("8441 4 :protocol of a GET", Rst1, Pseudo("GET", "http", "/", "a.test", (":protocol", "websocket"))),
        ("8441 4 :protocol without :path", Rst1, Pseudo("CONNECT", "http", null, "a.test", (":protocol", "websocket"))),
        ("8441 4 an empty :protocol", Rst1, Pseudo("CONNECT", "http", "/", "a.test", (":protocol", ""))),
    ];

    // What is fine, beside it: a table of refusals alone would be passed by a server that refuses everything.
    private static readonly (string Rule, string Request, byte[] Frames)[] Allowed =
    [
        ("a GET", "GET / a.test", With()),
        ("6.1 padding", "POST / a.test x", [.. Open(), .. Frame.Raw(0, 9, 1, 3, (byte)'x', 0, 0, 0)]),
        ("6.2 padding and priority", "GET / a.test", Frame.Raw(1, 0x2D, 1, [2, 0, 0, 0, 0, 1, .. Frame.Block(Frame.Get), 0, 0])),
        ("6.2 in three pieces", "GET / a.test", [.. Frame.Raw(1, 1, 1, Frame.Block(Frame.Get)[..7]), .. Frame.Raw(9, 0, 1, Frame.Block(Frame.Get)[7..20]), .. Frame.Raw(9, 4, 1, Frame.Block(Frame.Get)[20..])]),
        ("5.3 priorities are ignored", "GET / a.test", [.. Frame.Raw(2, 0, 7, Bytes(5)), .. With(), .. Frame.Raw(2, 0, 1, 0, 0, 0, 1, 9)]),
        ("5.5 unknown frames and flags", "GET / a.test", [.. Frame.Raw(0x42, 0xFF, 9, Bytes(30)), .. With()]),
        ("4.1 the reserved bit", "GET / a.test", Frame.Raw(1, 5, int.MinValue | 1, Frame.Block(Frame.Get))),
        ("6.5.2 unknown settings", "GET / a.test", [.. Frame.Settings((0x99, 7)), .. With()]),
        ("8.1 trailers", "POST / a.test xy (t: 1)", [.. Open(), .. Frame.Data(1, false, "xy"), .. Frame.Headers(1, true, ("t", "1"))]),
        ("8.1 trailers without data", "POST / a.test (t: 1)", [.. Open(), .. Frame.Headers(1, true, ("t", "1"))]),
        ("8.2.2 te: trailers", "GET / a.test te: trailers", With(("te", "trailers"))),
        ("8.2.3 crumbs of a cookie", "GET / a.test x: 1, cookie: a=1; b=2; c=3", With(("cookie", "a=1"), ("x", "1"), ("cookie", "b=2"), ("cookie", "c=3"))),
        ("8.3.1 host alone", "GET / b.test:81", Pseudo("GET", "http", "/", null, ("host", "b.test:81"))),
        ("8.3.1 host in other letters", "GET / a.test", With(("host", "A.TEST"))),
        ("8.3.1 OPTIONS *", "OPTIONS * a.test", Pseudo("OPTIONS", "http", "*", "a.test")),
        ("8.3.1 https behind another proxy", "GET / a.test", Pseudo("GET", "https", "/", "a.test")),
        ("9110 8.6 the same length twice", "POST / a.test xy", [.. Open(("content-length", "2"), ("content-length", "2")), .. Frame.Data(1, true, "xy")]),
        ("8.1.1 an empty body of length 0", "POST / a.test", [.. Open(("content-length", "0")), .. Frame.Data(1, true, "")]),
        ("8.2.1 a tab within a value", "GET / a.test a: 1\t2", With(("a", "1\t2"))),
    ];

    public static TheoryData<string> RuleNames => [.. Rules.Select(rule => rule.Rule)];

    public static TheoryData<string> AllowedNames => [.. Allowed.Select(rule => rule.Rule)];

    [Theory]
    [MemberData(nameof(RuleNames))]
    public void A_client_that_breaks_a_rule_is_answered_so_and_reaches_no_handler_with_it(string rule)
    {
        var (_, answer, frames) = Rules.Single(r => r.Rule == rule);
        var server = Run(frames, frames.Length);
        Assert.Equal(answer, server.Sent.Text);
        foreach (var request in server.Exchanges.All)
            Assert.NotNull(answer.StartsWith("GOAWAY", StringComparison.Ordinal) || !request.Ended ? request.Reset : Weft.Proxy.Http.ResetReason.ProtocolError);
        Assert.Equal(server.Exchanges.All.Count, server.Exchanges.HeadsRented);

        // After a stream error the connection goes on.
        if (answer.StartsWith("RST", StringComparison.Ordinal))
        {
            server.Send(Frame.Headers(7, true, Frame.Get));
            server.Exchanges.All[^1].Respond(204);
            server.Take();
            Assert.Equal($"{answer}; HEADERS 7 :status: 204 end", server.Sent.Text);
        }
        else
        {
            Assert.True(server.Transport.IsClosed);
        }

        for (var cut = 1; cut < frames.Length; cut += frames.Length > 1000 ? 997 : 1)
            Assert.Equal(answer, Run(frames, cut).Sent.Text);
    }

    [Theory]
    [MemberData(nameof(AllowedNames))]
    public void What_is_allowed_arrives(string rule)
    {
        var (_, expected, frames) = Allowed.Single(r => r.Rule == rule);
        for (var cut = 1; cut <= frames.Length; cut++)
        {
            var server = Run(frames, cut);
            Assert.Equal("", server.Sent.Text);
            var request = Assert.Single(server.Exchanges.All);
            Assert.True(request.Ended);
            Assert.Equal(expected, Describe(request));
        }
    }

    [Fact]
    public void Section_3_4_a_preface_that_is_none_ends_the_connection()
    {
        foreach (var text in new[] { "GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "\x16\x03\x01" })
        {
            var server = new ServerSide(preface: false);
            server.Send(System.Text.Encoding.Latin1.GetBytes(text));
            Assert.True(server.Transport.IsClosed);
            Assert.Equal(ErrorCode.ProtocolError, server.Connection.Error);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Section_3_4_the_first_frame_is_SETTINGS(bool acknowledgement)
    {
        var server = new ServerSide(preface: false);
        server.Send(Frame.ClientPreface[..24], acknowledgement ? Frame.Raw(4, 1, 0) : With());
        Assert.Equal("GOAWAY 0 ProtocolError", server.Sent.Text);
    }

    [Fact]
    public void The_preface_may_come_byte_by_byte()
    {
        var server = new ServerSide(preface: false);
        foreach (var value in (byte[])[.. Frame.ClientPreface, .. With()])
            server.Send([value]);
        Assert.Single(server.Exchanges.All);
    }

    private static ServerSide Run(byte[] frames, int cut)
    {
        var server = new ServerSide();
        server.Send(frames[..cut], frames[cut..]);
        return server;
    }

    private static string Describe(RecordedRequest request)
    {
        var head = request.Head;
        var text = $"{Text(head.Method)} {Text(head.Target)} {Text(head.Authority)} {string.Join(", ", RecordedRequest.Fields(head.Headers))}";
        text = $"{text.Trim()} {request.Body}".Trim();
        return request.Trailers.Count > 0 ? $"{text} ({string.Join(", ", request.Trailers)})" : text;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => System.Text.Encoding.Latin1.GetString(bytes);
}
