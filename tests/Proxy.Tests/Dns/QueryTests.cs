using Weft.Proxy.Dns.Server;
using Weft.Proxy.Dns.Wire;
using Weft.Testing;

namespace Weft.Proxy.Tests.Dns;

public sealed class QueryTests
{
    private static readonly byte[] Good = Ask.Query("web.shop.svc.cluster.local", RecordType.A);

    [Fact]
    public void Letters_come_back_as_they_were_sent()
    {
        var query = Ask.Query("wEb.ShOp.sVc.CLUSTER.local", RecordType.A, id: 4711);
        var to = new byte[1232];
        var reply = Ask.Read(to.AsSpan(0, Sample.Responder(Sample.Table()).Respond(query, to, false, 0)));
        Assert.Equal(4711, reply.Id);
        Assert.Contains("wEb\u0004ShOp\u0003sVc\u0007CLUSTER", reply.QuestionOctets, StringComparison.Ordinal);
        Assert.Single(reply.Answers);
    }

    [Theory]
    [InlineData(2, 0x80, Responder.Silence)] // an answer
    [InlineData(2, 0x28, Rcode.NotImp)]      // an update
    [InlineData(5, 0, Rcode.FormErr)]        // no question
    [InlineData(5, 2, Rcode.FormErr)]        // two
    [InlineData(7, 1, Rcode.FormErr)]        // with an answer
    [InlineData(11, 9, Rcode.FormErr)]       // nine additional records
    [InlineData(11, 1, Rcode.FormErr)]       // one that is not there
    [InlineData(12, 0xC0, Rcode.FormErr)]    // a pointer in the question
    [InlineData(12, 64, Rcode.FormErr)]      // a label of 64
    [InlineData(12, 60, Rcode.FormErr)]      // one that goes past the end
    public void What_is_no_query_is_refused(int offset, int value, int rcode)
    {
        var query = Good.ToArray();
        query[offset] = (byte)value;
        Assert.Equal(rcode, RcodeOf(query));
    }

    [Theory]
    [InlineData(RecordType.AXFR, 1, Rcode.Refused)]
    [InlineData(RecordType.IXFR, 1, Rcode.Refused)]
    [InlineData(RecordType.A, 3, Rcode.Refused)]
    [InlineData(RecordType.A, 255, Rcode.Refused)]
    public void Transfers_and_other_classes_are_refused(int type, int @class, int rcode)
    {
        var query = Ask.Query("cluster.local", (ushort)type);
        query[^1] = (byte)@class;
        Assert.Equal(rcode, RcodeOf(query));
    }

    [Fact]
    public void Bytes_after_the_end_are_refused() => Assert.Equal(Rcode.FormErr, RcodeOf([.. Good, 0]));

    [Fact]
    public void Every_cut_of_a_query_is_refused()
    {
        for (var length = 0; length < Good.Length; length++)
            Assert.Equal(length < 12 ? Responder.Silence : Rcode.FormErr, RcodeOf(Good[..length]));
    }

    [Fact]
    public void An_unknown_version_of_edns_is_told_so()
    {
        var query = Ask.Query("cluster.local", RecordType.SOA, edns: 4096);
        query[^5] = 1;
        var to = new byte[1232];
        var length = Sample.Responder(Sample.Table()).Respond(query, to, false, 0);
        Assert.Equal(0, to[3] & 0x0F);
        Assert.Equal(1, to[length - 6]); // 16 = 1 << 4
    }

    [Fact]
    public void Two_edns_records_are_refused()
    {
        var query = Ask.Query("cluster.local", RecordType.SOA, edns: 4096);
        query[11] = 2;
        Assert.Equal(Rcode.FormErr, RcodeOf([.. query, .. query[^11..]]));
    }

    [Fact]
    public void An_unknown_option_is_ignored()
    {
        var query = Ask.Query("kubernetes.default.svc.cluster.local", RecordType.A, edns: 1232);
        query[^1] = 12;
        Assert.Equal(Rcode.NoError, RcodeOf([.. query, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8])); // a cookie
    }

    [Fact]
    public void A_chain_of_pointers_ends()
    {
        // Each points to itself, to the next or to the one before.
        byte[] message = [.. new byte[12], 0xC0, 12, 0xC0, 16, 0xC0, 14, 1, (byte)'a', 0xC0, 18];
        Span<char> text = stackalloc char[DnsLimits.MaxName];
        Assert.False(DnsName.TryRead(message, 12, text, out _, out _));
        Assert.False(DnsName.TryRead(message, 14, text, out _, out _));
        Assert.False(DnsName.TryRead(message, 16, text, out _, out _));
        Assert.False(DnsName.TryRead(message, 18, text, out _, out _));
    }

