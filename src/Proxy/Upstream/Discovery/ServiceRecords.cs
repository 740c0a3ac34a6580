using System.Buffers.Binary;
using System.Net;
using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Dns.Forwarding;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Upstream.Discovery;

/// <param name="Ttl">Seconds.</param>
internal readonly record struct ServiceRecord(ushort Priority, ushort Weight, ushort Port, string Target, uint Ttl);

/// <summary>What answers to SRV and address questions say, and the endpoints that they mean. Pure.</summary>
internal static class ServiceRecords
{
    /// <summary>Those of the answer section. A target that is the root says that there is no such service (RFC 2782) and is left out.</summary>
    public static IReadOnlyList<ServiceRecord> Services(UpstreamAnswer answer)
    {
        var services = new List<ServiceRecord>();
        Span<char> text = stackalloc char[DnsLimits.MaxName];
        foreach (var record in Records(answer))
        {
            if (record.Type != RecordType.SRV || record.DataLength < 7 || !DnsName.TryRead(answer.Message, record.DataOffset + 6, text, out var length, out _) || length == 0)
                continue;
            var data = answer.Message.AsSpan(record.DataOffset);
            services.Add(new ServiceRecord(
                BinaryPrimitives.ReadUInt16BigEndian(data), BinaryPrimitives.ReadUInt16BigEndian(data[2..]), BinaryPrimitives.ReadUInt16BigEndian(data[4..]), text[..length].ToString(), record.Ttl));
        }

        return services;
    }

    /// <summary>Those of the answer section, at whatever end of a chain of aliases.</summary>
    /// <param name="ttl">The least of all records, in seconds: an alias that ends ends its address. As given where there is none.</param>
    public static IReadOnlyList<IPAddress> Addresses(UpstreamAnswer answer, ref uint ttl)
    {
        var addresses = new List<IPAddress>();
        foreach (var record in Records(answer))
        {
            ttl = Math.Min(ttl, record.Ttl);
            if ((record.Type, record.DataLength) is (RecordType.A, 4) or (RecordType.AAAA, 16))
                addresses.Add(new IPAddress(answer.Message.AsSpan(record.DataOffset, record.DataLength)));
        }

        return addresses;
    }

    /// <summary>
    /// SRV's priorities are levels, the lowest first. The weight of a target is shared by its addresses; 0, which is to be chosen hardly ever, is the least weight there is.
    /// </summary>
    public static IReadOnlyList<EndpointConfig> Endpoints(IReadOnlyList<ServiceRecord> services, IReadOnlyDictionary<string, IReadOnlyList<IPAddress>> addresses)
    {
        var levels = services.Select(service => service.Priority).Distinct().Order().ToList();
        return [.. services.Where(service => service.Port > 0 && addresses.ContainsKey(service.Target)).SelectMany(service => addresses[service.Target].Select(address => new EndpointConfig
        {
            Address = address.ToString(),
            Port = service.Port,
            HostName = service.Target,
            Priority = levels.IndexOf(service.Priority),
            Weight = Math.Clamp(service.Weight / addresses[service.Target].Count, 1, Endpoint.MaxWeight),
        }))];
    }

    private static List<RecordHeader> Records(UpstreamAnswer answer)
    {
        var records = new List<RecordHeader>();
        var at = answer.QuestionEnd;
        for (var i = 0; i < BinaryPrimitives.ReadUInt16BigEndian(answer.Message.AsSpan(6)) && RecordHeader.TryRead(answer.Message, at, out var record); i++)
        {
            records.Add(record);
            at = record.End;
        }

        return records;
    }
}
