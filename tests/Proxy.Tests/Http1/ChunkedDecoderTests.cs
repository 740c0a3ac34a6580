using System.Text;
using Weft.Proxy.Http;
using Weft.Proxy.Http1;

namespace Weft.Proxy.Tests.Http1;

public sealed class ChunkedDecoderTests
{
    private static (ChunkResult Result, string Body, string Trailers, int Consumed) Decode(string text, int pieces = 0)
    {
        var decoder = new ChunkedDecoder(Http1Limits.Default);
        var trailers = new HeaderList();
        var body = new StringBuilder();
        var bytes = Encoding.Latin1.GetBytes(text);
        var at = 0;
        var result = ChunkResult.Incomplete;
        for (var end = pieces > 0 ? Math.Min(pieces, bytes.Length) : bytes.Length; ; end = Math.Min(bytes.Length, end + Math.Max(1, pieces)))
        {
            do
            {
                result = decoder.Read(bytes.AsSpan(at, end - at), trailers, out var consumed, out var data);
                at += consumed;
                body.Append(Encoding.Latin1.GetString(data));
            }
            while (result == ChunkResult.Data);
            if (result != ChunkResult.Incomplete || end == bytes.Length)
                break;
        }

        return (result, body.ToString(), string.Join('|', Enumerable.Range(0, trailers.Count).Select(i => $"{Encoding.ASCII.GetString(trailers.Name(i))}={Encoding.ASCII.GetString(trailers.Value(i))}")), at);
    }

    [Fact]
    public void A_body_is_the_same_however_it_is_cut()
    {
        const string text = "5\r\nhello\r\nA;x=\"y z\"\r\n0123456789\r\n00\r\nGrpc-Status: 0\r\nTrailer: x\r\n\r\nnext";
        for (var pieces = 1; pieces <= text.Length; pieces++)
            Assert.Equal((ChunkResult.End, "hello0123456789", "grpc-status=0", text.Length - 4), Decode(text, pieces));
    }

    [Theory]
    [InlineData("0x5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5_\r\nhello\r\n0\r\n\r\n")]
    [InlineData("+5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("-5\r\nhello\r\n0\r\n\r\n")]
    [InlineData(" 5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5 \r\nhello\r\n0\r\n\r\n")]
    [InlineData("5 ;x\r\nhello\r\n0\r\n\r\n")]
    [InlineData("10000000000000005\r\nhello\r\n0\r\n\r\n")]
    [InlineData("0000000000000005\r\nhello\r\n0\r\n\r\n")]
    [InlineData("\r\nhello\r\n0\r\n\r\n")]
    [InlineData("g\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5\nhello\r\n0\r\n\r\n")]
    [InlineData("5\rhello\r\n0\r\n\r\n")]
    [InlineData("5;a\nb\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;a\rb\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;a\0\r\nhello\r\n0\r\n\r\n")]
    [InlineData("4\r\nhello\r\n0\r\n\r\n")]
    [InlineData("6\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5\r\nhelloXX0\r\n\r\n")]
    [InlineData("5\r\nhello\n0\r\n\r\n")]
    [InlineData("0\r\n\n")]
    [InlineData("0\r\nX : y\r\n\r\n")]
    [InlineData("0\r\nContent-Length: 5\r\n\r\n")]
    [InlineData("0\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("0\r\nHost: other\r\n\r\n")]
    public void What_is_not_to_the_letter_fails(string text)
    {
        Assert.Equal(ChunkResult.Failed, Decode(text).Result);
        Assert.Equal(ChunkResult.Failed, Decode(text, 1).Result);
    }

    [Fact]
    public void Extensions_and_trailers_are_bounded()
    {
        Assert.Equal(ChunkResult.Failed, Decode($"5;{new string('a', 5000)}").Result);
        Assert.Equal(ChunkResult.Failed, Decode(string.Concat(Enumerable.Repeat("1;aaaaaaaaaaaaaaaa\r\nx\r\n", 400))).Result);
        Assert.Equal(ChunkResult.Failed, Decode($"0\r\nX: {new string('a', 20_000)}").Result);
        Assert.Equal(ChunkResult.Failed, Decode($"0\r\n{string.Concat(Enumerable.Repeat("x: y\r\n", 101))}").Result);
    }
}
