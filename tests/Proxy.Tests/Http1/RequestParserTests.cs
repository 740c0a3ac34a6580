using System.Text;
using Weft.Proxy.Http;
using Weft.Proxy.Http1;

namespace Weft.Proxy.Tests.Http1;

public sealed class RequestParserTests
{
    private static (ParseResult Result, int Error, RequestHead Head, Http1RequestParser Parser, int Consumed) Parse(string text, int pieces = 0)
    {
        var parser = new Http1RequestParser(Http1Limits.Default);
        var head = new RequestHead();
        var bytes = Encoding.Latin1.GetBytes(text);
        var at = 0;
        // As a connection does it: what was not consumed comes again, with more.
        for (var end = pieces > 0 ? pieces : bytes.Length; ; end = Math.Min(bytes.Length, end + Math.Max(1, pieces)))
        {
            var result = parser.Parse(bytes.AsSpan(at, end - at), head, out var consumed);
            at += consumed;
            if (result != ParseResult.Incomplete || end == bytes.Length)
                return (result, parser.Error, head, parser, at);
        }
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    private static string[] Fields(RequestHead head) => [.. Enumerable.Range(0, head.Headers.Count).Select(i => $"{Text(head.Headers.Name(i))}: {Text(head.Headers.Value(i))}")];

    [Fact]
    public void A_head_is_the_same_however_it_is_cut()
    {
        const string text = "\r\nPOST /a%20b?c=d HTTP/1.1\r\nHost: Example.org:8080\r\nX-One:  1 \r\nx-two:\t2\r\nX-One: 3\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello";
        for (var pieces = 1; pieces <= text.Length; pieces++)
        {
            var (result, _, head, parser, consumed) = Parse(text, pieces);
            Assert.Equal(ParseResult.Done, result);
            Assert.Equal(text.Length - 5, consumed);
            Assert.Equal("POST", Text(head.Method));
            Assert.Equal("/a%20b?c=d", Text(head.Target));
            Assert.Equal("Example.org:8080", Text(head.Authority));
            Assert.Equal(["x-one: 1", "x-two: 2", "x-one: 3"], Fields(head));
            Assert.Equal(5, head.ContentLength);
            Assert.True(parser.KeepAlive);
        }
    }

    [Theory]
    // Framing (RFC 9112 section 6): checklist A 1 to 3.
    [InlineData(400, "Content-Length: 5\r\nTransfer-Encoding: chunked")]
    [InlineData(400, "Transfer-Encoding: chunked\r\nContent-Length: 5")]
    [InlineData(400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")]
    [InlineData(400, "Transfer-Encoding: xchunked")]
    [InlineData(400, "Transfer-Encoding: chunked, chunked")]
    [InlineData(400, "Transfer-Encoding: chunked, identity")]
    [InlineData(400, "Transfer-Encoding: identity")]
    [InlineData(400, "Transfer-Encoding: ,chunked")]
    [InlineData(400, "Transfer-Encoding: chunked,")]
    [InlineData(400, "Transfer-Encoding: \"chunked\"")]
    [InlineData(400, "Transfer-Encoding: Chunked")]
    [InlineData(400, "Transfer-Encoding: \vchunked")]
    [InlineData(400, "Transfer-Encoding: chunked;q=1")]
    [InlineData(400, "Transfer-Encoding:")]
    [InlineData(501, "Transfer-Encoding: gzip, chunked")]
    [InlineData(400, "Content-Length: 5\r\nContent-Length: 5")]
    [InlineData(400, "Content-Length: 5\r\nContent-Length: 6")]
    [InlineData(400, "Content-Length: 5, 5")]
    [InlineData(400, "Content-Length: +5")]
    [InlineData(400, "Content-Length: -0")]
    [InlineData(400, "Content-Length: 0x5")]
    [InlineData(400, "Content-Length: 5_0")]
    [InlineData(400, "Content-Length: 5 0")]
    [InlineData(400, "Content-Length: 9223372036854775808")]
    [InlineData(400, "Content-Length: 99999999999999999999")]
    [InlineData(400, "Content-Length:")]
    // Lines (RFC 9112 sections 2.2, 5): 7.
    [InlineData(400, "X: a\rb")]
    [InlineData(400, "X: a\0b")]
    [InlineData(400, "X: a\n b")]
    [InlineData(400, "X: a\r\n b")]
    [InlineData(400, "X : a")]
    [InlineData(400, ": a")]
    [InlineData(400, "X")]
    [InlineData(400, "X y: a")]
    [InlineData(400, "X\t: a")]
    [InlineData(400, "(X): a")]
    [InlineData(400, "Content-Length\0: 5")]
    [InlineData(400, "X: \u007f")]
    // Host (RFC 9112 section 3.2): 10.
    [InlineData(400, "Host: h")]
    [InlineData(417, "Expect: 200-ok")]
    public void A_field_that_could_be_read_in_two_ways_is_refused(int status, string field)
    {
        var (result, error, _, _, _) = Parse($"POST / HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n");
        Assert.Equal((ParseResult.Failed, status), (result, error));
    }

    [Theory]
    [InlineData(400, "GET / HTTP/1.1\r\n\r\n")]
    [InlineData(400, "GET / HTTP/1.1\r\nHost:\r\n\r\n")]
    [InlineData(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n")]
    [InlineData(400, "GET / HTTP/1.1\r\nHost: user@h\r\n\r\n")]
    [InlineData(400, "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n")]
    [InlineData(400, "GET / HTTP/1.1\r\nHost: h:99999\r\n\r\n")]
    [InlineData(400, "GET / HTTP/1.1\r\nHost: h:\r\n\r\n")]
    [InlineData(400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n")]
    [InlineData(400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n")]
    [InlineData(400, "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "GET http://user@h/ HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "GET * HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "GET x HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "GET /#f HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "GET /\u00e9 HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "GET  / HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "G(T / HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, " GET / HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "GET /\r\n\r\n")]
    [InlineData(400, "GET / http/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "GET / HTTP/1.1x\r\nHost: h\r\n\r\n")]
    [InlineData(400, "GET / HTTP/1.1\nHost: h\n\n")]
    [InlineData(400, "GET / HTTP/1.1\r\nHost: h\r\n\n")]
    [InlineData(400, "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData(400, "CONNECT h:1 HTTP/1.1\r\nHost: h:2\r\n\r\n")]
    [InlineData(400, "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nContent-Length: 1\r\n\r\n")]
    [InlineData(400, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData(505, "GET / HTTP/1.2\r\nHost: h\r\n\r\n")]
    [InlineData(505, "GET / HTTP/0.9\r\n\r\n")]
    [InlineData(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    public void A_request_line_or_host_that_is_not_as_it_should_be_is_refused(int status, string text)
    {
        var (result, error, _, _, _) = Parse(text);
        Assert.Equal((ParseResult.Failed, status), (result, error));
    }

    [Theory]
    [InlineData("GET http://h HTTP/1.1", "/", "h")]
    [InlineData("GET HTTP://H:80/a?b HTTP/1.1", "/a?b", "H:80")]
    [InlineData("GET http://h?b HTTP/1.1", "/?b", "h")]
    [InlineData("OPTIONS http://h HTTP/1.1", "*", "h")]
    [InlineData("GET http://[::1]:80/ HTTP/1.1", "/", "[::1]:80")]
    public void An_absolute_target_becomes_host_and_path(string line, string target, string authority)
    {
        var (result, _, head, _, _) = Parse($"{line}\r\nHost: {authority.ToLowerInvariant()}\r\n\r\n");
        Assert.Equal(ParseResult.Done, result);
        Assert.Equal((target, authority), (Text(head.Target), Text(head.Authority)));
    }

    [Fact]
    public void Limits_come_first()
    {
        Assert.Equal(414, Parse($"GET /{new string('a', 20_000)}").Error);
        Assert.Equal(414, Parse($"GET /{new string('a', 20_000)} HTTP/1.1\r\nHost: h\r\n\r\n", 1000).Error);
        Assert.Equal(431, Parse($"GET / HTTP/1.1\r\nHost: h\r\nX: {new string('a', 70_000)}", 4096).Error);
        Assert.Equal(431, Parse($"GET / HTTP/1.1\r\nHost: h\r\n{string.Concat(Enumerable.Range(0, 101).Select(i => $"x{i}: 1\r\n"))}\r\n").Error);
        Assert.Equal(431, Parse($"GET / HTTP/1.1\r\nHost: h\r\n{string.Concat(Enumerable.Range(0, 80).Select(i => $"x{i}: {new string('a', 1000)}\r\n"))}\r\n").Error);
        Assert.Equal(ParseResult.Done, Parse($"GET /{new string('a', 15_000)} HTTP/1.1\r\nHost: h\r\n\r\n").Result);
    }

    [Fact]
    public void What_concerns_one_hop_is_taken_out_and_what_secures_a_request_is_not()
    {
        var (result, _, head, parser, _) = Parse("""
            GET / HTTP/1.1
            Host: h
            Connection: close, X-Forwarded-For, Authorization, Foo, cookie, x-user
            Foo: 1
            X-Forwarded-For: 1.2.3.4
            Authorization: secret
            Cookie: a=b
            X-User: me
            Keep-Alive: timeout=5
            Proxy-Connection: keep-alive
            TE: trailers, deflate
            Upgrade: h2c
            HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA


            """.ReplaceLineEndings("\r\n"));
        Assert.Equal(ParseResult.Done, result);
        Assert.Equal(["x-forwarded-for: 1.2.3.4", "authorization: secret", "cookie: a=b", "x-user: me", "te: trailers"], Fields(head));
        Assert.False(parser.KeepAlive);
        Assert.True(head.Upgrade.IsEmpty);
    }

    [Fact]
    public void An_upgrade_is_one_only_when_Connection_says_so_too()
    {
        Assert.Equal("websocket", Text(Parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").Head.Upgrade));
        Assert.True(Parse("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n").Head.Upgrade.IsEmpty);
        Assert.True(Parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n").Head.Upgrade.IsEmpty);
        Assert.True(Parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket\r\n\r\n").Head.Upgrade.IsEmpty);
        Assert.True(Parse("POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\n").Head.Upgrade.IsEmpty);
    }

    [Theory]
    [InlineData("HTTP/1.1", "", true)]
    [InlineData("HTTP/1.1", "Connection: close\r\n", false)]
    [InlineData("HTTP/1.0", "", false)]
    [InlineData("HTTP/1.0", "Connection: keep-alive\r\n", true)]
    public void A_connection_is_kept_as_version_and_Connection_say(string version, string field, bool kept) =>
        Assert.Equal(kept, Parse($"GET / {version}\r\nHost: h\r\n{field}\r\n").Parser.KeepAlive);
}
