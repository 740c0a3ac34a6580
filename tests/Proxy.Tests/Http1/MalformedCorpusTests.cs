using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Tests.Support;

namespace Weft.Proxy.Tests.Http1;

public sealed class MalformedCorpusTests
{
    [Fact]
    public void Nothing_malformed_is_forwarded_and_the_upstream_connection_stays_whole()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address, settings => settings with { AllowHttp2 = false });
        using var good = bed.Connect();
        EngineBed.Ask(good, "GET /good HTTP/1.1\r\nHost: h\r\n\r\n");
        var cases = 0;
        foreach (var (kind, text) in Malformed.All())
        {
            var before = upstream.Requests.Count;
            var bytes = upstream.Bytes;
            var answer = bed.Talk(text);
            Assert.True(answer.Length == 0 || (answer.StartsWith("HTTP/1.1 4", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 50", StringComparison.Ordinal)),
                $"{kind}: {Shown(text)} was answered {Shown(answer)}");
            Assert.DoesNotContain("HTTP/1.1", answer[Math.Min(answer.Length, 9)..]);
            // The same connection to the endpoint as ever, and one whole request on it.
            var marker = $"/after-{cases++}";
            var after = EngineBed.Ask(good, $"GET {marker} HTTP/1.1\r\nHost: h\r\n\r\n");
            Assert.EndsWith($"GET {marker} HTTP/1.1", after);
            var requests = upstream.Requests;
            Assert.True(requests.Count == before + 1, $"{kind}: {Shown(text)} reached the endpoint");
            Assert.StartsWith($"GET {marker} ", requests[^1]);
            Assert.True(upstream.Bytes - bytes == requests[^1].Length, $"{kind}: bytes of {Shown(text)} reached the endpoint");
        }

        Assert.True(cases >= 1000, $"{cases} cases");
    }

    [Fact]
    public void A_request_that_turns_out_malformed_in_its_body_does_not_come_to_an_end_at_the_endpoint()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address);
        using var socket = bed.Connect();
        socket.Send("POST /streamed HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"u8);
        SpinWait.SpinUntil(() => upstream.Bytes > 0, 10_000);
        Assert.StartsWith("HTTP/1.1 400 ", EngineBed.Talk(socket, "5\r\nworldGET /smuggled HTTP/1.1\r\n\r\n0\r\n\r\n"));
        using var good = bed.Connect();
        EngineBed.Ask(good, "GET /good HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.StartsWith("GET /good ", Assert.Single(upstream.Requests));
        Assert.Equal(2, upstream.Connections); // the first was not used again
    }

    private static string Shown(string text) => Encoding.Latin1.GetByteCount(text) > 300 ? text[..300].ReplaceLineEndings("|") : text.Replace("\r", "\\r").Replace("\n", "\\n").Replace("\0", "\\0");
}
