using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Tests.Tls;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>Many hostile clients beside good ones: the proxy keeps no more than its limits say, and the good ones get all their answers. How fast they get them is `bench/Load/floods`' question.</summary>
[Collection(nameof(AloneInTheProcess))]
public sealed class FloodTests
{
    // Good clients themselves, and what a loop needs in any case.
    private const long Basis = 8 << 20;

    public static TheoryData<string> Attacks => [.. Attack.All.Select(attack => attack.Name)];

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task A_flood_is_bounded_and_harms_no_other_client(string name)
    {
        var attack = Attack.All.Single(one => one.Name == name);
        var large = new string('l', 1 << 20);
        using var upstream = new ScriptedUpstream(line => Answer.Ok(line.Contains("/large", StringComparison.Ordinal) ? large : line));
        await using var bed = await HostileBed.StartAsync(
            HostileBed.Cluster(upstream.Address), listener => listener with { Http = listener.Http with { HeaderTimeout = attack.HeaderTimeout } }, loops: 2);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var stop = new CancellationTokenSource();
        var cuts = 0;
        var attackers = Enumerable.Range(0, attack.Connections).Select(_ => Task.Run(AttackAsync)).ToArray();
        var peak = 0L;

        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() => GoodAsync(i % 2 == 0 ? HttpVersion.Version11 : HttpVersion.Version20))));

        await stop.CancelAsync();
        await Task.WhenAll(attackers);
        Assert.InRange(peak, 0, Basis + ((long)attack.Connections * attack.BytesEach));
        Assert.Equal(attack.IsCut, Volatile.Read(ref cuts) > 0);
        await bed.NothingLeftAsync();
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 64 << 20); // 2 x 8 MB of idle buffers, tables that grew, records that wait to be written

        // Until there were enough requests, and the attack has had the time to be cut where it is.
        async Task GoodAsync(Version version)
        {
            using var client = bed.Client(version);
            for (var i = 0; i < 100 || (i < 20_000 && attack.IsCut && Volatile.Read(ref cuts) == 0); i++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, $"/good-{i}") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new StringContent(new string('g', 1000)) };
                using var response = await client.SendAsync(request);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                Assert.Equal($"POST /good-{i} HTTP/1.1", await response.Content.ReadAsStringAsync());
                var kept = bed.Engine.BufferedBytes;
                for (var seen = Volatile.Read(ref peak); kept > seen; seen = Volatile.Read(ref peak))
                    Interlocked.CompareExchange(ref peak, kept, seen);
            }
        }

        async Task AttackAsync()
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(bed.Address, stop.Token);
                    if (!attack.IsCut)
                    {
                        await attack.Run(socket, stop.Token);
                        continue;
                    }

                    using var cut = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
                    var reading = Attack.CutAsync(socket, stop.Token);
                    var running = attack.Run(socket, cut.Token);
                    await Task.WhenAny(reading, running);
                    if (reading.IsCompleted || running.IsFaulted)
                        Interlocked.Increment(ref cuts);
                    await cut.CancelAsync();
                    await Task.WhenAll(reading, running);
                }
                catch (SocketException) when (attack.IsCut || stop.IsCancellationRequested)
                {
                }
                catch (OperationCanceledException)
                {
                }
            }
        }
    }

    /// <summary>An endpoint may flood, too: its informational heads are passed on up to a number, whoever does not read them.</summary>
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Informational_heads_without_end_are_a_failure_of_the_endpoint(string version)
    {
        var many = string.Concat(Enumerable.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 1000));
        using var upstream = new ScriptedUpstream(line => line.Contains("/flood", StringComparison.Ordinal) ? Answer.Of(many) : Answer.Of("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"));
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(upstream.Address));
        using var client = bed.Client(new Version(version));
        using var flooded = await client.GetAsync("/flood");
        Assert.Equal(HttpStatusCode.BadGateway, flooded.StatusCode);
        Assert.Equal("good", await client.GetStringAsync("/good"));
    }
}
