using System.Collections.Frozen;
using System.Collections.Immutable;
using Weft.Control.Mesh.Diagnostics;
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

    internal IReadOnlyDictionary<string, JobResult> Results { get; init; } = FrozenDictionary<string, JobResult>.Empty;
}

/// <summary>A part of the work whose result depends on its subject and on what it asks, and on nothing else.</summary>
/// <param name="Name">Unique among jobs.</param>
internal sealed record Job(string Name, object Subject, Func<MeshLookups, List<MeshDiagnostic>, IEnumerable<ConfigUnit>> Compile);

internal sealed record JobResult(object Subject, ImmutableArray<Read> Reads, ImmutableArray<ConfigUnit> Units, ImmutableArray<MeshDiagnostic> Diagnostics)
{
    // One bit for each question: most changes are of one kind of object, which most jobs do not ask for.
    private readonly int _asked = Reads.Aggregate(0, (asked, read) => asked | (1 << (int)read.Question));

    /// <param name="changed">Questions that may have other answers than before, a bit for each.</param>
    public bool StandsFor(Job job, MeshIndex index, int changed)
        => Read.Same(Subject, job.Subject) && ((_asked & changed) == 0 || Reads.All(read => (changed & (1 << (int)read.Question)) == 0 || read.HoldsIn(index)));
}
