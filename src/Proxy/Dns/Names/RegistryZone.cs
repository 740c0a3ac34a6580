using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Dns.Names;

/// <summary>
/// Answers below `consul`, as clients of Consul ask: `NAME.service`, `TAG.NAME.service`, `_NAME._TAG.service` (RFC 2782), `NODE.node`, and `7f000001.addr`,
/// which is the target of SRV records of instances with an address of their own. Each also with the data centre before the zone. Pure.
/// </summary>
internal static class RegistryZone
{
    public const string Domain = "consul";

    private const string Datacenter = "dc1";

    /// <param name="relative">Without the zone.</param>
    public static ZoneOutcome Answer(NameTable table, ReadOnlySpan<char> relative, ushort type, uint turn, ref AnswerWriter to, out string? alias)
    {
        alias = null;
        var (rest, last) = TakeLast(relative);
        if (last is Datacenter)
        {
            if (rest.Length == 0)
                return ClusterZone.Exists(type, ref to);
            (rest, last) = TakeLast(rest);
        }

        switch (last)
        {
            case "service":
                return rest.Length == 0 ? ClusterZone.Exists(type, ref to) : OfService(table, rest, type, turn, ref to, out alias);
            case "node":
                return rest.Length == 0 ? ClusterZone.Exists(type, ref to)
                    : table.RegisteredNodes.Find(rest) is { } node ? Places(node, tag: null, isSrv: false, type, turn, ref to, out alias) : ZoneOutcome.NoSuchName;
            case "addr":
                return rest.Length == 0 ? ClusterZone.Exists(type, ref to) : OfAddress(rest, type, ref to);
            default:
                return ZoneOutcome.NoSuchName;
        }
    }

    private static ZoneOutcome OfService(NameTable table, ReadOnlySpan<char> name, ushort type, uint turn, ref AnswerWriter to, out string? alias)
    {
        alias = null;
        // A name may have dots of its own: `orders.shop` is a service of a namespace.
        if (table.Registered.Find(name) is { } whole)
            return Places(whole, tag: null, isSrv: true, type, turn, ref to, out alias);
        // The name is not known, or there is a tag before it.
        for (var dot = name.IndexOf('.'); dot > 0;)
        {
            var tag = name[..dot];
            var below = name[(dot + 1)..];
            if (tag is ['_', ..] && below is ['_', ..] && table.Registered.Find(tag[1..]) is { } named)
                return Places(named, below is "_tcp" or "_udp" ? null : below[1..].ToString(), isSrv: true, type, turn, ref to, out alias);
            if (table.Registered.Find(below) is { } tagged)
                return Places(tagged, tag.ToString(), isSrv: true, type, turn, ref to, out alias);
            var next = below.IndexOf('.');
            dot = next < 0 ? -1 : dot + 1 + next;
        }

        return ZoneOutcome.NoSuchName;
    }

    private static ZoneOutcome Places(RegisteredNames names, string? tag, bool isSrv, ushort type, uint turn, ref AnswerWriter to, out string? alias)
    {
        alias = null;
        var places = tag is null ? names.Places : [.. names.Places.Where(place => place.Tags.Contains(tag, StringComparer.OrdinalIgnoreCase))];
        // Without anybody who takes traffic there is no such name, as Consul answers: a client goes on to its next choice at once.
        if (places.Length == 0)
            return ZoneOutcome.NoSuchName;
        var first = (int)(turn % (uint)places.Length);
        if (type == RecordType.SRV && isSrv)
        {
            for (var i = 0; i < places.Length && !to.IsTruncated; i++)
            {
                var place = places[(first + i) % places.Length];
                to.Service((ushort)place.Priority, (ushort)place.Port, (ushort)place.Weight, place.Target, ClusterZone.Ttl);
            }

            for (var i = 0; i < places.Length && !to.IsTruncated; i++)
            {
                var place = places[(first + i) % places.Length];
                if (place.Octets.Length > 0)
                    to.Additional(place.Target, place.Octets, ClusterZone.Ttl);
            }

            return ZoneOutcome.Answered;
        }

        if (type is not (RecordType.A or RecordType.AAAA or RecordType.CNAME))
            return ClusterZone.Exists(type, ref to);
        var size = type == RecordType.A ? 4 : 16;
        // Several ports of one address are one address.
        var hosts = tag is null ? names.Hosts : RegisteredNames.Distinct(places);
        for (var i = 0; i < hosts.Length && !to.IsTruncated; i++)
        {
            var place = hosts[(int)((turn + i) % hosts.Length)];
            if (place.Octets.Length == size && type != RecordType.CNAME)
                to.Address(place.Octets, ClusterZone.Ttl);
        }

        // A host name in place of an address: it alone can stand for the name (RFC 1034 section 3.6.2).
        if (to.Answers > 0 || places[first].HostName is not { } other || Array.Exists(places, place => place.Octets.Length > 0))
            return ClusterZone.Put(to.Answers > 0);
        to.Record(RecordType.CNAME, ClusterZone.Ttl, places[first].Target);
        alias = type == RecordType.CNAME ? null : other;
        return alias is null ? ZoneOutcome.Answered : ZoneOutcome.Alias;
    }

