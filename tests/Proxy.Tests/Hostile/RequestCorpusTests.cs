using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Http1;
using Weft.Proxy.Tests.Http2;
using Weft.Proxy.Tests.Http2.Support;
using Weft.Proxy.Tests.Support;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>Everything malformed that the codecs' own tests know, through the whole engine: routes, filters and pools must add no way past them.</summary>
public sealed class RequestCorpusTests
{
    [Fact]
    public async Task Nothing_malformed_passes_the_engine_and_the_connection_to_the_endpoint_stays_whole()
    {
        using var upstream = new RecordingUpstream();
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address), listener => listener with { Http = listener.Http with { Http2 = false } });
        using var good = bed.Connect();
        EngineBed.Ask(good, "GET /good HTTP/1.1\r\nHost: h\r\n\r\n");
        var cases = 0;
        foreach (var (kind, text) in Malformed.All())
        {
            var before = upstream.Requests.Count;
            var bytes = upstream.Bytes;
            using (var bad = bed.Connect())
            {
                var answer = EngineBed.Talk(bad, text);
                Assert.True(
                    answer.Length == 0 || answer.StartsWith("HTTP/1.1 4", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 501", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 505", StringComparison.Ordinal),
                    $"{kind}: {Shown(text)} was answered {Shown(answer)}");
                Assert.DoesNotContain("HTTP/1.1", answer[Math.Min(answer.Length, 9)..]);
            }

            var marker = $"/after-{cases++}";
            var after = EngineBed.Ask(good, $"GET {marker} HTTP/1.1\r\nHost: h\r\n\r\n");
            Assert.EndsWith($"GET {marker} HTTP/1.1", after);
            var requests = upstream.Requests;
            Assert.True(requests.Count == before + 1, $"{kind}: {Shown(text)} reached the endpoint");
            Assert.StartsWith($"GET {marker} ", requests[^1]);
            Assert.True(upstream.Bytes - bytes == requests[^1].Length, $"{kind}: bytes of {Shown(text)} reached the endpoint");
        }

        Assert.True(cases >= 1000, $"{cases} cases");
        good.Dispose();
        await bed.NothingLeftAsync();
    }

    /// <summary>
    /// What a client of HTTP/2 breaks must not come out as whole requests of HTTP/1.1 on the other side, or of HTTP/2. A request that was whole
    /// before the rule was broken may come out, and no other: those rules are the last ones, so that such a request that comes late counts for none of the others.
    /// </summary>
    [Theory]
    [InlineData(UpstreamProtocol.Http1)]
    [InlineData(UpstreamProtocol.Http2)]
    public async Task No_broken_rule_of_HTTP2_makes_a_request(UpstreamProtocol protocol)
    {
        var arrived = 0;
        using var recorder = new RecordingUpstream();
        await using var server = await Forwarding.ProxyFixture.ServerAsync(
            async context =>
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                Interlocked.Increment(ref arrived);
            },
            Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http2);
        var endpoint = protocol == UpstreamProtocol.Http1 ? recorder.Address : new IPEndPoint(IPAddress.Loopback, new Uri(server.Urls.Single()).Port);
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(endpoint, protocol));
        using var good = bed.Client(HttpVersion.Version20);
        var expected = 0;
        var allowed = 0;
        foreach (var (rule, answer, frames) in ServerRulesTests.Rules.OrderBy(rule => BeginsWhole(rule.Frames)))
        {
            allowed += BeginsWhole(frames) ? 1 : 0;
            using var bad = bed.Connect();
            // Its own GOAWAY or RST_STREAM is awaited, then the client goes: a request that was open is no whole one.
            bad.Send((byte[])[.. Frame.ClientPreface, .. frames]);
            await AnsweredAsync(bad, answer, rule);
            bad.Dispose();
            using var response = await good.GetAsync($"/after-{expected++}", TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            if (protocol == UpstreamProtocol.Http1)
                Assert.Equal($"GET /after-{expected - 1} HTTP/1.1", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            var whole = protocol == UpstreamProtocol.Http1 ? recorder.Requests.Count(request => !request.StartsWith("GET /after-", StringComparison.Ordinal)) : Volatile.Read(ref arrived) - expected;
            Assert.True(whole <= allowed, $"{rule}: a request came to the endpoint");
        }

        Assert.True(expected > 80, $"{expected} rules");
        Assert.InRange(allowed, 1, 10);
        good.Dispose();
        await bed.NothingLeftAsync();
    }

    /// <summary>HEADERS with END_STREAM and END_HEADERS (RFC 9113 6.2), and more behind it: what is wrong is not the request itself.</summary>
    private static bool BeginsWhole(byte[] frames) =>
        frames[3] == 1 && (frames[4] & 5) == 5 && frames.Length > 9 + ((frames[0] << 16) | (frames[1] << 8) | frames[2]);

    private static async Task AnsweredAsync(Socket socket, string answer, string rule)
    {
        var seen = new List<byte>();
        var buffer = new byte[65536];
        var wanted = answer.Split(' ')[0] == "RST" ? 3 : 7;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            int got;
            try
            {
                got = await socket.ReceiveAsync(buffer, patience.Token);
            }
            catch (SocketException)
            {
                return;
            }

            if (got == 0)
                return;
            seen.AddRange(buffer[..got]);
            if (Types(seen).Contains(wanted))
                return;
            Assert.True(seen.Count < 1 << 20, rule);
        }
    }

    internal static IEnumerable<int> Types(List<byte> bytes)
    {
        for (var at = 0; at + 9 <= bytes.Count; at += 9 + ((bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2]))
            yield return bytes[at + 3];
    }

    private static string Shown(string text) => Encoding.Latin1.GetByteCount(text) > 300 ? text[..300].ReplaceLineEndings("|") : text.Replace("\r", "\\r").Replace("\n", "\\n").Replace("\0", "\\0");
}
