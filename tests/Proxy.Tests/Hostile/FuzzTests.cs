using System.Net;
using System.Text;
using Weft.Proxy.Downstream;
using Weft.Proxy.Http;
using Weft.Proxy.Http1;
using Weft.Proxy.Http2.Hpack;
using Weft.Proxy.Tests.Http2.Hpack;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>
/// Bytes at random and good ones that were changed, to everything that reads a peer's: no exception, nothing beyond what came, and the same result however the bytes are cut. Frames
/// of HTTP/2 on both sides are fuzzed in `Http2/PairTests`, DNS messages in `Dns/QueryTests`, TLS records in `Tls/HostileBytesTests`. WEFT_LONG=1 makes it a hundred times as long.
/// </summary>
public sealed class FuzzTests
{
    private const int Rounds = 20_000;

    private static readonly int Times = Environment.GetEnvironmentVariable("WEFT_LONG") == "1" ? 100 : 1;

    private static readonly string[] Requests =
    [
        "GET /a/b?c=d HTTP/1.1\r\nHost: example.org\r\nUser-Agent: x\r\nAccept: */*\r\nCookie: a=b; c=d\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\n\r\n",
        "POST http://example.org:8080/x HTTP/1.1\r\nHost: example.org:8080\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
        "PUT /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
        "GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ];

    private static readonly string[] Responses =
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\nConnection: close\r\n\r\nhello", "HTTP/1.0 302 Found\r\nLocation: /x\r\nConnection: keep-alive\r\n\r\n",
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ];

    private static readonly string[] Chunked = ["5\r\nhello\r\n0\r\n\r\n", "5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\nZ: \r\n\r\n", "00005\r\nhello\r\n0;x\r\nGrpc-Status: 0\r\n\r\n"];

    [Fact]
    public void Heads_of_requests() => Fuzz(1, Requests, (bytes, random) =>
    {
        var (parser, head) = (new Http1RequestParser(Http1Limits.Default), new RequestHead());
        var (result, consumed) = Feed(bytes, random, (ReadOnlySpan<byte> data, out int used) => parser.Parse(data, head, out used));
        return $"{result} {consumed} {parser.Error} {(result != ParseResult.Done ? "" : $"{Text(head.Method)} {Text(head.Authority)} {Text(head.Target)} {Text(head.Upgrade)} {head.ContentLength} {parser.KeepAlive} {Fields(head.Headers)}")}";
    });

    [Fact]
    public void Heads_of_responses() => Fuzz(2, Responses, (bytes, random) =>
    {
        var (parser, head) = (new Http1ResponseParser(Http1Limits.Default), new ResponseHead());
        var (result, consumed) = Feed(bytes, random, (ReadOnlySpan<byte> data, out int used) => parser.Parse(data, head, out used));
        return $"{result} {consumed} {(result != ParseResult.Done ? "" : $"{head.Status} {head.ContentLength} {parser.IsChunked} {parser.KeepAlive} {Fields(head.Headers)}")}";
    });

    [Fact]
    public void Chunked_bodies() => Fuzz(3, Chunked, (bytes, random) =>
    {
        var (decoder, trailers, body) = (new ChunkedDecoder(Http1Limits.Default), new HeaderList(), new StringBuilder());
        decoder.Clear();
        var (result, consumed) = Feed(bytes, random, (ReadOnlySpan<byte> data, out int used) =>
        {
            used = 0;
            while (true)
            {
                var read = decoder.Read(data[used..], trailers, out var step, out var piece);
                used += step;
                body.Append(Text(piece));
                if (read != ChunkResult.Data)
                    return read switch { ChunkResult.End => ParseResult.Done, ChunkResult.Failed => ParseResult.Failed, _ => ParseResult.Incomplete };
            }
        });
        Assert.True(body.Length <= bytes.Length);
        // Of what fails more or less may have been passed on before.
        return result == ParseResult.Failed ? "failed" : $"{result} {consumed} {body} {(result == ParseResult.Done ? Fields(trailers) : "")}";
    });

