using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Dns.Forwarding;
using Weft.Proxy.Dns.Wire;
using Weft.Testing;

namespace Weft.Proxy.Tests.Dns;

public sealed class ForwardingTests
{
    private static readonly Question Example = new("example.com", RecordType.A);

    [Fact]
    public void The_machines_servers_are_read_from_its_file_and_its_own_address_is_none() => Assert.Equal(
        ["10.0.0.1:53", "[fd00::1]:53"],
        ResolvConf.Servers("# nameserver 9.9.9.9\nsearch home\nnameserver 10.0.0.1\r\n nameserver\t10.96.0.10 x\nnameserver fd00::1\nnameserver 10.0.0.1\nnameserver\nnameserver house\n", [IPAddress.Parse("10.96.0.10")])
            .Select(server => server.ToString()));

    [Fact]
    public void A_file_with_nothing_but_loopback_servers_is_that_of_a_stub()
    {
        Assert.True(ResolvConf.IsLocalStub(ResolvConf.Servers("nameserver 127.0.0.53\n", [])));
        Assert.False(ResolvConf.IsLocalStub(ResolvConf.Servers("nameserver 127.0.0.53\nnameserver 10.0.0.1\n", [])));
        Assert.False(ResolvConf.IsLocalStub([]));
    }

    [Fact]
    public async Task A_question_gets_the_answer_that_repeats_its_id_and_its_letters()
    {
        using var server = Sample.BindUdp();
        var asking = UpstreamExchange.AskAsync((IPEndPoint)server.LocalEndPoint!, Example, CancellationToken.None);
        var (query, from) = await ReceiveAsync(server);

        var forged = Respond(query, "10.6.6.6");
        forged[0] ^= 1;
        await server.SendToAsync(forged, from);
        forged = Respond(query, "10.6.6.6");
        forged[13] = (byte)'y'; // another name
        await server.SendToAsync(forged, from);
        await server.SendToAsync(Respond(query, "10.1.2.3"), from);

        var answer = await Eventually.EndsAsync(asking);
        Assert.Equal(["example.com 60 10.1.2.3"], Ask.Read(answer!.Message).Answers);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cut_answer_and_one_in_other_letters_are_asked_for_again_over_tcp(bool cut)
    {
        var (server, tcp) = Sample.BindBoth();
        using var ownUdp = server;
        using var ownTcp = tcp;
        var asking = UpstreamExchange.AskAsync((IPEndPoint)server.LocalEndPoint!, Example, CancellationToken.None);
        var (query, from) = await ReceiveAsync(server);
        var first = Respond(query, "10.1.2.3");
        if (cut)
            first[2] |= 0x02;
        else
            first[13] ^= 0x20;
        await server.SendToAsync(first, from);

        using var connection = await Eventually.EndsAsync(tcp.AcceptAsync());
        var framed = new byte[512];
        var length = await Eventually.EndsAsync(connection.ReceiveAsync(framed));
        var second = Respond(framed[2..length], "10.9.9.9");
        await connection.SendAsync(new byte[] { 0, (byte)second.Length });
        await connection.SendAsync(second);
        Assert.Equal(["example.com 60 10.9.9.9"], Ask.Read((await Eventually.EndsAsync(asking))!.Message).Answers);
    }

    [Fact]
    public void An_answer_counts_down_and_is_forgotten_at_its_end()
    {
        var time = new ManualTime();
        var cache = new AnswerCache(time);
        cache.Add(Example, Read(Respond(Ask.Query("example.com", RecordType.A), "10.1.2.3")));
        time.Advance(TimeSpan.FromSeconds(20));
        var found = cache.Find(Example, out var age);
        Assert.NotNull(found);

        var query = Ask.Query("eXample.com", RecordType.A, id: 99);
        var to = new byte[512];
        var reply = Ask.Read(to.AsSpan(0, found.Write(to, query, DnsQuery.Read(query, new char[DnsLimits.MaxName]), 512, age)));
        Assert.Equal(99, reply.Id);
        Assert.Equal(["example.com 40 10.1.2.3"], reply.Answers);
        Assert.Contains("eXample", reply.QuestionOctets, StringComparison.Ordinal);

        time.Advance(TimeSpan.FromSeconds(41));
        Assert.Null(cache.Find(Example, out _));
    }

    [Fact]
    public void The_cache_is_bounded_and_what_was_asked_least_lately_goes()
    {
        var cache = new AnswerCache(new ManualTime(), maxAnswers: 3);
        var answer = Read(Respond(Ask.Query("example.com", RecordType.A), "10.1.2.3"));
        foreach (var name in (string[])["a", "b", "c"])
            cache.Add(new(name, 1), answer);
        Assert.NotNull(cache.Find(new("a", 1), out _));
        cache.Add(new("d", 1), answer);
        Assert.Null(cache.Find(new("b", 1), out _));
        Assert.NotNull(cache.Find(new("a", 1), out _));
        Assert.Equal(3, cache.Count);
    }

    [Fact]
    public void What_is_not_there_is_remembered_for_at_most_half_a_minute()
    {
        var query = Ask.Query("example.com", RecordType.A);
        byte[] soa = [0xC0, 12, 0, 6, 0, 1, 0, 0, 0x0E, 0x10, 0, 22, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0x0E, 0x10];
        byte[] answer = [.. query, .. soa];
        (answer[2], answer[3], answer[9]) = (0x84, Rcode.NxDomain, 1);
        Assert.Equal(TimeSpan.FromSeconds(30), Read(answer).Life);
    }

    private static UpstreamAnswer Read(byte[] message) => UpstreamAnswer.Read(message, 12 + 13 + 4)!;

    /// <summary>One address, for a minute.</summary>
    private static byte[] Respond(byte[] query, string address)
    {
        byte[] answer = [.. query.AsSpan(0, 12 + 13 + 4), 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, .. IPAddress.Parse(address).GetAddressBytes()];
        (answer[2], answer[3], answer[7], answer[11]) = (0x81, 0x80, 1, 0);
        return answer;
    }

    private static async Task<(byte[] Query, EndPoint From)> ReceiveAsync(Socket server)
    {
        var buffer = new byte[512];
        var received = await Eventually.EndsAsync(server.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0)));
        return (buffer[..received.ReceivedBytes], received.RemoteEndPoint);
    }
}
