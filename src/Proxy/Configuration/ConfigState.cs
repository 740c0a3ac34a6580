using System.Collections.Immutable;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;

namespace Weft.Proxy.Configuration;

/// <summary>Takes over decoded units; null for one that is gone. Called by one thread at a time.</summary>
public delegate void ConfigConsumer(IReadOnlyList<KeyValuePair<UnitKey, object?>> changes);

/// <summary>What takes over units and may have something against them. Called by one thread at a time.</summary>
public interface IUnitConsumer
{
    /// <summary>Of one unit alone, before the step is applied.</summary>
    /// <exception cref="UnitException">It is not usable; what it was before stays.</exception>
    void Check(UnitKey key, object unit);

    /// <summary>Serves by the step when it returns.</summary>
    /// <returns>What is left out, because it does not work with the others or with this machine.</returns>
    IReadOnlyList<Rejection> Apply(IReadOnlyList<KeyValuePair<UnitKey, object?>> changes);
}

/// <summary>
/// The configuration that a proxy has. A step of the server is applied as a whole; a unit that cannot be read keeps its old state and is reported, and the
/// others are applied.
/// </summary>
/// <param name="consumer">Takes everything, after the mesh: where a name leads to is known before the name is.</param>
/// <param name="mesh">Null: there is none.</param>
public sealed class ConfigState(ConfigConsumer consumer, IUnitConsumer? mesh = null)
{
    private ImmutableDictionary<UnitKey, ConfigUnit> _units = ImmutableDictionary<UnitKey, ConfigUnit>.Empty;

    public ImmutableDictionary<UnitKey, ConfigUnit> Units => Volatile.Read(ref _units);

    public ulong Epoch { get; private set; }

    public ulong Version { get; private set; }

    /// <summary>Applies all messages of one step.</summary>
    public Ack Apply(IReadOnlyList<Delta> step)
    {
        var last = step[^1];
        var units = _units.ToBuilder();
        var changes = new List<KeyValuePair<UnitKey, object?>>();
        var rejected = ImmutableArray.CreateBuilder<Rejection>();
        foreach (var unit in step.SelectMany(delta => delta.Upserts))
        {
            try
            {
                var read = UnitCodec.Read(unit);
                mesh?.Check(unit.Key, read);
                changes.Add(new(unit.Key, read));
                units[unit.Key] = unit;
            }
            catch (UnitException bad)
            {
                if (rejected.Count < WireLimits.MaxRejections)
                    rejected.Add(new(unit.Key, bad.Path, bad.Message));
            }
        }

        foreach (var key in step.SelectMany(delta => delta.Removes))
        {
            if (units.Remove(key))
                changes.Add(new(key, null));
        }

        if (units.Count > WireLimits.MaxUnits)
            throw new WireException($"{units.Count} units; at most {WireLimits.MaxUnits}");
        foreach (var left in mesh?.Apply(changes) ?? [])
        {
            if (rejected.Count < WireLimits.MaxRejections)
                rejected.Add(left);
        }

        // Also without a change: the first step says that there is nothing.
        consumer(changes);
        Volatile.Write(ref _units, units.ToImmutable());
        (Epoch, Version) = (last.Epoch, last.Version);
        return new Ack(last.Version, rejected.ToImmutable());
    }
}
