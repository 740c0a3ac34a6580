using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Dns.Names;

internal enum ZoneOutcome
{
    /// <summary>The name is somebody else's.</summary>
    NotOurs,
    Answered,
    NoSuchName,

    /// <summary>The name exists, without a record of this type.</summary>
    NoData,

    /// <summary>The answer begins with an alias, and goes on with what that name answers.</summary>
    Alias,
}

/// <summary>Answers for the cluster's zone and the reverse names of its addresses, from one table. Pure.</summary>
internal static class ClusterZone
{
    /// <summary>
    /// Seconds that answers of the zone may be remembered: as the common set-up of a cluster's DNS has it, a change is seen by everybody within it. "There
    /// is no such name" is as short, because a client often asks just before the service is there.
    /// </summary>
    public const uint Ttl = 5;

    /// <summary>The version of the DNS specification of Kubernetes that is answered.</summary>
    private const string SpecificationVersion = "1.1.0";

    /// <param name="name">Lower case, without the last dot.</param>
    /// <param name="turn">Where lists begin, so that clients which take the first answer spread.</param>
    /// <param name="alias">With <see cref="ZoneOutcome.Alias"/>: the other name.</param>
    public static ZoneOutcome Answer(NameTable table, ReadOnlySpan<char> name, ushort type, uint turn, ref AnswerWriter to, out string? alias)
    {
        alias = null;
        if (ZoneOf(table, name, out var relative) is { } zone)
            return InZone(table, zone, relative, type, turn, ref to, out alias);
        if (table.HasRegistry && TryRelative(name, RegistryZone.Domain, out relative))
            return relative.IsEmpty ? Apex(table, table.Domain, type, ref to) : RegistryZone.Answer(table, relative, type, turn, ref to, out alias);
        return name.EndsWith(".in-addr.arpa", StringComparison.Ordinal) || name.EndsWith(".ip6.arpa", StringComparison.Ordinal)
            ? Reverse(table, name, type, ref to)
            : ZoneOutcome.NotOurs;
    }

    /// <summary>Answers for a host of the mesh, which has no zone around it.</summary>
    public static ZoneOutcome Answer(MeshNames host, ushort type, uint turn, ref AnswerWriter to) => Addresses(host.Addresses, type, turn, ref to);

    /// <summary>The authority of a negative answer for such a host: its name is all that is answered for.</summary>
    public static void WriteOwnAuthority(NameTable table, ReadOnlySpan<char> name, ref AnswerWriter to)
    {
        Span<byte> soa = stackalloc byte[2 * DnsLimits.MaxName + 20];
        Span<byte> owner = stackalloc byte[DnsLimits.MaxName];
        to.Authority(owner[..DnsName.Write(name, owner)], soa[..Soa(table, table.Domain, soa)], Ttl);
    }

    /// <summary>The authority of a negative answer.</summary>
    public static void WriteAuthority(NameTable table, ReadOnlySpan<char> name, ref AnswerWriter to)
    {
        Span<byte> soa = stackalloc byte[2 * DnsLimits.MaxName + 20];
        Span<byte> owner = stackalloc byte[DnsLimits.MaxName];
        var own = ZoneOf(table, name, out _);
        var zone = own ?? (name.EndsWith(".in-addr.arpa", StringComparison.Ordinal) ? "in-addr.arpa" : name.EndsWith(".ip6.arpa", StringComparison.Ordinal) ? "ip6.arpa"
            : table.HasRegistry && TryRelative(name, RegistryZone.Domain, out _) ? RegistryZone.Domain : table.Domain);
        // Zones without names of their own for who serves them have the cluster's.
        to.Authority(owner[..DnsName.Write(zone, owner)], soa[..Soa(table, own ?? table.Domain, soa)], Ttl);
    }

    private static string? ZoneOf(NameTable table, ReadOnlySpan<char> name, out ReadOnlySpan<char> relative)
    {
        if (TryRelative(name, table.Domain, out relative))
            return table.Domain;
        foreach (var zone in table.Zones)
        {
            if (TryRelative(name, zone, out relative))
                return zone;
        }

        return null;
    }

    private static bool TryRelative(ReadOnlySpan<char> name, string domain, out ReadOnlySpan<char> relative)
    {
        relative = default;
        if (!name.EndsWith(domain, StringComparison.Ordinal))
            return false;
        if (name.Length == domain.Length)
            return true;
        if (name[^(domain.Length + 1)] != '.')
            return false;
        relative = name[..^(domain.Length + 1)];
        return true;
    }