    [Fact]
    public void PROXY_headers()
    {
        var four = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1234);
        var six = new IPEndPoint(IPAddress.Parse("2001:db8::1"), 80);
        byte[][] good = [ProxyHeader.Line(four, four), ProxyHeader.Line(six, six), ProxyHeader.Binary(four, four), ProxyHeader.Binary(six, six), "PROXY UNKNOWN\r\n"u8.ToArray()];
        Fuzz(4, [.. good.Select(header => Text(header) + "GET / HTTP/1.1\r\n\r\n")], (bytes, random) =>
        {
            IPEndPoint? source = null, destination = null;
            var (result, consumed) = Feed(bytes, random, (ReadOnlySpan<byte> data, out int used) => ProxyHeader.Read(data, out source, out destination, out used) switch
            {
                ProxyHeaderResult.Done => ParseResult.Done,
                ProxyHeaderResult.Failed => ParseResult.Failed,
                _ => ParseResult.Incomplete,
            });
            return $"{result} {(result == ParseResult.Done ? $"{consumed} {source} {destination}" : "")}";
        });
    }

    [Fact]
    public void Hellos_of_TLS()
    {
        byte[] name = [0, 0, 0, 14, 0, 12, 0, 0, 9, .. "a.example"u8];
        byte[] alpn = [0, 16, 0, 5, 0, 3, 2, (byte)'h', (byte)'2'];
        byte[] body = [3, 3, .. new byte[32], 4, 1, 2, 3, 4, 0, 2, 0x13, 1, 1, 0, 0, (byte)(name.Length + alpn.Length), .. alpn, .. name];
        byte[] message = [1, 0, 0, (byte)body.Length, .. body];
        byte[] one = [22, 3, 1, 0, (byte)message.Length, .. message];
        byte[] two = [22, 3, 1, 0, 20, .. message[..20], 22, 3, 3, 0, (byte)(message.Length - 20), .. message[20..]];
        Fuzz(5, [Text(one), Text(two)], (bytes, random) =>
        {
            string? found = null;
            var (result, _) = Feed(bytes, random, (ReadOnlySpan<byte> data, out int used) =>
            {
                used = 0;
                return ClientHello.Read(data, out found) switch { HelloResult.Done => ParseResult.Done, HelloResult.NotTls => ParseResult.Failed, _ => ParseResult.Incomplete };
            });
            Assert.True(found is null || found.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.' or '_'), found);
            return $"{result} {found}";
        });
    }

    /// <summary>Blocks on one decoder, as of a connection: what is decoded stays below the limit, and the table below its size.</summary>
    [Fact]
    public void Header_blocks()
    {
        const int Limit = 16 << 10;
        var random = new Random(6);
        byte[][] good =
        [
            Convert.FromHexString("828684418cf1e3c2e5f23a6ba0ab90f4ff"), Convert.FromHexString("828684be5886a8eb10649cbf"), Convert.FromHexString("400a637573746f6d2d6b65790d637573746f6d2d686561646572"),
            Convert.FromHexString("100870617373776f726406736563726574"), Convert.FromHexString("3fe11f828684418cf1e3c2e5f23a6ba0ab90f4ff"), Convert.FromHexString("20828684"),
        ];
        for (var connection = 0; connection < 2000 * Times; connection++)
        {
            var decoder = new HpackDecoder();
            for (var block = 0; block < 20; block++)
            {
                var recorder = new FieldRecorder();
                var result = decoder.Decode(random.Next(4) == 0 ? good[random.Next(good.Length)] : Mutated(good[random.Next(good.Length)], random), recorder, Limit);
                Assert.InRange(recorder.Fields.Sum(field => field.Length + 30), 0, Limit + (8 << 10));
                if (result != DecodeResult.Done)
                    break; // the connection would end
            }
        }
    }

    private delegate ParseResult Parse(ReadOnlySpan<byte> data, out int consumed);

    private static void Fuzz(int seed, string[] good, Func<byte[], Random?, string> read)
    {
        var random = new Random(seed);
        for (var i = 0; i < Rounds * Times; i++)
        {
            var bytes = Encoding.Latin1.GetBytes(good[random.Next(good.Length)]);
            if (random.Next(10) != 0)
                bytes = Mutated(bytes, random);
            var whole = read(bytes, null);
            var cut = read(bytes, random);
            Assert.True(whole == cut, $"{Convert.ToHexString(bytes)}: {whole} and in pieces {cut}");
        }
    }

    // As a connection does it: what was not consumed comes again, with more.
    private static (ParseResult Result, int Consumed) Feed(byte[] bytes, Random? cuts, Parse parse)
    {
        var at = 0;
        for (var end = cuts?.Next(bytes.Length + 1) ?? bytes.Length; ; end = Math.Min(bytes.Length, end + cuts!.Next(1, 20)))
        {
            var result = parse(bytes.AsSpan(at, end - at), out var consumed);
            Assert.InRange(consumed, 0, end - at);
            at += consumed;
            if (result != ParseResult.Incomplete || end == bytes.Length)
                return (result, at);
        }
    }

    private static byte[] Mutated(byte[] good, Random random)
    {
        // What other readers trip over, beside anything.
        ReadOnlySpan<byte> liked = "\r\n\0 \t:;,/0fF\x7f\x80\xff"u8;
        var bytes = good.ToList();
        for (var times = random.Next(1, 6); times > 0; times--)
        {
            var value = random.Next(2) == 0 ? liked[random.Next(liked.Length)] : (byte)random.Next(256);
            switch (random.Next(5))
            {
                case 0 when bytes.Count > 0:
                    bytes[random.Next(bytes.Count)] = value;
                    break;
                case 1:
                    bytes.Insert(random.Next(bytes.Count + 1), value);
                    break;
                case 2 when bytes.Count > 0:
                    bytes.RemoveAt(random.Next(bytes.Count));
                    break;
                case 3 when bytes.Count > 2:
                    var from = random.Next(bytes.Count - 1);
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(from, random.Next(1, Math.Min(30, bytes.Count - from)))); // a line twice
                    break;
                case 4 when bytes.Count > 0:
                    bytes.RemoveRange(bytes.Count - random.Next(1, Math.Min(10, bytes.Count) + 1), 1);
                    break;
            }
        }

        return [.. bytes];
    }

    private static string Fields(HeaderList headers) => string.Join('|', Enumerable.Range(0, headers.Count).Select(i => $"{Text(headers.Name(i))}={Text(headers.Value(i))}"));

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
