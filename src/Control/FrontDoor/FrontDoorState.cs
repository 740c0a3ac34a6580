using System.Collections.Frozen;
using System.Collections.Immutable;
using Weft.Api;
using Weft.Client;
using Weft.Control.Mesh;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Runtime;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.FrontDoor;

/// <summary>A port that the front door listens on.</summary>
/// <param name="Protocol">http, https, tls or tcp.</param>
public sealed record DoorListener(int Port, string Protocol);

/// <summary>What a compiled snapshot means for the front door's Service and for the status of Ingresses.</summary>
public sealed record FrontDoorState
{
    /// <summary>By port.</summary>
    public ImmutableArray<DoorListener> Listeners { get; init; } = [];

    /// <summary>Ingresses that the front door serves, with all that is wrong with each.</summary>
    public FrozenDictionary<ObjectKey, ImmutableArray<MeshDiagnostic>> Ingresses { get; init; } = FrozenDictionary<ObjectKey, ImmutableArray<MeshDiagnostic>>.Empty;

    /// <summary>Likewise of those that nobody serves.</summary>
    public FrozenDictionary<ObjectKey, ImmutableArray<MeshDiagnostic>> Others { get; init; } = FrozenDictionary<ObjectKey, ImmutableArray<MeshDiagnostic>>.Empty;

    public static FrontDoorState Of(MeshSnapshot snapshot)
    {
        var problems = snapshot.Diagnostics.Where(problem => problem.Object.Kind == "Ingress").GroupBy(problem => new ObjectKey(problem.Object.Namespace, problem.Object.Name)).ToDictionary(group => group.Key, group => group.ToImmutableArray());
        var served = (snapshot.Index?.Ingresses ?? []).Select(ingress => ingress.Key()).ToHashSet();
        return new()
        {
            Listeners = [.. snapshot.Units.Where(unit => unit.Key.Kind == UnitKind.Listener).Select(unit => ((ListenerUnit)UnitCodec.Read(unit)).Listener)
                .Select(listener => new DoorListener(listener.Port, ProtocolOf(listener))).DistinctBy(listener => listener.Port).OrderBy(listener => listener.Port)],
            Ingresses = served.ToFrozenDictionary(key => key, key => problems.GetValueOrDefault(key, [])),
            Others = problems.Where(pair => !served.Contains(pair.Key)).ToFrozenDictionary(),
        };
    }

    private static string ProtocolOf(ListenerConfig listener) => listener.Kind switch
    {
        ListenerKind.Http => listener.Tls is null ? "http" : "https",
        ListenerKind.TlsPassthrough => "tls",
        _ => listener.Tls is null ? "tcp" : "tls",
    };
}

/// <summary>Where whoever compiles puts what it has compiled, and where the front door's controller finds it.</summary>
public sealed class FrontDoorBoard
{
    private FrontDoorState? _current;

    /// <summary>Null: nothing is compiled yet, and nothing is known.</summary>
    public FrontDoorState? Current => Volatile.Read(ref _current);

    /// <summary>Called after each publication, by its caller.</summary>
    public event Action? Changed;

    public void Publish(MeshSnapshot snapshot)
    {
        Volatile.Write(ref _current, FrontDoorState.Of(snapshot));
        Changed?.Invoke();
    }
}
