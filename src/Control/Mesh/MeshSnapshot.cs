using System.Collections.Immutable;
using Weft.Api;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.FrontDoor;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Jobs;
using Weft.Proxy.Config;

namespace Weft.Control.Mesh;

/// <summary>What the inputs mean, and all that is wrong with them.</summary>
public sealed record MeshSnapshot
{
    /// <summary>By key.</summary>
    public ImmutableArray<ConfigUnit> Units { get; init; } = [];

    /// <summary>By object and field, each once.</summary>
    public ImmutableArray<MeshDiagnostic> Diagnostics { get; init; } = [];

    /// <summary>Parts that were compiled for this snapshot; the others stand as in the one before.</summary>
    public int Compiled { get; init; }

    internal MeshIndex? Index { get; init; }

    /// <summary>Where these units differ from those of <see cref="Before"/>; null for one that is no more.</summary>
    internal IReadOnlyDictionary<UnitKey, ConfigUnit?> Changes { get; init; } = ImmutableDictionary<UnitKey, ConfigUnit?>.Empty;

    /// <summary>Whose parts were taken over (its <see cref="Self"/>, so that a snapshot does not hold all that there ever were); null: nobody's.</summary>
    internal object? Before { get; init; }

    internal object Self { get; init; } = new();

    internal ImmutableDictionary<string, JobGroup> Groups { get; init; } = ImmutableDictionary<string, JobGroup>.Empty;

    /// <summary>Hosts of the front door by their port.</summary>
    internal ImmutableDictionary<int, DoorHosts> Doors { get; init; } = ImmutableDictionary<int, DoorHosts>.Empty;

    internal IEnumerable<JobResult> Results => Groups.Values.SelectMany(group => group.Done.Values).Select(done => done.Result);

    /// <summary>The objects that have had a part in a unit: its source, and what was asked for.</summary>
    internal IEnumerable<ObjectRef> ObjectsOf(UnitKey key)
    {
        foreach (var result in Results.Where(result => result.Units.Any(unit => unit.Key == key)))
        {
            foreach (var part in result.Reads.SelectMany(read => read.Answer).Append(result.Subject))
            {
                var about = part is MeshHost host ? host.Source : part as IObject;
                if (about is not null)
                    yield return Problems.RefOf(about);
            }
        }
    }
}

/// <summary>A part of the work whose result depends on its subject and on what it asks, and on nothing else.</summary>
/// <param name="Name">Unique among jobs.</param>
/// <param name="Closed">Units in place of those of a job that failed by a mistake of the compiler's own; null: those that it made before.</param>
internal sealed record Job(string Name, object Subject, Func<MeshLookups, List<MeshDiagnostic>, IEnumerable<ConfigUnit>> Compile, Func<IEnumerable<ConfigUnit>>? Closed = null)
{
    /// <summary>The objects that the job is about.</summary>
    public IEnumerable<ObjectRef> Objects(MeshIndex index) => Subject switch
    {
        IObject value => [Problems.RefOf(value)],
        MeshHost host => [Problems.RefOf(host.Source)],
        MeshWorkload pod => [new("Pod", pod.Namespace, pod.Name)],
        FrontDoorHost host => host.Parts.Select(part => Problems.RefOf(part.Rules)).Concat(host.Ingresses.Select(part => Problems.RefOf(part.Ingress))),
        int port => index.Inputs.Gateways.Where(gateway => gateway.Spec.Servers.Any(server => server.Port.Number == port)).Select(Problems.RefOf)
            .Concat(port is DoorPort.Http or DoorPort.Https ? index.Ingresses.Select(Problems.RefOf) : []),
        _ => [],
    };
}

internal sealed record JobResult(object Subject, ImmutableArray<Read> Reads, ImmutableArray<ConfigUnit> Units, ImmutableArray<MeshDiagnostic> Diagnostics)
{
    // One bit for each question: most changes are of one kind of object, which most jobs do not ask for.
    public int Asked { get; } = Reads.Aggregate(0, (asked, read) => asked | (1 << (int)read.Question));

    /// <param name="changed">Questions that may have other answers than before, a bit for each.</param>
    public bool StandsFor(Job job, MeshIndex index, int changed)
        => Read.Same(Subject, job.Subject) && ((Asked & changed) == 0 || Reads.All(read => (changed & (1 << (int)read.Question)) == 0 || read.HoldsIn(index)));
}
