using Weft.Proxy.Http;
using Weft.Proxy.Http1;

namespace Weft.Proxy.Tests.Http1;

public sealed class ResponseParserTests
{
    /// <summary>As the programs of a busybox httpd write them by `echo`.</summary>
    [Theory]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Type: text/plain\n\nbody")]
    [InlineData("HTTP/1.1 200 OK\ncontent-type: text/plain\n\nbody")]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nbody")]
    public void A_lone_lf_ends_a_line_of_a_servers_head(string text)
    {
        var (data, head) = (System.Text.Encoding.ASCII.GetBytes(text), new ResponseHead());
        Assert.Equal(ParseResult.Done, new Http1ResponseParser(new Http1Limits()).Parse(data, head, out var consumed));
        Assert.Equal("body"u8, data.AsSpan(consumed));
        Assert.Equal("text/plain"u8, head.Headers.Value(head.Headers.IndexOf("content-type"u8)));
    }
}
