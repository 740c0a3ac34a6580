using System.Text;
using System.Text.Json;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Telemetry.Access;

namespace Weft.Proxy.Tests.Telemetry;

public sealed class AccessTests
{
    private readonly InternTable<string> _names = new("", 100);

    [Fact]
    public void A_record_becomes_a_line_that_tells_every_decision()
    {
        var ring = new AccessRing(64 << 10);
        ring.Write(Record(), new AccessTexts { Method = "GET"u8, Authority = "shop"u8, Path = "/cart?x=\"\n"u8, UserAgent = "curl/8"u8 });
        using var to = new MemoryStream();
        new AccessLog([ring], new AccessJson(_names), to).Write();

        var line = Encoding.UTF8.GetString(to.ToArray());
        Assert.EndsWith("}\n", line, StringComparison.Ordinal);
        Assert.Equal(1, line.Count(c => c == '\n'));
        var json = JsonDocument.Parse(line).RootElement;
        Assert.Equal("1970-01-01T00:00:01.500000Z", json.GetProperty("start_time").GetString());
        Assert.Equal("/cart?x=\"\n", json.GetProperty("path").GetString());
        Assert.Equal(503, json.GetProperty("response_code").GetInt32());
        Assert.Equal("UF,URX", json.GetProperty("response_flags").GetString());
        Assert.Equal("192.0.2.7:4711", json.GetProperty("downstream_remote_address").GetString());
        Assert.Equal("10.0.0.9:80", json.GetProperty("upstream_host").GetString());
        Assert.Equal("carts", json.GetProperty("decision").GetProperty("route").GetString());
        Assert.Equal("deny-all", json.GetProperty("decision").GetProperty("dry_run_policy").GetString());
        var tries = json.GetProperty("decision").GetProperty("tries");
        Assert.Equal(["10.0.0.8:80", "10.0.0.9:80"], tries.EnumerateArray().Select(one => one.GetProperty("endpoint").GetString()));
        Assert.Equal("connect failed", tries[0].GetProperty("outcome").GetString());
    }

    [Fact]
    public void A_line_allocates_nothing_once_its_names_are_known()
    {
        var json = new AccessJson(_names);
        var to = new System.Buffers.ArrayBufferWriter<byte>(1 << 20);
        var record = Record();
        Lines(); // names, and what the runtime makes at the first use of anything
        Assert.Equal(0, Lines());

        long Lines()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 200; i++)
                json.Write(record, new AccessTexts { Path = "/x"u8, UserAgent = "curl/8"u8 }, to);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void Of_many_tries_the_last_stay()
    {
        var record = new AccessRecord();
        for (var i = 1; i <= 6; i++)
            record.AddTry(new Try(i, 0, 0, TryOutcome.Reset));

        Assert.Equal(4, record.TryCount);
        Assert.Equal([3, 4, 5, 6], Enumerable.Range(0, 4).Select(i => record.Tries[i].Endpoint));
    }

    [Fact]
    public void A_ring_gives_back_what_it_took_at_every_place_of_the_wrap()
    {
        var ring = new AccessRing(4096);
        var buffer = Array.Empty<byte>();
        for (var i = 0; i < 2000; i++)
        {
            var path = Encoding.ASCII.GetBytes("/" + new string('p', i % 700));
            ring.Write(new AccessRecord { StartMicroseconds = i }, new AccessTexts { Path = path, RequestId = "id"u8 });
            Assert.True(ring.TryRead(ref buffer, out var record, out var texts));
            Assert.Equal(i, record.StartMicroseconds);
            Assert.True(texts.Path.SequenceEqual(path));
            Assert.True(texts.RequestId.SequenceEqual("id"u8));
            Assert.True(texts.Method.IsEmpty);
        }

        Assert.False(ring.TryRead(ref buffer, out _, out _));
        Assert.Equal(0, ring.Dropped);
    }

    [Fact]
    public void A_full_ring_drops_and_counts_and_long_texts_are_cut()
    {
        var ring = new AccessRing(4096);
        for (var i = 0; i < 100; i++)
            ring.Write(new AccessRecord { StartMicroseconds = i }, new AccessTexts { Path = new byte[100_000] });

        var buffer = Array.Empty<byte>();
        var read = 0;
        while (ring.TryRead(ref buffer, out var record, out var texts))
        {
            Assert.Equal(read++, record.StartMicroseconds);
            Assert.Equal(AccessRing.MaxText, texts.Path.Length);
        }

        Assert.Equal(100, read + ring.Dropped);
        Assert.InRange(read, 1, 10);
    }

    [Fact]
    public async Task One_thread_writes_while_another_reads()
    {
        var ring = new AccessRing(16 << 10);
        const int Count = 200_000;
        var writer = Task.Run(() =>
        {
            for (var i = 1; i <= Count; i++)
                ring.Write(new AccessRecord { StartMicroseconds = i, DurationMicroseconds = -i }, new AccessTexts { Path = "/a/path"u8 });
        }, TestContext.Current.CancellationToken);
        var buffer = Array.Empty<byte>();
        long last = 0, read = 0;
        while (!writer.IsCompleted || last != -1)
        {
            var done = writer.IsCompleted;
            while (ring.TryRead(ref buffer, out var record, out var texts))
            {
                Assert.True(record.StartMicroseconds > last && record.DurationMicroseconds == -record.StartMicroseconds);
                Assert.True(texts.Path.SequenceEqual("/a/path"u8));
                last = record.StartMicroseconds;
                read++;
            }

            if (done)
                break;
        }

        await writer;
        Assert.Equal(Count, read + ring.Dropped);
    }

    [Fact]
    public void Writing_allocates_nothing()
    {
        var ring = new AccessRing(4096);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            ring.Write(Record(), new AccessTexts { Path = "/"u8 });

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4096);
    }

    private AccessRecord Record()
    {
        var record = new AccessRecord
        {
            StartMicroseconds = 1_500_000,
            DurationMicroseconds = 2500,
            UpstreamMicroseconds = -1,
            ClientAddress = ((UInt128)0xFFFF << 32) | 0xC0000207,
            ClientPort = 4711,
            Flags = ResponseFlags.UpstreamConnectionFailure | ResponseFlags.RetryLimit,
            Status = 503,
            GrpcStatus = -1,
            HttpVersion = 11,
            Logged = true,
            Route = _names.Intern("carts"),
            DryRunPolicy = _names.Intern("deny-all"),
        };
        record.AddTry(new Try(_names.Intern("10.0.0.8:80"), 100, 0, TryOutcome.ConnectFailed));
        record.AddTry(new Try(_names.Intern("10.0.0.9:80"), 200, 0, TryOutcome.ConnectFailed));
        return record;
    }
}
