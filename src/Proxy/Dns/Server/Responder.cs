using System.Net;
using Weft.Proxy.Dns.Forwarding;
using Weft.Proxy.Dns.Names;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Dns.Server;

/// <summary>From the octets of a query to those of its answer, whatever carried it.</summary>
/// <param name="namespaceOf">Of a client in the mesh; null: it is not.</param>
internal sealed class Responder(Func<NameTable> names, Upstreams upstreams, Forwarder forwarder, DnsCounters counters, Func<IPAddress, string?>? namespaceOf = null)
{
    /// <summary>The answer needs others: <see cref="RespondLaterAsync"/> gives it.</summary>
    public const int Later = -1;

    /// <summary>Nothing is to be sent.</summary>
    public const int Silence = 0;

    // An alias of an alias of ...: services may name each other in a circle.
    private const int MaxAliases = 8;

    /// <summary>Answers what can be answered at once: the cluster's names, and what is in the cache. Allocates nothing for the first.</summary>
    /// <param name="client">Octets of its address; none: nobody of the mesh.</param>
    /// <returns>Octets written; or <see cref="Silence"/> or <see cref="Later"/>.</returns>
    public int Respond(ReadOnlySpan<byte> message, Span<byte> to, bool isTcp, uint turn, ReadOnlySpan<byte> client = default)
    {
        Span<char> text = stackalloc char[DnsLimits.MaxName];
        var query = DnsQuery.Read(message, text);
        if (query.Fault != QueryFault.None)
            return Fault(message, query, to);

        var limit = isTcp ? DnsLimits.MaxMessage : query.UdpLimit;
        var table = names();
        var writer = new AnswerWriter(to, message, query, limit);
        var outcome = ClusterZone.Answer(table, query.Name, query.Type, turn, ref writer, out _);
        // Before the first configuration nothing is known to be absent.
        if (outcome != ZoneOutcome.NotOurs && table.Serial == 0)
            return Refuse(ref writer, Rcode.ServFail);
        switch (outcome)
        {
            case ZoneOutcome.Answered:
                writer.SetAuthoritative();
                counters.CountZone();
                return writer.Finish(Rcode.NoError);
            case ZoneOutcome.NoData:
                return Negative(table, query, ref writer, Rcode.NoError);
            case ZoneOutcome.NoSuchName:
                return Negative(table, query, ref writer, Rcode.NxDomain);
            case ZoneOutcome.Alias:
                return Later;
            default:
                break;
        }

        // The addresses alone are the mesh's to say; mail and texts of the name are where they always were. HTTPS records would lead past the addresses.
        if (query.Type is RecordType.A or RecordType.AAAA or RecordType.SVCB or RecordType.HTTPS && table.Hosts.Find(query.Name) is { } host && IsFor(host, client))
        {
            counters.CountZone();
            writer.SetAuthoritative();
            if (ClusterZone.Answer(host, query.Type, turn, ref writer) == ZoneOutcome.NoData)
                ClusterZone.WriteOwnAuthority(table, query.Name, ref writer);
            return writer.Finish(Rcode.NoError);
        }

        if (upstreams.IsProbe(query.Name))
            return Refuse(ref writer, Rcode.Refused);
        if (query.Type == RecordType.Any)
        {
            writer.Record(RecordType.HINFO, ClusterZone.Ttl, "\u0007RFC8482\0"u8);
            return writer.Finish(Rcode.NoError);
        }

        if (forwarder.Cached(new Question(query.Name.ToString(), query.Type), out var age) is not { } answer)
            return Later;
        counters.CountCache();
        return answer.Write(to, message, query, limit, age);
    }

    // Who is not captured would connect to an address that nobody has.
    private bool IsFor(MeshNames host, ReadOnlySpan<byte> client) => client.Length > 0 && namespaceOf?.Invoke(new IPAddress(client)) is { } @namespace && host.IsFor(@namespace);

    /// <summary>The answer to a query for which <see cref="Respond"/> said <see cref="Later"/>.</summary>
    public async Task<int> RespondLaterAsync(ReadOnlyMemory<byte> message, Memory<byte> to, bool isTcp)
    {
        var (question, alias) = Look(message.Span, to.Span, isTcp);
        counters.CountForwarded();
        if (alias is null)
        {
            var answer = await forwarder.ResolveAsync(question);
            return Finish(message.Span, to.Span, isTcp, answer);
        }

        var (records, rcode) = await ChaseAsync(alias, question.Type);
        return FinishAlias(message.Span, to.Span, isTcp, records, rcode);
    }

    private (Question Question, string? Alias) Look(ReadOnlySpan<byte> message, Span<byte> to, bool isTcp)
    {
        Span<char> text = stackalloc char[DnsLimits.MaxName];
        var query = DnsQuery.Read(message, text);
        var writer = new AnswerWriter(to, message, query, isTcp ? DnsLimits.MaxMessage : query.UdpLimit);
        ClusterZone.Answer(names(), query.Name, query.Type, 0, ref writer, out var alias);
        return (new Question(query.Name.ToString(), query.Type), alias);
    }

