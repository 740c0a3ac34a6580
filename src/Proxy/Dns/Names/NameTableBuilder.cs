using System.Net;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Dns.Names;

/// <summary>Turns units into the next <see cref="NameTable"/>. A change costs what it touches: the services of the changed units, and their addresses. One writer.</summary>
internal sealed class NameTableBuilder(string domain)
{
    private readonly Dictionary<string, ZoneUnit> _zones = [];
    private readonly Dictionary<string, ServiceUnit> _services = [];
    private readonly Dictionary<string, EndpointsUnit> _slices = [];
    private readonly Dictionary<string, SortedSet<string>> _slicesOf = [];     // service to slices
    private readonly Dictionary<string, PodUnit> _pods = [];
    private readonly Dictionary<string, ServiceNames> _compiled = [];
    private readonly Dictionary<string, SortedSet<string>> _podsAt = [];       // `10-244-0-7.shop` to pods
    private readonly Dictionary<string, SortedSet<AddressName>> _names = []; // address to names
    private readonly Dictionary<string, int> _inNamespace = [];
    private NameTable _table = new() { Domain = domain };

    public NameTable Current => _table;

    /// <param name="changes">Decoded units; null for one that is gone.</param>
    public NameTable Apply(IEnumerable<KeyValuePair<UnitKey, object?>> changes)
    {
        var touched = new Touched();
        foreach (var (key, unit) in changes)
        {
            switch (key.Kind)
            {
                case UnitKind.Zone:
                    Set(_zones, key.Name, (ZoneUnit?)unit);
                    break;
                case UnitKind.Service:
                    Set(_services, key.Name, (ServiceUnit?)unit);
                    touched.Services.Add(key.Name);
                    break;
                case UnitKind.Endpoints:
                    SetSlice(key.Name, (EndpointsUnit?)unit, touched);
                    break;
                case UnitKind.Pod:
                    SetPod(key.Name, (PodUnit?)unit, touched);
                    break;
                case UnitKind.Destination:
                    touched.Hosts[key.Name] = unit is DestinationUnit { Answer: { } answer } ? MeshNames.Of(answer) : null;
                    break;
                case UnitKind.Registered:
                    var (kind, registered) = Split(key.Name);
                    (kind == "node" ? touched.RegisteredNodes : touched.Registered)[registered.ToLowerInvariant()] = unit is RegisteredUnit there ? RegisteredNames.Compile(there) : null;
                    break;
            }
        }

        var services = touched.Services.Select(service => new KeyValuePair<string, ServiceNames?>(Dotted(service), Recompile(service, touched))).ToList();
        var zone = _zones.GetValueOrDefault(_table.Domain);
        return _table = _table with
        {
            Serial = _table.Serial + 1,
            Zones = [.. _zones.Keys.Where(name => name != _table.Domain && name != RegistryZone.Domain && DnsName.IsName(name)).OrderByDescending(name => name.Length).ThenBy(name => name, StringComparer.Ordinal)],
            Servers = [.. (zone?.Servers ?? []).Select(text => IPAddress.TryParse(text, out var address) ? address : null).OfType<IPAddress>()],
            Reverse = [.. (zone?.Reverse ?? []).Where(range => IPNetwork.TryParse(range, out _)).Select(range => IPNetwork.Parse(range))],
            Services = _table.Services.With(services),
            Hosts = _table.Hosts.With([.. touched.Hosts.Where(host => host.Value is not null || _table.Hosts.Find(host.Key) is not null)]),
            HasRegistry = _zones.ContainsKey(RegistryZone.Domain),
            Registered = _table.Registered.With(touched.Registered),
            RegisteredNodes = _table.RegisteredNodes.With(touched.RegisteredNodes),
            Namespaces = _table.Namespaces.With([.. touched.Namespaces.Select(ns => new KeyValuePair<string, string?>(ns, _inNamespace.ContainsKey(ns) ? ns : null))]),
            Pods = _table.Pods.With([.. touched.PodNames.Select(name => new KeyValuePair<string, AddressSet?>(name, AddressesOfPodName(name)))]),
            Addresses = _table.Addresses.With([.. touched.Addresses.Select(address => new KeyValuePair<string, byte[][]?>(address, NamesOf(address)))]),
        };
    }

    private void SetSlice(string name, EndpointsUnit? unit, Touched touched)
    {
        if (_slices.TryGetValue(name, out var old))
        {
            var service = ServiceOf(name, old);
            touched.Services.Add(service);
            Take(_slicesOf, service, name);
        }

        Set(_slices, name, unit);
        if (unit is null)
            return;
        touched.Services.Add(ServiceOf(name, unit));
        Put(_slicesOf, ServiceOf(name, unit), name);
    }

    private ServiceNames? Recompile(string service, Touched touched)
    {
        var (@namespace, name) = Split(service);
        var slices = _slicesOf.TryGetValue(service, out var names) ? names.Select(slice => _slices[slice]) : [];
        var next = ServiceNames.Compile(@namespace, name, _table.Domain, _services.GetValueOrDefault(service), slices);
        var old = _compiled.GetValueOrDefault(service);
        // Who asks for the name of an address wants the service of a cluster address, then the host of a headless one, then the pod.
        foreach (var named in old?.Reverse ?? [])
            touched.Name(_names, named.Address, new(1, service, named.Name), isThere: false);
        foreach (var named in next?.Reverse ?? [])
            touched.Name(_names, named.Address, new(1, service, named.Name), isThere: true);
        if (old is null != next is null)
            CountIn(@namespace, next is null ? -1 : 1, touched);
        Set(_compiled, service, next);
        return next;
    }

