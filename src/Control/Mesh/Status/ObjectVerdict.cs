using System.Collections.Immutable;
using Weft.Api;
using Weft.Control.Mesh.Diagnostics;

namespace Weft.Control.Mesh.Status;

/// <summary>What the mesh makes of one object, as it is specified now.</summary>
/// <param name="Uid">Of this life of the name.</param>
/// <param name="Version">Of the configuration: the first that has what became of the object.</param>
/// <param name="Since">When that was.</param>
internal sealed record ObjectVerdict(string Uid, long Generation, ImmutableArray<MeshDiagnostic> Diagnostics, ulong Version, DateTimeOffset Since)
{
    public bool IsOf(IObject value) => Uid == (value.Metadata.Uid ?? "") && Generation == (value.Metadata.Generation ?? 0);
}

/// <summary>How far an object has come to the proxies.</summary>
internal enum Progress
{
    /// <summary>There is none, or none is connected yet.</summary>
    NoProxies,
    /// <summary>Some have not acknowledged it.</summary>
    Pending,
    Served,
}