    [Fact]
    public void Names_that_only_look_alike_are_two()
    {
        Span<char> one = stackalloc char[DnsLimits.MaxName], other = stackalloc char[DnsLimits.MaxName];
        Assert.True(DnsName.TryReadPlain([3, (byte)'a', (byte)'.', (byte)'b', 0], 0, one, out var length, out _));
        Assert.True(DnsName.TryReadPlain([1, (byte)'a', 1, (byte)'b', 0], 0, other, out var otherLength, out _));
        Assert.False(one[..length].SequenceEqual(other[..otherLength]));
        Span<byte> back = stackalloc byte[16];
        Assert.Equal(5, DnsName.Write(one[..length], back));
        Assert.Equal((byte)'.', back[2]);
    }

    [Theory]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public void A_name_has_at_most_255_octets(int octets, bool good)
    {
        var name = new List<byte>();
        while (name.Count + 1 < octets)
        {
            var label = Math.Min(63, octets - name.Count - 2);
            name.Add((byte)label);
            name.AddRange(Enumerable.Repeat((byte)'x', label));
        }

        name.Add(0);
        Span<char> text = stackalloc char[DnsLimits.MaxName];
        Assert.Equal(good, DnsName.TryReadPlain(name.ToArray(), 0, text, out _, out _));
    }

    [Fact]
    public void Mutated_queries_get_an_answer_or_silence_and_nothing_else()
    {
        var random = Seeded.Random(20);
        var responder = Sample.Responder(Sample.Table());
        var to = new byte[DnsLimits.EdnsUdp];
        byte[][] seeds =
        [
            Good, Ask.Query("_sql._tcp.db.shop.svc.cluster.local", RecordType.SRV, edns: 4096), Ask.Query("7.0.244.10.in-addr.arpa", RecordType.PTR),
            Ask.Query(string.Join('.', Enumerable.Repeat("f", 32)) + ".ip6.arpa", RecordType.PTR), Ask.Query("same.shop.svc.cluster.local", RecordType.A),
        ];
        for (var i = 0; i < 200_000; i++)
        {
            var query = seeds[random.Next(seeds.Length)].ToList();
            for (var mutations = random.Next(1, 6); mutations > 0; mutations--)
            {
                switch (random.Next(3))
                {
                    case 0:
                        query[random.Next(query.Count)] = (byte)random.Next(256);
                        break;
                    case 1:
                        query.Insert(random.Next(query.Count + 1), (byte)random.Next(256));
                        break;
                    case 2 when query.Count > 1:
                        query.RemoveAt(random.Next(query.Count));
                        break;
                }
            }

            var length = responder.Respond(query.ToArray(), to, random.Next(2) == 0, (uint)i);
            if (length > 0)
                Ask.Read(to.AsSpan(0, length));
        }
    }

    [Fact]
    public void Mutated_answers_of_servers_are_read_or_refused()
    {
        var random = Seeded.Random(21);
        var buffer = new byte[1232];
        var query = Ask.Query("db.shop.svc.cluster.local", RecordType.A);
        var good = buffer[..Sample.Responder(Sample.Table()).Respond(query, buffer, false, 0)];
        for (var i = 0; i < 100_000; i++)
        {
            var answer = good.ToArray();
            for (var mutations = random.Next(1, 5); mutations > 0; mutations--)
                answer[random.Next(answer.Length)] = (byte)random.Next(256);
            var read = Weft.Proxy.Dns.Forwarding.UpstreamAnswer.Read(answer.AsSpan(0, random.Next(12, answer.Length + 1)), query.Length);
            foreach (var record in read?.Chase(TimeSpan.Zero) ?? [])
                Assert.True(record.Owner.Length <= DnsLimits.MaxName);
        }
    }

    private static int RcodeOf(byte[] query)
    {
        var to = new byte[DnsLimits.EdnsUdp];
        var length = Sample.Responder(Sample.Table()).Respond(query, to, false, 0);
        return length == Responder.Silence ? Responder.Silence : Ask.Read(to.AsSpan(0, length)).Rcode;
    }
}
