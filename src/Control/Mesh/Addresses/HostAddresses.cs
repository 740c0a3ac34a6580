using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Weft.Api.Istio;
using Weft.Balancing;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Addresses;

/// <summary>
/// Addresses for hosts of service entries that bring none, so that their names can be resolved and a connection says by its address which host it means. An entry's status keeps what its hosts were given: it
/// holds as long as the entry does, whatever others come and go. Pure.
/// </summary>
/// <param name="Held">By `namespace/name host`: what stands in a status, rightly.</param>
/// <param name="Wanted">By `namespace/name`: what the statuses should say.</param>
internal sealed record HostAddresses(IReadOnlyDictionary<string, string> Held, IReadOnlyDictionary<string, ImmutableArray<HostAddress>> Wanted)
{
    public static readonly HostAddresses None = new(new Dictionary<string, string>(), new Dictionary<string, ImmutableArray<HostAddress>>());

    // Istio's label: "false" leaves an entry's hosts without.
    private const string Label = "networking.istio.io/enable-autoallocate-ip";

    // Without the first and the last, which some programs take for a network's own.
    private const int Places = (1 << 16) - 2;

    /// <param name="entries">The oldest first.</param>
    /// <param name="domain">`cluster.local`: names below it are those of services.</param>
    /// <param name="before">What was planned last: of two that claim one address it is theirs who held it.</param>
    /// <param name="leftOut">Entries that cannot be compiled. They hold what stands in their statuses all the same: clients know it, and what they send there is not to come to somebody else.</param>
    public static HostAddresses Plan(IReadOnlyList<ServiceEntry> entries, string domain, HostAddresses before, IReadOnlyList<ServiceEntry> leftOut)
    {
        var owners = new HashSet<string>();
        // A name is one host's: that of the oldest entry that has it.
        var wanting = entries.Select(entry => (Entry: entry, Hosts: entry.Spec.Hosts.Take(ServiceEntrySpec.MostHosts).Select(host => host.ToLowerInvariant()).Distinct().Where(owners.Add).Where(host => Wants(entry, host, domain)).ToList())).ToList();
        var claims = new Dictionary<string, Claim>();
        foreach (var (entry, hosts) in wanting)
        {
            foreach (var host in hosts)
            {
                if (entry.Status.Addresses.FirstOrDefault(address => address.Host == host)?.Value is { } value)
                    Claims(entry, host, value);
            }
        }

        // Of these nothing is sure, and their specs are not looked at.
        foreach (var entry in leftOut)
        {
            foreach (var given in (entry.Status?.Addresses ?? []).Take(ServiceEntrySpec.MostHosts).Where(given => given is { Host: not null, Value: not null }).DistinctBy(given => given.Host))
                Claims(entry, given.Host!, given.Value!);
        }

        var (held, taken) = (claims.ToDictionary(pair => pair.Value.Key, pair => pair.Key), claims.Keys.ToHashSet());
        var wanted = new Dictionary<string, ImmutableArray<HostAddress>>();
        foreach (var (entry, hosts) in wanting)
            wanted[MeshIndex.Name(entry)] = [.. hosts.Select(host => (host, Value: held.GetValueOrDefault(KeyOf(entry, host)) ?? Free(host, taken))).Where(given => given.Value is not null).Select(given => new HostAddress { Host = given.host, Value = given.Value! })];
        return new(held, wanted);

        void Claims(ServiceEntry entry, string host, string value)
        {
            var claim = new Claim(KeyOf(entry, host), IsHeld: before.Held.GetValueOrDefault(KeyOf(entry, host)) == value, Written: RevisionOf(entry));
            if (IsOfRange(value) && (!claims.TryGetValue(value, out var other) || claim.IsBefore(other)))
                claims[value] = claim;
        }
    }

    public static string KeyOf(ServiceEntry entry, string host) => $"{MeshIndex.Name(entry)} {host}";

    /// <summary>Names that others answer for, and what a client may write for a service of the cluster (`web`, `web.shop.svc`): an entry of some namespace must not be what is found there.</summary>
    public static bool IsElsewhere(string host, string domain) => host == domain || host.EndsWith("." + domain, StringComparison.Ordinal) || host == "consul" || host.EndsWith(".consul", StringComparison.Ordinal)
        || !host.Contains('.', StringComparison.Ordinal) || host.EndsWith(".svc", StringComparison.Ordinal);

    // With NONE a connection goes on to the address that it was meant for, and there is nobody at this one.
    private static bool Wants(ServiceEntry entry, string host, string domain) =>
        entry.Spec.Addresses.Count == 0 && entry.Spec.Resolution is "STATIC" or "DNS" or "DNS_ROUND_ROBIN" && entry.Metadata.Labels.GetValueOrDefault(Label) != "false"
        && HostNames.IsHost(host) && !HostNames.IsWildcard(host) && !IsElsewhere(host, domain);

    private static bool IsOfRange(string text) => IPAddress.TryParse(text, out var address) && AllocatedAddresses.Contains(address) && address.ToString() == text;

    private static ulong RevisionOf(ServiceEntry entry) => ulong.TryParse(entry.Metadata.ResourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out var revision) ? revision : ulong.MaxValue;

    // Where the name itself says: an entry that is made anew finds its address again, unless somebody has it by now.
    private static string? Free(string host, HashSet<string> taken)
    {
        if (taken.Count >= Places)
            return null;
        var first = (int)(StableHash.Of(host) % Places);
        for (var i = 0; i < Places; i++)
        {
            var place = 1 + ((first + i) % Places);
            var address = $"240.240.{place >> 8}.{place & 0xFF}";
            if (taken.Add(address))
                return address;
        }

        return null;
    }

    /// <param name="Written">When the entry was written last. A claim is no younger than that, and no writer can make it older.</param>
    private readonly record struct Claim(string Key, bool IsHeld, ulong Written)
    {
        // Whoever may write a status may write another's address into it. Who held it keeps it; and where nobody remembers, after a start, it is theirs whose entry was left alone for longer:
        // to claim what another has been given takes a later write.
        public bool IsBefore(Claim other) => IsHeld == other.IsHeld ? Written < other.Written : IsHeld;
    }
}