    private static ZoneOutcome InZone(NameTable table, string zone, ReadOnlySpan<char> relative, ushort type, uint turn, ref AnswerWriter to, out string? alias)
    {
        alias = null;
        if (relative.IsEmpty)
            return Apex(table, zone, type, ref to);
        var rest = relative;
        switch (TakeLast(ref rest))
        {
            case "svc":
                return rest.IsEmpty ? Exists(type, ref to) : InServices(table, rest, type, turn, ref to, out alias);
            case "pod":
                return rest.IsEmpty ? Exists(type, ref to) : InPods(table, rest, type, ref to);
            case "dns":
                return rest is "" ? Exists(type, ref to) : rest is "ns" ? OfServers(table, type, ref to) : ZoneOutcome.NoSuchName;
            case "dns-version" when rest.IsEmpty:
                return type == RecordType.TXT ? Put(to.Record(type, Ttl, [(byte)SpecificationVersion.Length, .. "1.1.0"u8])) : Exists(type, ref to);
            default:
                return ZoneOutcome.NoSuchName;
        }
    }

    private static ZoneOutcome InServices(NameTable table, ReadOnlySpan<char> relative, ushort type, uint turn, ref AnswerWriter to, out string? alias)
    {
        alias = null;
        // What is left after `svc`: NS; SERVICE.NS; HOST.SERVICE.NS, _tcp.SERVICE.NS; _PORT._tcp.SERVICE.NS.
        var dot = relative.LastIndexOf('.');
        if (dot < 0)
            return table.Namespaces.Find(relative) is null ? ZoneOutcome.NoSuchName : Exists(type, ref to);
        var start = relative[..dot].LastIndexOf('.') + 1;
        if (table.Services.Find(relative[start..]) is not { } service)
            return ZoneOutcome.NoSuchName;
        var below = start == 0 ? [] : relative[..(start - 1)];
        if (below.IsEmpty)
            return OfService(service, type, turn, ref to, out alias);
        if (service.Ports.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(below, out var port))
            return type == RecordType.SRV ? Put(Services(port, turn, ref to)) : Exists(type, ref to);
        if (service.Hosts.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(below, out var host))
            return Addresses(host, type, turn, ref to);
        return service.Protocols.GetAlternateLookup<ReadOnlySpan<char>>().Contains(below) ? Exists(type, ref to) : ZoneOutcome.NoSuchName;
    }

    private static ZoneOutcome OfService(ServiceNames service, ushort type, uint turn, ref AnswerWriter to, out string? alias)
    {
        alias = null;
        if (service.Alias is { } target)
        {
            if (type == RecordType.Any)
                return Exists(type, ref to);
            to.Record(RecordType.CNAME, Ttl, target);
            alias = type == RecordType.CNAME ? null : service.AliasText;
            return alias is null ? ZoneOutcome.Answered : ZoneOutcome.Alias;
        }

        if (type != RecordType.SRV)
            return Addresses(service.Addresses, type, turn, ref to);
        foreach (var port in service.Ports.Values)
            Services(port, turn, ref to);
        return Put(to.Answers > 0);
    }

    private static ZoneOutcome InPods(NameTable table, ReadOnlySpan<char> relative, ushort type, ref AnswerWriter to)
    {
        if (!relative.Contains('.'))
            return table.Namespaces.Find(relative) is null ? ZoneOutcome.NoSuchName : Exists(type, ref to);
        return table.Pods.Find(relative) is { } addresses ? Addresses(addresses, type, 0, ref to) : ZoneOutcome.NoSuchName;
    }

    private static ZoneOutcome Addresses(AddressSet set, ushort type, uint turn, ref AnswerWriter to)
    {
        var (octets, size) = type switch { RecordType.A => (set.V4, 4), RecordType.AAAA => (set.V6, 16), _ => ([], 1) };
        if (octets.Length == 0)
            return Exists(type, ref to);
        var count = octets.Length / size;
        var first = (int)(turn % (uint)count);
        for (var i = 0; i < count && !to.IsTruncated; i++)
            to.Address(octets.AsSpan((first + i) % count * size, size), Ttl);
        return ZoneOutcome.Answered;
    }

    private static bool Services(ServiceTarget[] targets, uint turn, ref AnswerWriter to)
    {
        var first = (int)(turn % (uint)targets.Length);
        // Weights of all together are about 100, as other servers of this zone have it; at least one, because 0 means "hardly ever" (RFC 2782).
        var weight = (ushort)Math.Max(1, 100 / targets.Length);
        for (var i = 0; i < targets.Length && !to.IsTruncated; i++)
        {
            var target = targets[(first + i) % targets.Length];
            to.Service(0, target.Port, weight, target.Target, Ttl);
        }

        for (var i = 0; i < targets.Length && !to.IsTruncated; i++)
        {
            var target = targets[(first + i) % targets.Length];
            for (var at = 0; at < target.Addresses.V4.Length; at += 4)
                to.Additional(target.Target, target.Addresses.V4.AsSpan(at, 4), Ttl);
            for (var at = 0; at < target.Addresses.V6.Length; at += 16)
                to.Additional(target.Target, target.Addresses.V6.AsSpan(at, 16), Ttl);
        }

        return true;
    }

