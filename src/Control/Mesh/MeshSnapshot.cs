using System.Collections.Frozen;
using System.Collections.Immutable;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Inputs;
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

    internal MeshSettings? Settings { get; init; }

    internal FrozenDictionary<string, JobResult> Results { get; init; } = FrozenDictionary<string, JobResult>.Empty;
}

/// <summary>A part of the work whose result depends on its subject and on what it asks, and on nothing else.</summary>
/// <param name="Name">Unique among jobs.</param>
internal sealed record Job(string Name, object Subject, Func<MeshLookups, List<MeshDiagnostic>, IEnumerable<ConfigUnit>> Compile);

internal sealed record JobResult(object Subject, ImmutableArray<Read> Reads, ImmutableArray<ConfigUnit> Units, ImmutableArray<MeshDiagnostic> Diagnostics)
{
    public bool StandsFor(Job job, MeshIndex index) => Read.Same(Subject, job.Subject) && Reads.All(read => read.HoldsIn(index));
}
