using Weft.Storage.Tree;

namespace Weft.Storage.History;

/// <summary>One group commit as it was published: its batches, in revision order, and everything there was after it.</summary>
internal sealed class Epoch(ChangeBatch[] batches, Snapshot after)
{
    public ChangeBatch[] Batches => batches;
    public Snapshot After => after;
    public long First => batches[0].Revision;
    public long Last => batches[^1].Revision;
    public int Changes { get; } = batches.Sum(batch => batch.Changes.Count);
    public long Bytes { get; } = batches.Sum(SizeOf) + CopiedNodes;

    // A lone commit copies one node of each of three levels.
    private const long CopiedNodes = 2048;

    public static long SizeOf(ChangeBatch batch)
    {
        // 200: the objects around the bytes (entry, change, batch, a share of copied nodes).
        long bytes = 0;
        for (var i = 0; i < batch.Changes.Count; i++)
        {
            var change = batch.Changes[i];
            bytes += 200 + (change.Current?.Value.Length ?? 0) + (change.Previous?.Value.Length ?? 0);
        }

        return bytes;
    }
}