    /// <param name="zone">Where the name of who serves it stands.</param>
    private static ZoneOutcome Apex(NameTable table, string zone, ushort type, ref AnswerWriter to)
    {
        Span<byte> data = stackalloc byte[2 * DnsLimits.MaxName + 20];
        switch (type)
        {
            case RecordType.SOA:
                return Put(to.Record(type, Ttl, data[..Soa(table, zone, data)]));
            case RecordType.NS:
                return Put(to.Record(type, Ttl, data[..DnsName.Write("ns.dns." + zone, data)]));
            default:
                return Exists(type, ref to);
        }
    }

    private static ZoneOutcome OfServers(NameTable table, ushort type, ref AnswerWriter to)
    {
        Span<byte> octets = stackalloc byte[16];
        foreach (var server in table.Servers)
        {
            if (server.AddressFamily == (type == RecordType.A ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6) && server.TryWriteBytes(octets, out var length))
                to.Address(octets[..length], Ttl);
        }

        return type is RecordType.A or RecordType.AAAA && to.Answers > 0 ? ZoneOutcome.Answered : Exists(type, ref to);
    }

    private static ZoneOutcome Reverse(NameTable table, ReadOnlySpan<char> name, ushort type, ref AnswerWriter to)
    {
        if (ReverseName.Parse(name) is not { } address)
            return ZoneOutcome.NotOurs;
        Span<char> text = stackalloc char[46];
        address.TryFormat(text, out var length);
        if (table.Addresses.Find(text[..length]) is { } names)
        {
            if (type != RecordType.PTR)
                return Exists(type, ref to);
            foreach (var target in names)
                to.Record(RecordType.PTR, Ttl, target);
            return ZoneOutcome.Answered;
        }

        foreach (var range in table.Reverse)
        {
            if (range.Contains(address))
                return ZoneOutcome.NoSuchName;
        }

        return ZoneOutcome.NotOurs;
    }

    // ANY gets the smallest answer that is true (RFC 8482): nobody can use this server to send a small question's large answer to a victim.
    internal static ZoneOutcome Exists(ushort type, ref AnswerWriter to)
    {
        if (type != RecordType.Any)
            return ZoneOutcome.NoData;
        to.Record(RecordType.HINFO, Ttl, "\u0007RFC8482\0"u8);
        return ZoneOutcome.Answered;
    }

    internal static ZoneOutcome Put(bool any) => any ? ZoneOutcome.Answered : ZoneOutcome.NoData;

    private static ReadOnlySpan<char> TakeLast(ref ReadOnlySpan<char> labels)
    {
        var dot = labels.LastIndexOf('.');
        var last = labels[(dot + 1)..];
        labels = dot < 0 ? [] : labels[..dot];
        return last;
    }

    private static int Soa(NameTable table, string zone, Span<byte> to)
    {
        var at = DnsName.Write("ns.dns." + zone, to);
        at += DnsName.Write("hostmaster." + zone, to[at..]);
        // Serial, refresh, retry, expire: nobody transfers this zone. The last is how long a negative answer is remembered (RFC 2308).
        foreach (var number in (ReadOnlySpan<uint>)[table.Serial, 7200, 1800, 86400, Ttl])
        {
            BinaryPrimitives.WriteUInt32BigEndian(to[at..], number);
            at += 4;
        }

        return at;
    }
}

/// <summary>`7.0.244.10.in-addr.arpa` and the 32 digits of `ip6.arpa` (RFC 1035 section 3.5, RFC 3596 section 2.5).</summary>
internal static class ReverseName
{
    public static IPAddress? Parse(ReadOnlySpan<char> name)
    {
        const string V4 = ".in-addr.arpa", V6 = ".ip6.arpa";
        Span<byte> octets = stackalloc byte[16];
        if (name.EndsWith(V4, StringComparison.Ordinal))
        {
            var at = 4;
            foreach (var label in name[..^V4.Length].Split('.'))
            {
                if (at == 0 || !byte.TryParse(name[label], NumberStyles.None, CultureInfo.InvariantCulture, out octets[--at]))
                    return null;
            }

            return at == 0 ? new IPAddress(octets[..4]) : null;
        }

        if (!name.EndsWith(V6, StringComparison.Ordinal) || name.Length != 63 + V6.Length)
            return null;
        for (var i = 0; i < 32; i++)
        {
            var digit = name[62 - 2 * i];
            if (!char.IsAsciiHexDigitLower(digit) && !char.IsAsciiDigit(digit) || (i < 31 && name[61 - 2 * i] != '.'))
                return null;
            octets[i / 2] = (byte)(octets[i / 2] << 4 | Convert.ToInt32(digit.ToString(), 16));
        }

        return new IPAddress(octets);
    }
}