    private static ZoneOutcome OfAddress(ReadOnlySpan<char> digits, ushort type, ref AnswerWriter to)
    {
        if (digits.Length is not (8 or 32))
            return ZoneOutcome.NoSuchName;
        Span<byte> octets = stackalloc byte[16];
        if (Convert.FromHexString(digits, octets, out _, out var length) != System.Buffers.OperationStatus.Done)
            return ZoneOutcome.NoSuchName;
        if (type != (length == 4 ? RecordType.A : RecordType.AAAA))
            return ClusterZone.Exists(type, ref to);
        to.Address(octets[..length], ClusterZone.Ttl);
        return ZoneOutcome.Answered;
    }

    private static (string Before, string Last) TakeLast(ReadOnlySpan<char> labels)
    {
        var dot = labels.LastIndexOf('.');
        return (dot < 0 ? "" : labels[..dot].ToString(), labels[(dot + 1)..].ToString());
    }
}

/// <summary>One place of a registered name, ready to be copied into an answer.</summary>
/// <param name="Octets">Of the address; empty for a host name.</param>
/// <param name="Target">Octets of the name that SRV records point to.</param>
internal sealed record RegisteredTarget(byte[] Octets, string? HostName, int Port, int Weight, int Priority, IReadOnlyList<string> Tags, byte[] Target);

internal sealed record RegisteredNames(RegisteredTarget[] Places)
{
    /// <summary>Each address once, of those with the lowest priority: who asks for addresses alone cannot know who is to take over.</summary>
    public RegisteredTarget[] Hosts { get; } = Distinct(Places);

    public static RegisteredTarget[] Distinct(RegisteredTarget[] places)
    {
        var first = places.Select(place => place.Priority).DefaultIfEmpty().Min();
        return [.. places.Where(place => place.Priority == first).DistinctBy(place => place.HostName ?? Convert.ToHexString(place.Octets))];
    }

    public static RegisteredNames Compile(RegisteredUnit unit) => new([.. unit.Places.Select(Compile).OfType<RegisteredTarget>()]);

    // What is neither an address nor a name has no place in an answer.
    private static RegisteredTarget? Compile(RegisteredPlace place)
    {
        var weight = Math.Clamp(place.Weight, 1, ushort.MaxValue);
        var priority = Math.Clamp(place.Priority, 0, ushort.MaxValue);
        var node = place.Node is { } name && DnsName.IsName($"{name.ToLowerInvariant()}.node.{RegistryZone.Domain}") ? $"{name.ToLowerInvariant()}.node.{RegistryZone.Domain}" : null;
        if (IPAddress.TryParse(place.Address, out var address))
        {
            var octets = address.GetAddressBytes();
            return new(octets, null, place.Port, weight, priority, place.Tags, DnsName.ToWire(node ?? $"{Convert.ToHexStringLower(octets)}.addr.{RegistryZone.Domain}"));
        }

        var host = place.Address.TrimEnd('.').ToLowerInvariant();
        return DnsName.IsName(host) ? new([], host, place.Port, weight, priority, place.Tags, DnsName.ToWire(host)) : null;
    }
}