    private void SetPod(string pod, PodUnit? unit, Touched touched)
    {
        var (@namespace, _) = Split(pod);
        var old = _pods.GetValueOrDefault(pod);
        foreach (var address in old?.Addresses ?? [])
            SetPodAddress(pod, @namespace, address, old!, isThere: false, touched);
        foreach (var address in unit?.Addresses ?? [])
            SetPodAddress(pod, @namespace, address, unit!, isThere: true, touched);
        if (old is null != unit is null)
            CountIn(@namespace, unit is null ? -1 : 1, touched);
        Set(_pods, pod, unit);
    }

    private void SetPodAddress(string pod, string @namespace, string address, PodUnit unit, bool isThere, Touched touched)
    {
        var name = $"{ServiceNames.Dashed(address)}.{@namespace}".ToLowerInvariant();
        touched.PodNames.Add(name);
        if (isThere)
            Put(_podsAt, name, pod);
        else
            Take(_podsAt, name, pod);
        if (!unit.HostNetwork)
            touched.Name(_names, address, new(2, pod, $"{name}.pod.{_table.Domain}"), isThere);
    }

    private AddressSet? AddressesOfPodName(string name) => _podsAt.TryGetValue(name, out var pods)
        ? AddressSet.Of(_pods[pods.Min!].Addresses.Where(address => name.StartsWith(ServiceNames.Dashed(address).ToLowerInvariant() + ".", StringComparison.Ordinal)))
        : null;

    private byte[][]? NamesOf(string address)
    {
        if (!_names.TryGetValue(address, out var names))
            return null;
        var best = names.Min!.Rank;
        return [.. names.Where(entry => entry.Rank == best && DnsName.IsName(entry.Name)).Select(entry => DnsName.ToWire(entry.Name))];
    }

    private void CountIn(string @namespace, int change, Touched touched)
    {
        var count = _inNamespace.GetValueOrDefault(@namespace) + change;
        if (count == 0)
            _inNamespace.Remove(@namespace);
        else
            _inNamespace[@namespace] = count;
        touched.Namespaces.Add(@namespace);
    }

    private static string ServiceOf(string slice, EndpointsUnit unit) => $"{Split(slice).Namespace}/{unit.Service}";

    private static (string Namespace, string Name) Split(string key)
    {
        var slash = key.IndexOf('/');
        return slash < 0 ? ("", key) : (key[..slash], key[(slash + 1)..]);
    }

    private static string Dotted(string key)
    {
        var (@namespace, name) = Split(key);
        return $"{name}.{@namespace}";
    }

    private static void Set<T>(Dictionary<string, T> map, string key, T? value) where T : class
    {
        if (value is null)
            map.Remove(key);
        else
            map[key] = value;
    }

    private static void Put<T>(Dictionary<string, SortedSet<T>> map, string key, T value)
    {
        if (!map.TryGetValue(key, out var set))
            map[key] = set = typeof(T) == typeof(string) ? new SortedSet<T>((IComparer<T>)StringComparer.Ordinal) : [];
        set.Add(value);
    }

    private static void Take<T>(Dictionary<string, SortedSet<T>> map, string key, T value)
    {
        if (map.TryGetValue(key, out var set) && set.Remove(value) && set.Count == 0)
            map.Remove(key);
    }

    /// <summary>What a batch has changed, to be looked at once at its end.</summary>
    private sealed class Touched
    {
        public Dictionary<string, MeshNames?> Hosts { get; } = new(StringComparer.Ordinal);
        public Dictionary<string, RegisteredNames?> Registered { get; } = new(StringComparer.Ordinal);
        public Dictionary<string, RegisteredNames?> RegisteredNodes { get; } = new(StringComparer.Ordinal);
        public HashSet<string> Services { get; } = [];
        public HashSet<string> Namespaces { get; } = [];
        public HashSet<string> PodNames { get; } = [];
        public HashSet<string> Addresses { get; } = [];

        public void Name(Dictionary<string, SortedSet<AddressName>> names, string address, AddressName entry, bool isThere)
        {
            // One spelling of an address: IPv6 has many.
            var key = IPAddress.TryParse(address, out var parsed) ? parsed.ToString() : address;
            if (isThere)
                Put(names, key, entry);
            else
                Take(names, key, entry);
            Addresses.Add(key);
        }
    }
}

/// <summary>A name that an address leads back to. Whose rank is least is told.</summary>
internal sealed record AddressName(int Rank, string Owner, string Name) : IComparable<AddressName>
{
    public int CompareTo(AddressName? other)
    {
        if (other is null)
            return 1;
        var order = Rank - other.Rank;
        if (order == 0)
            order = string.CompareOrdinal(Owner, other.Owner);
        return order != 0 ? order : string.CompareOrdinal(Name, other.Name);
    }
}
