using System.Collections.Immutable;
using Weft.Api.Core;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.FrontDoor;
using Weft.Control.Mesh.Inputs;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Secrets;

/// <summary>The Secrets that the present units name: which they are, and what of them proxies are told.</summary>
internal sealed class SecretUnits(SecretFeed feed)
{
    /// <summary>Istio's second Secret, with authorities alone.</summary>
    public const string AuthoritiesSuffix = "-cacert";

    // Units are immutable: what one names is read once.
    private Dictionary<UnitKey, (ConfigUnit Unit, ImmutableArray<KeyValuePair<string, SecretNeeds>> Names)> _named = [];

    // A certificate that was replaced by something broken goes on until that is mended, or the server starts anew.
    private Dictionary<string, SecretUnit> _good = [];

    /// <summary>What the compiler needs of the Secrets that the front door looks at. One caller at a time.</summary>
    public async Task<ImmutableArray<DoorSecret>> ReadDoorAsync(MeshInputs inputs, CancellationToken cancellationToken)
    {
        await feed.FollowAsync(nameof(DoorSecrets), DoorSecrets.Named(inputs), cancellationToken);
        return DoorSecrets.Of(inputs, (@namespace, name) => feed.Find($"{@namespace}/{name}"));
    }

    /// <summary>One caller at a time.</summary>
    public async Task<(ImmutableArray<ConfigUnit> Units, ImmutableArray<MeshDiagnostic> Diagnostics)> ReadAsync(MeshInputs inputs, ImmutableArray<ConfigUnit> units, CancellationToken cancellationToken)
    {
        var named = units.Where(unit => unit.Key.Kind is UnitKind.Listener or UnitKind.Cluster).ToDictionary(
            unit => unit.Key, unit => _named.TryGetValue(unit.Key, out var known) && known.Unit.Hash == unit.Hash ? known : (unit, [.. SecretReferences.Of(unit)]));
        _named = named;
        var needs = Needs(named.Values.SelectMany(value => value.Names));
        await feed.FollowAsync(nameof(SecretUnits), needs.SelectMany(pair => pair.Value.HasFlag(SecretNeeds.Authorities) ? [pair.Key, pair.Key + AuthoritiesSuffix] : new[] { pair.Key }).ToHashSet(), cancellationToken);
        var readings = needs.ToDictionary(pair => pair.Key, pair => Read(pair.Key, pair.Value, feed.Find));
        var good = readings.Where(pair => pair.Value.Unit is not null || feed.Find(pair.Key) is not null && _good.ContainsKey(pair.Key))
            .ToDictionary(pair => pair.Key, pair => pair.Value.Unit ?? _good[pair.Key]);
        _good = good;
        return ([.. good.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => UnitCodec.Secret(pair.Key, pair.Value))], Diagnostics(inputs, readings));
    }

    /// <summary>All that is needed of each.</summary>
    public static Dictionary<string, SecretNeeds> Needs(IEnumerable<KeyValuePair<string, SecretNeeds>> names) =>
        names.GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Aggregate(SecretNeeds.None, (all, pair) => all | pair.Value));

    public static SecretReading Read(string name, SecretNeeds needs, Func<string, Secret?> find) => SecretFeed.IsName(name)
        ? SecretReader.Read(find(name), needs.HasFlag(SecretNeeds.Authorities) ? find(name + AuthoritiesSuffix) : null, needs)
        : new(null, "cannot exist: names have lower-case letters, digits, dashes and dots");

    public static ImmutableArray<MeshDiagnostic> Diagnostics(MeshInputs inputs, IReadOnlyDictionary<string, SecretReading> readings)
    {
        if (readings.Values.All(reading => reading.Problem is null))
            return [];
        return
        [
            .. SecretReferences.Of(inputs).Where(reference => readings.TryGetValue(reference.Secret, out var reading) && reading.Problem is not null)
                .Select(reference => new MeshDiagnostic(Problems.RefOf(reference.Object), reference.Field, Severity.Error, $"Secret {reference.Secret} {readings[reference.Secret].Problem}")),
        ];
    }
}
