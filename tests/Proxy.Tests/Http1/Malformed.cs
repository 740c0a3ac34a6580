using System.Text;

namespace Weft.Proxy.Tests.Http1;

/// <summary>Requests that nobody must forward: one by one for each class, and seeded mutations of good ones that are bad wherever they hit.</summary>
internal static class Malformed
{
    public static IEnumerable<(string Class, string Text)> All()
    {
        foreach (var field in Fields)
            yield return ("field", $"POST /bad HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\nhello");
        foreach (var line in Lines)
            yield return ("line", $"{line}\r\nHost: h\r\n\r\n");
        foreach (var host in Hosts)
            yield return ("host", $"GET /bad HTTP/1.1\r\n{host}\r\n");
        foreach (var chunk in Chunks)
            yield return ("chunk", $"POST /bad HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}");
        var random = new Random(20260101);
        for (var i = 0; i < 1000; i++)
            yield return Mutated(random);
    }

    private static readonly string[] Fields =
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5", "Transfer-Encoding: chunked\r\nContent-Length: 0",
        "Transfer-Encoding: xchunked", "Transfer-Encoding:\tchunked\v", "Transfer-Encoding: \vchunked", "Transfer-Encoding: ,chunked", "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity, chunked", "Transfer-Encoding: CHUNKED", "Transfer-Encoding: 'chunked'",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "Transfer-Encoding: x\r\nTransfer-Encoding: chunked", "Transfer-Encoding : chunked", " Transfer-Encoding: chunked",
        "X: y\r\n Transfer-Encoding: chunked", "Transfer-Encoding\r\n: chunked", "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: chunked\0", "Transfer-Encoding: gzip",
        "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5, 5", "Content-Length: 5,6", "Content-Length: +5", "Content-Length: -5",
        "Content-Length: -0", "Content-Length: 0x5", "Content-Length: 5_0", "Content-Length: 5.0", "Content-Length: 5 5", "Content-Length: 9223372036854775808",
        "Content-Length: 18446744073709551621", "Content-Length: ", "Content-Length: five", "Content-Length: \u00b25", "Content-Length : 5", "Content-Length\t: 5", "Content_Length\0: 5",
        "X: a\rb", "X: a\r\rb", "X: a\0b", "X: a\nb: c", "X: a\u007f", "X: a\u0001", "X\u00e9: a", "X(: a", "X[]: a", "X{}: a", "X\": a", "X/: a", ": a", "X", "=", "X a: b", "\tX: a",
        "X: a\r\n\tb", "Host: other", "Host: h", "Expect: nothing",
    ];

    private static readonly string[] Lines =
    [
        "GET  /bad HTTP/1.1", "GET /bad  HTTP/1.1", "GET /bad HTTP/1.1 ", " GET /bad HTTP/1.1", "GET\t/bad HTTP/1.1", "GET /bad\tHTTP/1.1", "GET /b ad HTTP/1.1", "GET /bad", "GET /bad HTTP",
        "GET /bad HTTP/1", "GET /bad HTTP/1.", "GET /bad HTTP/1.2", "GET /bad HTTP/2.0", "GET /bad HTTP/0.9", "GET /bad HTTP/3.0", "GET /bad http/1.1", "GET /bad HTTP/01.1",
        "GET /bad HTTP/1.10", "GET /bad HTTP/1.1x", "GET /bad XTTP/1.1", "G\0T /bad HTTP/1.1", "G@T /bad HTTP/1.1", "GET bad HTTP/1.1", "GET  HTTP/1.1", "GET /b\u0001ad HTTP/1.1",
        "GET /b\u007fad HTTP/1.1", "GET /b\u00ffad HTTP/1.1", "GET /bad#x HTTP/1.1", "GET http:// HTTP/1.1", "GET http:///bad HTTP/1.1", "GET http://other/bad HTTP/1.1",
        "GET http://me@h/bad HTTP/1.1", "GET http://h:x/bad HTTP/1.1", "GET http://h:70000/bad HTTP/1.1", "GET gopher://h/bad HTTP/1.1", "GET //h/bad HTTP/2.1", "GET * HTTP/1.1",
        "CONNECT /bad HTTP/1.1", "CONNECT h HTTP/1.1", "CONNECT http://h:1/ HTTP/1.1", "PRI * HTTP/2.0", "\r\n\r\nGET /bad HTTP/1.1", "GET /bad HTTP/1.1\r", "GET /bad HTTP/1.1\n",
    ];

    private static readonly string[] Hosts =
    [
        "", "Host:\r\n", "Host: \r\n", "Host: a b\r\n", "Host: a, b\r\n", "Host: a\r\nHost: a\r\n", "Host: a\r\nHost: b\r\n", "Host: me@h\r\n", "Host: h/x\r\n", "Host: h?x\r\n", "Host: h#x\r\n",
        "Host: h:\r\n", "Host: h:x\r\n", "Host: h:70000\r\n", "Host: h:80:80\r\n", "Host: [::1\r\n", "Host: ::1\r\n", "Host: [h]\r\n", "Host: h%2e\r\n", "Host: h\\x\r\n", "Host: \"h\"\r\n",
        "Host: h\u00e9\r\n", "Host : h\r\n", " Host: h\r\n", "Host: h\0\r\n", "Host: h\tx\r\n",
    ];

    private static readonly string[] Chunks =
    [
        "0x5\r\nhello\r\n0\r\n\r\n", "5_\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello\r\n0\r\n\r\n", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\rhello\r\n0\r\n\r\n", "5;\n\r\nhello\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n", "5;a\rb\r\nhello\r\n0\r\n\r\n", "5;\0\r\nhello\r\n0\r\n\r\n", "4\r\nhello\r\n0\r\n\r\n", "5\r\nhelloXX0\r\n\r\n", "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n", "0\r\nX : y\r\n\r\n", "0\r\nContent-Length: 1\r\n\r\n", "0\r\nHost: x\r\n\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\n\n", "0\n\r\n", "z\r\n\r\n",
        "5;" + new string('a', 70_000),
    ];

    private static (string Class, string Text) Mutated(Random random)
    {
        var good = random.Next(3) switch
        {
            0 => "GET /bad?q=1 HTTP/1.1\r\nHost: example.org\r\nUser-Agent: test/1.0\r\nAccept: */*\r\nX-Some: value\r\n\r\n",
            1 => "POST /bad HTTP/1.1\r\nHost: example.org:8080\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nCookie: a=b; c=d\r\n\r\nhello",
            _ => "PUT http://example.org/bad HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        };
        var head = good.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 3;
        var text = new StringBuilder(good);
        var starts = Enumerable.Range(1, head - 4).Where(i => good[i] == '\n').Select(i => i + 1).ToArray();
        switch (random.Next(6))
        {
            case 0:
                // A control anywhere in the head ends a line or a string for somebody.
                text.Insert(random.Next(head), "\0\r\u0001\v\f\u007f"[random.Next(6)]);
                break;
            case 1:
                text.Insert(random.Next(head), '\n');
                break;
            case 2:
                // A field that is folded, or has no name.
                text.Insert(starts[random.Next(starts.Length)], " \t:"[random.Next(3)]);
                break;
            case 3:
                var colon = good.IndexOf(':', starts[random.Next(starts.Length)]);
                text.Insert(colon, " \t"[random.Next(2)]);
                break;
            case 4:
                var doubled = new[] { "Content-Length: 5\r\nContent-Length: 5\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 7\r\n", "Host: twice\r\nHost: twice\r\n", "Transfer-Encoding: x\r\n" };
                text.Insert(starts[random.Next(starts.Length)], doubled[random.Next(doubled.Length)]);
                break;
            default:
                // A name that is no token.
                text.Insert(starts[random.Next(starts.Length)], "@(){}[]<>\\\"/?=,;"[random.Next(16)]);
                break;
        }

        return ("mutation", text.ToString());
    }
}