    // A stub resolver does not follow an alias by itself: the addresses must be in the same answer.
    private async Task<(List<ChasedRecord> Records, int Rcode)> ChaseAsync(string alias, ushort type)
    {
        var records = new List<ChasedRecord>();
        var next = alias;
        for (var i = 0; i < MaxAliases; i++)
        {
            var (own, further, rcode) = FromZone(next, type);
            if (own is not null)
            {
                records.AddRange(own);
                if (further is null)
                    return (records, rcode);
                next = further;
                continue;
            }

            var question = new Question(next, type);
            var answer = forwarder.Cached(question, out var age) ?? await forwarder.ResolveAsync(question);
            if (answer is null)
                return (records, Rcode.ServFail);
            records.AddRange(answer.Chase(age));
            return (records, answer.Rcode);
        }

        return ([], Rcode.ServFail);
    }

    private (List<ChasedRecord>? Records, string? Further, int Rcode) FromZone(string name, ushort type)
    {
        var query = new byte[DnsLimits.Header + DnsLimits.MaxName + 4];
        query[5] = 1;
        var length = DnsLimits.Header + DnsName.Write(name, query.AsSpan(DnsLimits.Header));
        query[length + 1] = (byte)type;
        query[length] = (byte)(type >> 8);
        query[length + 3] = (byte)DnsLimits.ClassIn;
        var message = query.AsSpan(0, length + 4);

        Span<char> text = stackalloc char[DnsLimits.MaxName];
        var parsed = DnsQuery.Read(message, text);
        if (parsed.Fault != QueryFault.None)
            return ([], null, Rcode.ServFail);
        var to = new byte[DnsLimits.MaxMessage];
        var writer = new AnswerWriter(to, message, parsed, to.Length);
        var outcome = ClusterZone.Answer(names(), parsed.Name, type, 0, ref writer, out var further);
        if (outcome == ZoneOutcome.NotOurs)
            return (null, null, 0);
        var rcode = outcome == ZoneOutcome.NoSuchName ? Rcode.NxDomain : Rcode.NoError;
        var end = writer.Finish(rcode);
        var answer = UpstreamAnswer.Read(to.AsSpan(0, end), parsed.QuestionEnd);
        return ([.. answer?.Chase(TimeSpan.Zero) ?? []], further, rcode);
    }

    private int Finish(ReadOnlySpan<byte> message, Span<byte> to, bool isTcp, UpstreamAnswer? answer)
    {
        Span<char> text = stackalloc char[DnsLimits.MaxName];
        var query = DnsQuery.Read(message, text);
        var limit = isTcp ? DnsLimits.MaxMessage : query.UdpLimit;
        if (answer is not null)
            return answer.Write(to, message, query, limit, TimeSpan.Zero);
        counters.CountFailed();
        var writer = new AnswerWriter(to, message, query, limit);
        return writer.Finish(Rcode.ServFail);
    }

    private int FinishAlias(ReadOnlySpan<byte> message, Span<byte> to, bool isTcp, List<ChasedRecord> records, int rcode)
    {
        Span<char> text = stackalloc char[DnsLimits.MaxName];
        var query = DnsQuery.Read(message, text);
        var writer = new AnswerWriter(to, message, query, isTcp ? DnsLimits.MaxMessage : query.UdpLimit);
        // The service may have changed while others were asked: what it is now counts.
        if (ClusterZone.Answer(names(), query.Name, query.Type, 0, ref writer, out _) == ZoneOutcome.Alias)
        {
            foreach (var record in records)
                writer.RecordOf(record.Owner, record.Type, Math.Min(record.Ttl, ClusterZone.Ttl), record.Data);
        }

        writer.SetAuthoritative();
        return writer.Finish(rcode);
    }

    private int Negative(NameTable table, in DnsQuery query, ref AnswerWriter writer, int rcode)
    {
        counters.CountZone();
        writer.SetAuthoritative();
        ClusterZone.WriteAuthority(table, query.Name, ref writer);
        return writer.Finish(rcode);
    }

    private int Fault(ReadOnlySpan<byte> message, in DnsQuery query, Span<byte> to)
    {
        if (query.Fault == QueryFault.Silent)
        {
            counters.CountDropped();
            return Silence;
        }

        var writer = new AnswerWriter(to, message, query, DnsLimits.PlainUdp);
        return Refuse(ref writer, query.Fault switch
        {
            QueryFault.NotImplemented => Rcode.NotImp,
            QueryFault.BadVersion => Rcode.BadVersion,
            QueryFault.Refused => Rcode.Refused,
            _ => Rcode.FormErr,
        });
    }

    private int Refuse(ref AnswerWriter writer, int rcode)
    {
        counters.CountRefused();
        return writer.Finish(rcode);
    }
}
