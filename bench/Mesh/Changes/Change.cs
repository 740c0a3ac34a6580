using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Client;

namespace Weft.Bench.Mesh.Changes;

/// <summary>A kind of change: an object that is written in two ways in turn, and what a request shows of each.</summary>
/// <param name="Name">For the table.</param>
/// <param name="From">Where the requests come from.</param>
/// <param name="Ways">A merge patch, and the outcome by which it is known.</param>
/// <param name="HasStatus">Whether the object says Programmed.</param>
internal sealed record Change(string Name, ApiResource Resource, ObjectKey Key, BenchPod From, Func<IAsker> Connect, bool HasStatus, params (string Patch, string Outcome)[] Ways)
{
    public Patch PatchOf(int way) => Patch.Merge(JsonNode.Parse(Ways[way].Patch)!.AsObject());
}
