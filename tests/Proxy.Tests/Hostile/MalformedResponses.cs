using System.Text;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>Answers to a GET that no client must take for whole: one by one for each class, and seeded mutations of good ones that are bad wherever they hit.</summary>
internal static class MalformedResponses
{
    public static IEnumerable<(string Class, string Text)> All()
    {
        foreach (var line in StatusLines)
            yield return ("status line", $"{line}\r\nContent-Length: 4\r\n\r\nevil");
        foreach (var field in Fields)
            yield return ("field", $"HTTP/1.1 200 OK\r\n{field}\r\n\r\nevil!");
        foreach (var body in Chunks)
            yield return ("chunk", $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        foreach (var whole in Cut)
            yield return ("cut", whole);
        yield return ("too much", $"HTTP/1.1 200 OK\r\nX: {new string('x', 70_000)}\r\n\r\n");
        yield return ("too much", $"HTTP/1.1 200 OK\r\n{string.Concat(Enumerable.Range(0, 200).Select(i => $"X-{i}: y\r\n"))}Content-Length: 0\r\n\r\n");
        yield return ("too much", $"HTTP/1.1 200 {new string('x', 70_000)}\r\n\r\n");
        yield return ("too much", $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n{string.Concat(Enumerable.Range(0, 200).Select(i => $"X-{i}: y\r\n"))}\r\n");
        var random = new Random(20260102);
        for (var i = 0; i < 1000; i++)
            yield return Mutated(random);
    }

    private static readonly string[] StatusLines =
    [
        "HTTP/1.1 200 O\0K", "HTTP/1.1 200 O\rK", "HTTP/1.1 200 O\u0001K", "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK", " HTTP/1.1 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 OK",
        "HTTP/1.1 600 OK", "HTTP/1.1 999 OK", "HTTP/1.1 000 OK", "HTTP/1.1 -20 OK", "HTTP/1.1 2x0 OK", "HTTP/1.1 200\tOK", "HTTP/2.0 200 OK", "HTTP/2 200 OK", "HTTP/0.9 200 OK", "HTTP/1.2 200 OK",
        "HTTP/11 200 OK", "http/1.1 200 OK", "ICY 200 OK", "RTSP/1.0 200 OK", "HTTP/1.1", "HTTP/1.1 ", "", "GET / HTTP/1.1", "<html>", "evil", "\0", "\u0016\u0003\u0001\u0002\0\u0001",
        "\nHTTP/1.1 200 OK", "HTTP/1.1 101 Switching Protocols", "HTTP/1.1 200 OK\r", "\r\nHTTP/1.1 200 OK", "HTTP/1.1 100 Continue\r\n\r\nevil",
    ];

    private static readonly string[] Fields =
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5, 5", "Content-Length: 5,6", "Content-Length: +5", "Content-Length: -5", "Content-Length: -0", "Content-Length: 0x5", "Content-Length: 5_0", "Content-Length: 5.0",
        "Content-Length: 5 5", "Content-Length: ", "Content-Length: five", "Content-Length: 9223372036854775808", "Content-Length: 18446744073709551621", "Content-Length : 5", "Content-Length\t: 5",
        "Transfer-Encoding: xchunked", "Transfer-Encoding: \vchunked", "Transfer-Encoding: ,chunked", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity",
        "Transfer-Encoding: identity, chunked", "Transfer-Encoding: 'chunked'", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding : chunked", " Transfer-Encoding: chunked", "Transfer-Encoding\r\n: chunked", "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: chunked\0", "Transfer-Encoding: gzip",
        "X: a\rb", "X: a\0b", "X: a\nb c: d", "X: a\u007f", "X: a\u0001", "X\u00e9: a", "X(: a", "X[]: a", "X\": a", "X/: a", ": a", "X", "=", "X a: b", "\tX: a", "X: a\r\n\tb", "X: a\r\n b", "Set-Cookie : a=b",
        "Location: /\r\n\0: x", "X\r: a", "X: a\n\tb",
    ];

    private static readonly string[] Chunks =
    [
        "0x4\r\nevil\r\n0\r\n\r\n", "4_\r\nevil\r\n0\r\n\r\n", "+4\r\nevil\r\n0\r\n\r\n", "-4\r\nevil\r\n0\r\n\r\n", " 4\r\nevil\r\n0\r\n\r\n", "4 \r\nevil\r\n0\r\n\r\n", "ffffffffffffffff\r\nevil\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nevil\r\n0\r\n\r\n", "\r\nevil\r\n0\r\n\r\n", "4\nevil\r\n0\r\n\r\n", "4\revil\r\n0\r\n\r\n", "4;\n\r\nevil\r\n0\r\n\r\n", "4;a\nb\r\nevil\r\n0\r\n\r\n", "4;a\rb\r\nevil\r\n0\r\n\r\n",
        "4;\0\r\nevil\r\n0\r\n\r\n", "3\r\nevil\r\n0\r\n\r\n", "4\r\nevilXX0\r\n\r\n", "4\r\nevil\n0\r\n\r\n", "4\r\nevil\r0\r\n\r\n", "4\r\nevil\r\n0\r\nX : y\r\n\r\n", "4\r\nevil\r\n0\r\nContent-Length: 1\r\n\r\n",
        "4\r\nevil\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\nevil\r\n0\r\nHost: x\r\n\r\n", "4\r\nevil\r\n0\n\r\n", "4\r\nevil\r\n0\r\n\n", "z\r\n\r\n", "4\r\nevil\r\n0\r\n X: y\r\n\r\n", "4\r\nevil\r\n0\r\nX: a\0\r\n\r\n",
        "4;" + new string('a', 70_000),
    ];

    // The endpoint closes in the middle (all answers are followed by a close).
    private static readonly string[] Cut =
    [
        "", "H", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevil", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nev",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\nX: y\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    ];

    private static (string Class, string Text) Mutated(Random random)
    {
        var good = random.Next(3) switch
        {
            0 => "HTTP/1.1 200 OK\r\nServer: test/1.0\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nevil",
            1 => "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=b\r\nConnection: keep-alive\r\n\r\n4\r\nevil\r\n0\r\n\r\n",
            _ => "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nCache-Control: no-store\r\nContent-Length: 4\r\n\r\n",
        };
        var head = good.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 3;
        var text = new StringBuilder(good);
        var starts = Enumerable.Range(1, head - 4).Where(i => good[i] == '\n').Select(i => i + 1).ToArray();
        switch (random.Next(6))
        {
            case 0:
                text.Insert(random.Next(head), "\0\r\u0001\v\f\u007f"[random.Next(6)]);
                break;
            case 1:
                // In the middle of a name: elsewhere it may end a line, as a lone LF does in an answer.
                var start = starts[random.Next(starts.Length)];
                text.Insert(start + 1 + random.Next(good.IndexOf(':', start) - start - 1), '\n');
                break;
            case 2:
                text.Insert(starts[random.Next(starts.Length)], " \t:"[random.Next(3)]);
                break;
            case 3:
                text.Insert(good.IndexOf(':', starts[random.Next(starts.Length)]), " \t"[random.Next(2)]);
                break;
            case 4:
                var doubled = new[] { "Content-Length: 5\r\nContent-Length: 5\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 7\r\n", "Transfer-Encoding: x\r\n", "Content-Length: -1\r\n" };
                text.Insert(starts[random.Next(starts.Length)], doubled[random.Next(doubled.Length)]);
                break;
            default:
                text.Insert(starts[random.Next(starts.Length)], "@(){}[]<>\\\"/?=,;"[random.Next(16)]);
                break;
        }

        return ("mutation", text.ToString());
    }
}
